package tokenize

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sugarme/tokenizer/pretrained"
)

// TestSugarme compares WordPiece with github.com/sugarme/tokenizer, an independent port
// to Go, on what that handles: English. It is given nothing else, for it ends the
// process on some errors.
func TestSugarme(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "wordpiece.json"))
	if err != nil {
		t.Fatal(err)
	}
	tok, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	other, err := pretrained.FromReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for line := range strings.Lines(corpus(t)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.ContainsFunc(line, func(r rune) bool { return r > '~' }) {
			continue
		}
		lines++
		e, err := other.EncodeSingle(line)
		if err != nil {
			t.Fatal(err)
		}
		var want []int32
		for _, id := range e.Ids {
			want = append(want, int32(id))
		}
		if got := tok.Encode(nil, line); !slices.Equal(got, want) {
			t.Errorf("%q is %v, theirs is %v", line, got, want)
		}
	}
	if lines < 100 {
		t.Errorf("%d lines compared", lines)
	}
}
