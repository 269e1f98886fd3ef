package tokenize

import (
	"encoding/base64"
	"encoding/binary"
	"testing"
	"unicode/utf8"
)

// FuzzCharsmap: no table and no text makes it panic or give what is not UTF-8.
func FuzzCharsmap(f *testing.F) {
	words := func(units ...uint32) []byte {
		out := binary.LittleEndian.AppendUint32(nil, uint32(4*len(units)))
		for _, u := range units {
			out = binary.LittleEndian.AppendUint32(out, u)
		}
		return out
	}
	f.Add([]byte{}, "a")
	f.Add(words(1<<10), "a")
	f.Add(append(words(0, 1<<31), "x\x00"...), "a")
	f.Add(append(words(make([]uint32, 'a')...), "é\x00"...), "é")
	leaf := append(make([]uint32, 'a'), 'a'|1<<8|'a'<<10) // a rule for "a", its value at unit 0
	f.Add(append(words(leaf...), "é\x00"...), "ba\u0301a")
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		p := &precompiled{Charsmap: base64.StdEncoding.EncodeToString(data)}
		if p.compile() != nil {
			return
		}
		var from []span
		got := p.normalize(nil, text, &from)
		if len(from) != len(got) {
			t.Fatalf("%d bytes with %d spans", len(got), len(from))
		}
		if utf8.ValidString(text) && !utf8.Valid(got) {
			t.Fatalf("%+q becomes %+q", text, got)
		}
	})
}
