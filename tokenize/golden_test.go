package tokenize

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

var update = flag.Bool("update", false, "write char.json and byte.json, which golden.py reads")

// corpus is testdata/corpus.txt: a page of Shakespeare, some code and lines in
// other scripts.
func corpus(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "corpus.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// load returns the tokenizer of testdata/<kind>.json.
func load(t testing.TB, kind string) *Tokenizer {
	t.Helper()
	tok, err := Load(filepath.Join("testdata", kind+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// TestGolden compares words, ids and decoded text with what Hugging Face tokenizers
// gives for the same files; testdata/golden.py says which version and how.
func TestGolden(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Source string
		Cases  []struct {
			Name, Text  string
			Words       []int
			BPE         []int32
			BPEDecoded  string `json:"bpe_decoded"`
			Char        []int32
			CharDecoded string `json:"char_decoded"`
			Byte        []int32
			ByteDecoded string `json:"byte_decoded"`
		}
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Cases) == 0 {
		t.Fatal("golden.json has no cases")
	}
	bpe, char, byt := load(t, KindBPE), load(t, KindChar), load(t, KindByte)
	for _, c := range golden.Cases {
		t.Run(c.Name, func(t *testing.T) {
			words := []int{}
			for rest := c.Text; rest != ""; rest = rest[words[len(words)-1]:] {
				words = append(words, unicodeClasses().word(rest))
			}
			if !slices.Equal(words, c.Words) {
				t.Errorf("words have lengths %v, %s has %v", words, golden.Source, c.Words)
			}
			for _, want := range []struct {
				tok     *Tokenizer
				ids     []int32
				decoded string
			}{{bpe, c.BPE, c.BPEDecoded}, {char, c.Char, c.CharDecoded}, {byt, c.Byte, c.ByteDecoded}} {
				ids := want.tok.Encode(nil, c.Text)
				if !slices.Equal(ids, want.ids) {
					t.Errorf("%s: Encode(%q)\n got %v\nwant %v", want.tok.Kind(), c.Text, ids, want.ids)
				}
				if got := string(want.tok.Decode(nil, ids)); got != want.decoded {
					t.Errorf("%s: decodes to %q, want %q", want.tok.Kind(), got, want.decoded)
				}
			}
		})
	}
}

func TestGoldenFiles(t *testing.T) {
	char, err := TrainChar(slices.Values([]string{corpus(t)}))
	if err != nil {
		t.Fatal(err)
	}
	for _, tok := range []*Tokenizer{char, NewByte()} {
		path := filepath.Join("testdata", tok.Kind()+".json")
		if *update {
			if err := os.WriteFile(path, tok.JSON(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(tok.JSON()) != string(want) {
			t.Errorf("JSON of the %s tokenizer differs from %s", tok.Kind(), path)
		}
	}
}

// TestTrainBPEGolden: the vocabulary is the one that Hugging Face's trainer makes of
// the same text with the same settings, token by token and merge by merge.
func TestTrainBPEGolden(t *testing.T) {
	want := load(t, KindBPE)
	got, err := TrainBPE(slices.Values([]string{corpus(t)}), want.VocabSize())
	if err != nil {
		t.Fatal(err)
	}
	if string(marshal(got.model)) != string(marshal(want.model)) {
		t.Errorf("TrainBPE made another vocabulary than testdata/bpe.json")
	}
}
