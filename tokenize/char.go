package tokenize

import (
	"errors"
	"iter"
	"maps"
	"slices"
	"unicode/utf8"
)

// TrainChar returns a character tokenizer: <unk> is 0, <eos> is 1, and the
// characters of docs follow in code point order. Bytes that are not UTF-8 are not
// characters. It fails if docs hold no text.
func TrainChar(docs iter.Seq[string]) (*Tokenizer, error) {
	seen := map[rune]bool{}
	for doc := range docs {
		for i := 0; i < len(doc); {
			r, n := utf8.DecodeRuneInString(doc[i:])
			i += n
			if r != utf8.RuneError || n > 1 {
				seen[r] = true
			}
		}
	}
	if len(seen) == 0 {
		return nil, errors.New("train character tokenizer: the documents hold no text")
	}
	tokens := []string{unkToken, eosToken}
	for _, r := range slices.Sorted(maps.Keys(seen)) {
		tokens = append(tokens, string(r))
	}
	special := make([]bool, len(tokens))
	special[0], special[1] = true, true
	return newChar(tokens, special), nil
}

// newChar returns a character tokenizer. tokens holds one character each, and the
// special ones, of which one must be the unknown token.
func newChar(tokens []string, special []bool) *Tokenizer {
	t := newTokenizer(KindChar, tokens, special)
	t.chars = make(map[rune]int32, len(tokens))
	for id, token := range tokens {
		if !special[id] {
			r, _ := utf8.DecodeRuneInString(token)
			t.chars[r] = int32(id)
		}
	}
	return t
}
