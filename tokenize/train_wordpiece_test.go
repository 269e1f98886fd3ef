package tokenize

import (
	"slices"
	"strings"
	"testing"
)

func TestLearnWordPieces(t *testing.T) {
	// What Hugging Face's WordPieceTrainer (tokenizers 0.23.3, min_frequency 2) makes of
	// these words, but that it has ##c, ##e, ##s and ##t in any order.
	table := newWordTable()
	for word, n := range map[string]int64{"test": 5, "tests": 3, "set": 2, "c": 1, "sec": 1} {
		table.add(word, n)
	}
	got := learnWordPieces(&table.words, []string{"[UNK]"}, 100)
	want := []string{
		"[UNK]", "c", "e", "s", "t", "##c", "##e", "##s", "##t",
		"te", "##st", "test", "se", "tests", "set",
	}
	if !slices.Equal(got, want) {
		t.Errorf("learnt %q, want %q", got, want)
	}
	// The alphabet never takes all of the vocabulary.
	if got := learnWordPieces(&table.words, []string{"[UNK]"}, 5); !slices.Equal(got, []string{"[UNK]", "s", "t", "##s", "##t"}) {
		t.Errorf("five tokens are %q", got)
	}
}

// A trained tokenizer is read again from its file, has as many tokens as there are to
// be had, and encodes the text that it was trained on without an unknown token.
func TestTrainedFiles(t *testing.T) {
	docs := strings.SplitAfter(corpus(t), "\n")
	for name, train := range map[string]func() (*Tokenizer, error){
		KindWordPiece: func() (*Tokenizer, error) { return TrainWordPiece(slices.Values(docs), 500) },
		KindUnigram:   func() (*Tokenizer, error) { return TrainUnigram(slices.Values(docs), 500) },
	} {
		t.Run(name, func(t *testing.T) {
			tok, err := train()
			if err != nil {
				t.Fatal(err)
			}
			again, err := Parse(tok.JSON())
			if err != nil {
				t.Fatal(err)
			}
			if again.Hash() != tok.Hash() || again.Kind() != name || tok.VocabSize() != 500 {
				t.Errorf("%s of %d tokens, hash %s, read again as %s with hash %s", name, tok.VocabSize(), tok.Hash(), again.Kind(), again.Hash())
			}
			if tok.UNK() != 0 || tok.EOS() != 1 {
				t.Errorf("unknown is %d and end is %d, want 0 and 1", tok.UNK(), tok.EOS())
			}
			for _, doc := range docs {
				if ids := tok.Encode(nil, doc); slices.Contains(ids, tok.UNK()) {
					t.Errorf("%q has an unknown token in %v", doc, ids)
				}
			}
		})
	}
}

func TestTrainedFilesErrors(t *testing.T) {
	none, some := slices.Values([]string{"", ""}), slices.Values([]string{"some text"})
	for name, err := range map[string]error{
		"wordpiece, no text":     second(TrainWordPiece(none, 300)),
		"wordpiece, vocab small": second(TrainWordPiece(some, 3)),
		"wordpiece, vocab large": second(TrainWordPiece(some, maxVocab+1)),
		"unigram, no text":       second(TrainUnigram(none, 300)),
		"unigram, vocab small":   second(TrainUnigram(some, 3)),
		"unigram, vocab large":   second(TrainUnigram(some, maxVocab+1)),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "train ") {
			t.Errorf("%s: error %v does not say what failed", name, err)
		}
	}
}
