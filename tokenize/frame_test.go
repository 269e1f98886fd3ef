package tokenize

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// frameGolden is testdata/frame.json; frame.py says with what and how it was made.
type frameGolden struct {
	Source string
	Texts  []string
	Splits []struct {
		Part  json.RawMessage
		Words [][]int // bounds of each text's words, in characters
	}
	Forms []struct {
		File    string
		Texts   []string
		Offsets [][]int
	}
	Characters, Bytes []struct {
		Plain, Special, Template []int32
		Offsets                  []int
		Decoded                  string
		DecodedSpecial           string `json:"decoded_special"`
	}
}

func loadFrame(t testing.TB) (g frameGolden) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "frame.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// TestSplits compares the words of every known pattern, with every behaviour.
func TestSplits(t *testing.T) {
	g := loadFrame(t)
	for _, c := range g.Splits {
		t.Run(string(c.Part), func(t *testing.T) {
			_, steps, err := parsePreTokenizer(c.Part)
			if err != nil {
				t.Fatal(err)
			}
			for k, text := range g.Texts {
				got := []int{}
				for i := 0; i < len(text); {
					start, end := steps[0].next(text, i)
					if start == len(text) {
						break
					}
					got = append(got, utf8.RuneCountInString(text[:start]), utf8.RuneCountInString(text[:end]))
					i = end
				}
				if !slices.Equal(got, c.Words[k]) {
					t.Errorf("%q:\n got %v\nwant %v", text, got, c.Words[k])
				}
			}
		})
	}
}

// TestFrame compares ids, offsets and decoded texts of two vocabularies.
func TestFrame(t *testing.T) {
	g := loadFrame(t)
	for name, cases := range map[string][]struct {
		Plain, Special, Template []int32
		Offsets                  []int
		Decoded                  string
		DecodedSpecial           string `json:"decoded_special"`
	}{"characters": g.Characters, "bytes": g.Bytes} {
		tok := load(t, name)
		again, err := Parse(tok.JSON())
		if err != nil {
			t.Fatal(err)
		}
		if again.Hash() != tok.Hash() {
			t.Errorf("%s: JSON is not canonical", name)
		}
		for _, tok := range []*Tokenizer{tok, again} {
			special := tok.WithSpecial()
			for k, text := range g.Texts {
				want := cases[k]
				if got := tok.Encode(nil, text); !slices.Equal(got, want.Plain) {
					t.Errorf("%s: Encode(%q)\n got %v\nwant %v", name, text, got, want.Plain)
				}
				ids := special.Encode(nil, text)
				if !slices.Equal(ids, want.Special) {
					t.Errorf("%s: Encode(%q) with special tokens\n got %v\nwant %v", name, text, ids, want.Special)
				}
				same, offsets := special.EncodeOffsets(text)
				flat := flatten(offsets)
				if !slices.Equal(same, ids) || !slices.Equal(flat, want.Offsets) {
					t.Errorf("%s: EncodeOffsets(%q)\n got %v\nwant %v", name, text, flat, want.Offsets)
				}
				if got := special.PostProcess(nil, ids); !slices.Equal(got, want.Template) {
					t.Errorf("%s: PostProcess of %q gives %v, want %v", name, text, got, want.Template)
				}
				if got := tok.Decode(nil, ids); string([]rune(string(got))) != want.Decoded {
					t.Errorf("%s: decodes to %q, want %q", name, got, want.Decoded)
				}
				if got := special.Decode(nil, ids); string([]rune(string(got))) != want.DecodedSpecial {
					t.Errorf("%s: decodes with special tokens to %q, want %q", name, got, want.DecodedSpecial)
				}
			}
		}
	}
}

func flatten(offsets []Offset) []int {
	flat := []int{}
	for _, o := range offsets {
		flat = append(flat, o.Start, o.End)
	}
	return flat
}

// TestFormOffsets: where marks change places or characters become one.
func TestFormOffsets(t *testing.T) {
	for _, form := range loadFrame(t).Forms {
		tok, err := Parse([]byte(form.File))
		if err != nil {
			t.Fatal(err)
		}
		for k, text := range form.Texts {
			_, offsets := tok.EncodeOffsets(text)
			if got := flatten(offsets); !slices.Equal(got, form.Offsets[k]) {
				t.Errorf("%s of %+q:\n got %v\nwant %v", marshal(tok.norm), text, got, form.Offsets[k])
			}
		}
	}
}

// TestJoints: cutting a text where nothing can merge changes no token.
func TestJoints(t *testing.T) {
	for _, name := range []string{"characters", "bytes", KindBPE} {
		m := load(t, name).model.(*bpe)
		if m.joints.none {
			t.Fatalf("%s: no joints", name)
		}
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			word := rapid.StringOfN(rapid.SampledFrom([]rune("▁▁▁thea. ,é世\n")), 1, 200, -1).Draw(t, "word")
			var cut []int32
			for i := 0; i < len(word); {
				_, end := m.joints.next(word, i)
				cut = m.mergeLong(cut, nil, word[i:end])
				i = end
			}
			want := mergeByDefinition(m, m.symbolsOf(word))
			if !slices.Equal(cut, want) {
				t.Fatalf("%q cut: %v, whole: %v", word, cut, want)
			}
			if got := m.merge(nil, word); !slices.Equal(got, want) {
				t.Fatalf("merge(%q) = %v, want %v", word, got, want)
			}
		}))
	}
}
