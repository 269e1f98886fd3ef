package tokenize

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTrainErrors(t *testing.T) {
	none := slices.Values([]string{"", ""})
	some := slices.Values([]string{"some text"})
	for name, err := range map[string]error{
		"char, no text":    second(TrainChar(none)),
		"char, no UTF-8":   second(TrainChar(slices.Values([]string{"\xff\xfe"}))),
		"bpe, no text":     second(TrainBPE(none, 300)),
		"bpe, vocab small": second(TrainBPE(some, 256)),
		"bpe, vocab large": second(TrainBPE(some, maxVocab+1)),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		} else if !strings.HasPrefix(err.Error(), "train ") {
			t.Errorf("%s: error %q does not say what failed", name, err)
		}
	}
}

func second(_ *Tokenizer, err error) error { return err }

func TestTrainBPESmall(t *testing.T) {
	// "aaa" twice: aa is seen four times in overlapping pairs, then aa a twice; then
	// no pair is left, so the vocabulary stops short of what was asked.
	tok, err := TrainBPE(slices.Values([]string{"aaa", "aaa"}), 1000)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := tok.model.(*bpe).texts[baseVocab:], []string{"aa", "aaa"}; !slices.Equal(got, want) {
		t.Errorf("the merges make %q, want %q", got, want)
	}
	// A pair seen once is not merged, and a vocabulary of bytes only is a byte tokenizer.
	tok, err = TrainBPE(slices.Values([]string{"abcdef"}), 300)
	if err != nil {
		t.Fatal(err)
	}
	if tok.Kind() != KindByte || tok.VocabSize() != baseVocab {
		t.Errorf("got a %s tokenizer of %d tokens, want byte of %d", tok.Kind(), tok.VocabSize(), baseVocab)
	}
}

// learnByDefinition counts all pairs anew for each merge.
func learnByDefinition(counted *words, tokens []string, vocab int) (_ []string, merges [][2]int32) {
	ids := map[string]int32{}
	for id, token := range tokens {
		ids[token] = int32(id)
	}
	spelt := make([][]int32, counted.len())
	for w := range spelt {
		for _, b := range counted.at(w) {
			spelt[w] = append(spelt[w], ids[string([]byte{b})])
		}
	}
	for len(tokens) < vocab {
		pairs := map[[2]int32]int64{}
		for w, word := range spelt {
			for i := 1; i < len(word); i++ {
				pairs[[2]int32{word[i-1], word[i]}] += counted.counts[w]
			}
		}
		var best [2]int32
		for p, n := range pairs {
			if n > pairs[best] || n == pairs[best] && slices.Compare(p[:], best[:]) < 0 {
				best = p
			}
		}
		if pairs[best] < minPairCount {
			break
		}
		made := int32(len(tokens))
		tokens = append(tokens, tokens[best[0]]+tokens[best[1]])
		merges = append(merges, best)
		for w, word := range spelt {
			var out []int32
			for i := 0; i < len(word); i++ {
				if i+1 < len(word) && word[i] == best[0] && word[i+1] == best[1] {
					out = append(out, made)
					i++
				} else {
					out = append(out, word[i])
				}
			}
			spelt[w] = out
		}
	}
	return tokens, merges
}

func TestTrainBPE(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Few letters, so that pairs overlap and tie; words of more than one block.
		docs := rapid.SliceOfN(rapid.StringOfN(rapid.SampledFrom([]rune("aaaaabbbbbc '")), 1, 200, -1), 1, 4).Draw(t, "documents")
		vocab := rapid.IntRange(baseVocab, 330).Draw(t, "vocab")
		tok, err := TrainBPE(slices.Values(docs), vocab)
		if err != nil {
			t.Fatal(err)
		}
		counted, err := countWords(slices.Values(docs), gpt2Words)
		if err != nil {
			t.Fatal(err)
		}
		base, _ := learnBytes(counted, baseVocab)
		tokens, merges := learnBytes(counted, vocab)
		wantTokens, wantMerges := learnByDefinition(counted, base, vocab)
		if !slices.Equal(tokens, wantTokens) || !slices.Equal(merges, wantMerges) {
			t.Fatalf("trained %q, want %q; merges %v, want %v", tokens[baseVocab:], wantTokens[baseVocab:], merges, wantMerges)
		}
		if tok.VocabSize() != len(tokens) {
			t.Errorf("the tokenizer has %d tokens, want %d", tok.VocabSize(), len(tokens))
		}
	})
}

// Long words, and texts without any word boundary, take time that is nearly
// proportional to their length.
func TestTrainLongWord(t *testing.T) {
	random := make([]byte, 1<<20)
	state := uint32(1)
	for i := range random {
		state = state*1664525 + 1013904223
		random[i] = 'a' + byte(state>>24)%16
	}
	for name, doc := range map[string]string{
		"one letter":     strings.Repeat("a", 1_000_000),
		"random letters": string(random),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			tok, err := TrainBPE(slices.Values([]string{doc}), 2000)
			if err != nil {
				t.Fatal(err)
			}
			if d := time.Since(start); d > 20*time.Second {
				t.Errorf("%d tokens took %v", tok.VocabSize(), d)
			}
		})
	}
}

func TestTrainDeterministic(t *testing.T) {
	docs := slices.Values(strings.SplitAfter(corpus(t), "\n"))
	first, err := TrainBPE(docs, 500)
	if err != nil {
		t.Fatal(err)
	}
	again, err := TrainBPE(docs, 500)
	if err != nil {
		t.Fatal(err)
	}
	if first.Hash() != again.Hash() {
		t.Error("the same documents make two vocabularies")
	}
}

func BenchmarkTrainBPE(b *testing.B) {
	s := corpus(b)
	b.SetBytes(int64(len(s)))
	for b.Loop() {
		if _, err := TrainBPE(slices.Values([]string{s}), 700); err != nil {
			b.Fatal(err)
		}
	}
}

// TestTrainGolden compares with the merges that Hugging Face's trainer finds; see
// testdata/train.py.
func TestTrainGolden(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "train.json"))
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		BPE []struct {
			Name   string
			Docs   []string
			Vocab  int
			Merges []string
		}
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	for _, c := range golden.BPE {
		t.Run(c.Name, func(t *testing.T) {
			counted, err := countWords(slices.Values(c.Docs), gpt2Words)
			if err != nil {
				t.Fatal(err)
			}
			tokens, merges := learnBytes(counted, c.Vocab)
			var got []string
			for _, m := range merges {
				left := append(appendPrintable(nil, tokens[m[0]]), ' ')
				got = append(got, string(appendPrintable(left, tokens[m[1]])))
			}
			if !slices.Equal(got, c.Merges) {
				t.Errorf("learnt %q, want %q", got, c.Merges)
			}
		})
	}
}
