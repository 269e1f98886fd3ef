package tokenize

import (
	"errors"
	"fmt"
	"iter"
	"slices"
)

// baseVocab is <eos> and the 256 bytes.
const baseVocab = 257

// TrainBPE returns a byte-level BPE tokenizer of at most vocab tokens: <eos> is 0,
// the bytes follow in the order of their printable forms, then the merges, the most
// frequent pair first and, of equals, the one of lower ids. This is the vocabulary
// that Hugging Face's BpeTrainer makes of the same documents. It has fewer tokens
// than asked for when no pair is left that occurs twice, and fails if docs hold no
// text or if vocab is outside 257..2^20.
//
// Words are counted on all cores, on disk if they do not fit into memory. Of more
// than 16 MiB of distinct words, the most frequent that fit are learnt from; words of
// more than 1 MiB are cut.
func TrainBPE(docs iter.Seq[string], vocab int) (*Tokenizer, error) {
	if vocab < baseVocab || vocab > maxVocab {
		return nil, fmt.Errorf("train BPE tokenizer: the vocabulary must have %d to %d tokens (<eos> and the 256 bytes come first), got %d", baseVocab, maxVocab, vocab)
	}
	counted, err := countWords(docs, gpt2Words)
	if err != nil {
		return nil, fmt.Errorf("train BPE tokenizer: %w", err)
	}
	if counted.len() == 0 {
		return nil, errors.New("train BPE tokenizer: the documents hold no text")
	}
	tokens, merges := learnBytes(counted, vocab)
	special := make([]bool, len(tokens))
	special[0] = true
	return newByteLevel(tokens, special, merges)
}

// learnBytes learns a vocabulary of bytes, and the merges in order of rank.
func learnBytes(counted *words, vocab int) (tokens []string, merges [][2]int32) {
	tokens = append(make([]string, 0, vocab), eosToken)
	alphabet := byteAlphabet()
	order := make([]int, 256)
	for b := range order {
		order[b] = b
	}
	slices.SortFunc(order, func(a, b int) int { return int(alphabet[a]) - int(alphabet[b]) })
	var ids [256]int32
	for _, b := range order {
		ids[b] = int32(len(tokens))
		tokens = append(tokens, string([]byte{byte(b)}))
	}
	l := newLearner(tokens, counted, func(dst []int32, word []byte) []int32 {
		for _, b := range word {
			dst = append(dst, ids[b])
		}
		return dst
	}, func(left, right string) string { return left + right })
	l.learn(vocab)
	return l.tokens, l.merges
}

// gpt2Words splits a text into the words of GPT-2's pattern.
func gpt2Words(text string, word func(string)) {
	c := unicodeClasses()
	for len(text) > 0 {
		n := c.word(text)
		word(text[:n])
		text = text[n:]
	}
}
