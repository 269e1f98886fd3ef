package tokenize

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"unicode/utf8"
)

// longestSpelt is the longest word, in bytes, that a Unigram model is trained on in
// one piece: texts without spaces are one word.
const longestSpelt = 4096

var unigramFrame = trainFrame{
	normalizer:   `null`,
	preTokenizer: `{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true}`,
	decoder:      `{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true}`,
}

// TrainUnigram returns a Unigram tokenizer (Kudo 2018) of at most vocab tokens: <unk>
// is 0, <eos> is 1, and the pieces follow, the likeliest first. Words begin at spaces,
// which are part of them as ▁. Every character of docs is a piece, up to half of the
// vocabulary; the rarest beyond that are <unk>. It fails if docs hold no text or if
// vocab is outside 4..2^20.
//
// It is trained as SentencePiece and Hugging Face's UnigramTrainer do, not to the same
// digits: see docs/formats/tokenizer.md. Memory is bounded as that of [TrainBPE] is.
func TrainUnigram(docs iter.Seq[string], vocab int) (*Tokenizer, error) {
	special := []string{unkToken, eosToken}
	if least := len(special) + 2; vocab < least || vocab > maxVocab {
		return nil, fmt.Errorf("train Unigram tokenizer: the vocabulary must have %d to %d tokens, got %d", least, maxVocab, vocab)
	}
	split, err := unigramFrame.split()
	if err != nil {
		return nil, err
	}
	counted, err := countWords(docs, split)
	if err != nil {
		return nil, fmt.Errorf("train Unigram tokenizer: %w", err)
	}
	size := vocab - len(special)
	counted = withinAlphabet(counted, alphabetOf(counted, size/2))
	if counted.len() == 0 {
		return nil, errors.New("train Unigram tokenizer: the documents hold no text")
	}
	m := learnPieces(counted, size)
	return unigramTokenizer(special, m)
}

// withinAlphabet cuts words at characters that are not in the alphabet, and those that
// are too long.
func withinAlphabet(w *words, alphabet []rune) *words {
	known := make(map[rune]bool, len(alphabet))
	for _, r := range alphabet {
		known[r] = true
	}
	t := newWordTable()
	for i, n := range w.counts {
		word := string(w.at(i))
		start := 0
		cut := func(end int) {
			if end > start {
				t.add(word[start:end], n)
			}
		}
		for at, r := range word {
			if !known[r] {
				cut(at)
				start = at + utf8.RuneLen(r)
			} else if at-start > longestSpelt-utf8.UTFMax {
				cut(at)
				start = at
			}
		}
		cut(len(word))
	}
	return &t.words
}

// unigramTokenizer makes a tokenizer of a trained model.
func unigramTokenizer(special []string, m *pieceModel) (*Tokenizer, error) {
	type piece struct {
		text  string
		score float64
	}
	pieces := make([]piece, len(m.pieces))
	for i := range pieces {
		pieces[i] = piece{m.pieces[i], m.scores[i]}
	}
	slices.SortFunc(pieces, func(a, b piece) int {
		if c := cmp.Compare(b.score, a.score); c != 0 {
			return c
		}
		return cmp.Compare(a.text, b.text)
	})
	vocab := make([][2]any, 0, len(special)+len(pieces))
	for _, s := range special {
		vocab = append(vocab, [2]any{s, 0})
	}
	for _, p := range pieces {
		vocab = append(vocab, [2]any{p.text, p.score})
	}
	return unigramFrame.tokenizer(special, map[string]any{"type": "Unigram", "unk_id": 0, "vocab": vocab, "byte_fallback": false})
}
