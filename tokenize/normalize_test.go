package tokenize

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// golden is testdata/pieces.json, written by testdata/pieces.py.
type pieceGolden struct {
	Source      string
	Normalizers []struct {
		Name  string
		Part  json.RawMessage
		Cases []struct{ Text, Want string }
	}
	Tokenizers []struct {
		Name, File string
		Changes    map[string]map[string]json.RawMessage
		Cases      []struct {
			Text, Decoded string
			IDs           []int32
		}
	}
}

func pieceCases(t testing.TB) (g pieceGolden) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "pieces.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Normalizers) == 0 || len(g.Tokenizers) == 0 {
		t.Fatal("pieces.json has no cases")
	}
	return g
}

func TestNormalizers(t *testing.T) {
	g := pieceCases(t)
	for _, n := range g.Normalizers {
		t.Run(n.Name, func(t *testing.T) {
			part, err := parseNormalizer(n.Part)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range n.Cases {
				if got := string(part.normalize(nil, c.Text, nil)); got != c.Want {
					t.Errorf("%+q becomes %+q, %s has %+q", c.Text, got, g.Source, c.Want)
				}
			}
		})
	}
}

// TestNormalizersAnyBytes: whatever the bytes, normalizing gives the same with and
// without spans, the spans are within the text, and bytes that are not UTF-8 stay.
func TestNormalizersAnyBytes(t *testing.T) {
	for _, n := range pieceCases(t).Normalizers {
		t.Run(n.Name, func(t *testing.T) {
			part, err := parseNormalizer(n.Part)
			if err != nil {
				t.Fatal(err)
			}
			rapid.Check(t, func(t *rapid.T) {
				text := anyText(t)
				want := part.normalize([]byte("x"), text, nil)
				var from []span
				got := part.normalize([]byte("x"), text, &from)
				if string(got) != string(want) || len(from) != len(got)-1 {
					t.Fatalf("%+q: %+q with %d spans, without spans %+q", text, got, len(from), want)
				}
				for _, s := range from {
					if s.start < 0 || s.start > s.end || int(s.end) > len(text) {
						t.Fatalf("%+q: span %v of %d bytes", text, s, len(text))
					}
				}
				if utf8.ValidString(text) && !utf8.Valid(got) {
					t.Fatalf("%+q becomes %+q, which is not UTF-8", text, got)
				}
			})
		})
	}
}

// anyText draws a text of characters that normalizers care for, and of any bytes.
func anyText(t *rapid.T) string {
	char := rapid.OneOf(
		rapid.RuneFrom([]rune("abcXYZ  ``'' .\t\r\n")),
		rapid.RuneFrom([]rune("éÅﬁ①㎥½Ａｶﾞ각가ᄒ힣中豈\u0301\u0323\u0307\u3099\u200d\u00ad\ufeff\u2581\u1161\u11a8\u302e")),
		rapid.Rune(),
	)
	piece := rapid.OneOf(
		rapid.Map(char, func(r rune) string { return string(r) }),
		rapid.Map(rapid.Byte(), func(b byte) string { return string([]byte{b}) }),
	)
	text := ""
	for _, s := range rapid.SliceOfN(piece, 0, 30).Draw(t, "text") {
		text += s
	}
	return text
}

// TestForms: composition inverts decomposition for every character that is not
// excluded, and the table has a pair for each.
func TestForms(t *testing.T) {
	u := unicodeCharacters()
	form := func(name string) normalizer {
		f := &unicodeForm{plain: plain{name}}
		if err := f.compile(); err != nil {
			t.Fatal(err)
		}
		return f
	}
	nfc, nfd := form("NFC"), form("NFD")
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		decomposed := string(nfd.normalize(nil, string(r), nil))
		if u.at(r).has(excluded) {
			continue
		}
		if got := string(nfc.normalize(nil, decomposed, nil)); got != string(r) {
			t.Fatalf("%U decomposes to %+q, which composes to %+q", r, decomposed, got)
		}
	}
}
