package tokenize

import (
	"slices"
	"strings"
	"testing"

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

// trainByDefinition counts all pairs anew for each merge.
func trainByDefinition(counts map[string]int64, tokens []string, vocab int) []string {
	ids := map[string]int32{}
	for id, token := range tokens {
		ids[token] = int32(id)
	}
	type word struct {
		symbols []string
		count   int64
	}
	var words []word
	for w, n := range counts {
		symbols := make([]string, len(w))
		for i := range symbols {
			symbols[i] = w[i : i+1]
		}
		words = append(words, word{symbols, n})
	}
	for len(tokens) < vocab {
		pairs := map[[2]string]int64{}
		for _, w := range words {
			for i := 0; i+1 < len(w.symbols); i++ {
				pairs[[2]string{w.symbols[i], w.symbols[i+1]}] += w.count
			}
		}
		var best frequent
		for p, n := range pairs {
			if f := (frequent{n, [2]int32{ids[p[0]], ids[p[1]]}}); n >= minPairCount && f.Before(best) {
				best = f
			}
		}
		if best.count == 0 {
			break
		}
		a, b := tokens[best.pair[0]], tokens[best.pair[1]]
		if _, ok := ids[a+b]; !ok {
			ids[a+b] = int32(len(tokens))
			tokens = append(tokens, a+b)
		}
		for i, w := range words {
			var out []string
			for k := 0; k < len(w.symbols); k++ {
				if k+1 < len(w.symbols) && w.symbols[k] == a && w.symbols[k+1] == b {
					out = append(out, a+b)
					k++
				} else {
					out = append(out, w.symbols[k])
				}
			}
			words[i].symbols = out
		}
	}
	return tokens
}

func TestTrainBPE(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Few letters, so that pairs overlap, tie and make the same token in two ways.
		docs := rapid.SliceOfN(rapid.StringOfN(rapid.SampledFrom([]rune("aab c'")), 1, 60, -1), 1, 4).Draw(t, "documents")
		tok, err := TrainBPE(slices.Values(docs), 280)
		if err != nil {
			t.Fatal(err)
		}
		want := trainByDefinition(countWords(slices.Values(docs)), slices.Clone(tok.model.(*bpe).texts[:baseVocab]), 280)
		if !slices.Equal(tok.model.(*bpe).texts, want) {
			t.Fatalf("trained %q, want %q", tok.model.(*bpe).texts[baseVocab:], want[baseVocab:])
		}
	})
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
