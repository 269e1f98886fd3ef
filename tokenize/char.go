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
	return newChar(tokens, 2)
}

// newChar returns a character tokenizer. The first tokens are special, the unknown one
// before the others, and the rest characters.
func newChar(tokens []string, special int) (*Tokenizer, error) {
	v, err := newVocabulary(tokens)
	if err != nil {
		return nil, err
	}
	any := anyCharacter
	cut := &split{Type: "Split", Pattern: pattern{Regex: &any}, Behavior: "Isolated"}
	if err := cut.compile(); err != nil {
		return nil, err
	}
	p := parts{
		pre:   cut,
		steps: cut.steps(),
		model: &wordLevel{Type: "WordLevel", Vocab: v, UnkToken: tokens[0]},
		dec:   &fuse{Type: "Fuse"},
	}
	return assemble(p, specialTokens(tokens[:special], 0))
}

// specialTokens lists tokens, the first of which has the given id, as a file does.
func specialTokens(names []string, id int32) []addedToken {
	list := []addedToken{}
	for i, name := range names {
		list = append(list, addedToken{ID: id + int32(i), Content: name, Special: true})
	}
	return list
}
