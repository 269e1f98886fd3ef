package tokenize

import (
	"errors"
	"fmt"
	"iter"
	"strings"
)

const (
	continuing   = "##" // before a token that goes on with a word
	bertAlphabet = 1000 // characters, as Hugging Face's BertWordPieceTokenizer has
	bertLongest  = 100  // characters of a word; longer ones are unknown
)

var wordPieceFrame = trainFrame{
	normalizer:   `{"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": false}`,
	preTokenizer: `{"type": "BertPreTokenizer"}`,
	decoder:      `{"type": "WordPiece", "prefix": "##", "cleanup": false}`,
}

// TrainWordPiece returns a WordPiece tokenizer of at most vocab tokens: [UNK] is 0,
// [EOS] is 1, then the characters (the 1,000 most frequent) by code point, then those
// that go on with a word, then the merges. Text is normalized and split as BERT does,
// but keeps its case. Pairs are merged as [TrainBPE] merges them, which is what Hugging
// Face's WordPieceTrainer does. It fails if docs hold no text or if vocab is outside
// 4..2^20.
func TrainWordPiece(docs iter.Seq[string], vocab int) (*Tokenizer, error) {
	special := []string{"[UNK]", "[EOS]"}
	if least := len(special) + 2; vocab < least || vocab > maxVocab {
		return nil, fmt.Errorf("train WordPiece tokenizer: the vocabulary must have %d to %d tokens, got %d", least, maxVocab, vocab)
	}
	split, err := wordPieceFrame.split()
	if err != nil {
		return nil, err
	}
	counted, err := countWords(docs, split)
	if err != nil {
		return nil, fmt.Errorf("train WordPiece tokenizer: %w", err)
	}
	if counted.len() == 0 {
		return nil, errors.New("train WordPiece tokenizer: the documents hold no text")
	}
	tokens := learnWordPieces(counted, special, vocab)
	ids := make(map[string]int, len(tokens))
	for id, token := range tokens {
		ids[token] = id
	}
	return wordPieceFrame.tokenizer(special, map[string]any{
		"type": "WordPiece", "unk_token": special[0], "continuing_subword_prefix": continuing,
		"max_input_chars_per_word": bertLongest, "vocab": ids,
	})
}

// learnWordPieces learns a vocabulary that begins with special tokens.
func learnWordPieces(counted *words, special []string, vocab int) []string {
	tokens := append(make([]string, 0, vocab), special...)
	first, later := map[rune]int32{}, map[rune]int32{}
	alphabet := alphabetOf(counted, min(bertAlphabet, (vocab-len(special))/2))
	for _, r := range alphabet {
		first[r] = int32(len(tokens))
		tokens = append(tokens, string(r))
	}
	inside := map[rune]bool{}
	for i := range counted.len() {
		for at, r := range string(counted.at(i)) {
			inside[r] = inside[r] || at > 0
		}
	}
	for _, r := range alphabet {
		if inside[r] {
			later[r] = int32(len(tokens))
			tokens = append(tokens, continuing+string(r))
		}
	}
	l := newLearner(tokens, counted, func(dst []int32, word []byte) []int32 {
		ids := first
		for _, r := range string(word) {
			if id, ok := ids[r]; ok {
				dst = append(dst, id)
			}
			ids = later
		}
		return dst
	}, func(left, right string) string { return left + strings.TrimPrefix(right, continuing) })
	l.learn(vocab)
	return l.tokens
}
