package tokenize

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// wordPiece is BERT's model (Schuster and Nakajima 2012; Devlin et al. 2019): a word is
// the longest token that it begins with, then the longest continuing one, and so on. A
// word with a rest that no token begins is one unknown token.
type wordPiece struct {
	config    wordPieceConfig
	v         *vocabulary
	tokens    *trie
	continued int32 // the state after the prefix of continuing tokens; noState if none has it
	unk       int32
}

// wordPieceConfig is the model's options under the names that files have for them.
type wordPieceConfig struct {
	Type                    string  `json:"type"`
	UnkToken                *string `json:"unk_token"`
	ContinuingSubwordPrefix *string `json:"continuing_subword_prefix"`
	MaxInputCharsPerWord    *int    `json:"max_input_chars_per_word"`
}

func parseWordPiece(value json.RawMessage) (*wordPiece, error) {
	m := &wordPiece{config: wordPieceConfig{Type: "WordPiece"}}
	options := map[string]json.RawMessage{}
	j := &jsonScanner{data: value}
	j.members(func(key string) {
		if key != "vocab" {
			options[key] = j.raw()
			return
		}
		var err error
		if m.v, err = j.vocabulary(); err != nil {
			j.fail("%v", err)
		}
	})
	err := j.end()
	if err == nil {
		err = strict(marshal(options), &m.config)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: model: %v", ErrFormat, err)
	}
	return m, m.compile()
}

func (m *wordPiece) compile() error {
	c := &m.config
	switch {
	case m.v == nil || c.UnkToken == nil || c.ContinuingSubwordPrefix == nil || c.MaxInputCharsPerWord == nil:
		return fmt.Errorf("%w: model: WordPiece needs vocab, unk_token, continuing_subword_prefix and max_input_chars_per_word", ErrFormat)
	case *c.MaxInputCharsPerWord < 0:
		return fmt.Errorf("%w: model: max_input_chars_per_word is %d", ErrFormat, *c.MaxInputCharsPerWord)
	}
	if m.unk = m.v.id(*c.UnkToken); m.unk < 0 {
		return fmt.Errorf("%w: model: unk_token %q is not in the vocabulary", ErrFormat, *c.UnkToken)
	}
	m.tokens = newTrie(m.v)
	m.continued = m.tokens.walk(root, *c.ContinuingSubwordPrefix)
	return nil
}

func (m *wordPiece) vocab() *vocabulary { return m.v }

func (m *wordPiece) cached() bool { return true }

func (m *wordPiece) kind() string { return KindWordPiece }

// MarshalJSON writes the model as the file has it.
func (m *wordPiece) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		wordPieceConfig
		Vocab *vocabulary `json:"vocab"`
	}{m.config, m.v}), nil
}

// encodeWord takes time in proportion to the length of the word, times at most that of
// the longest token.
func (m *wordPiece) encodeWord(dst []int32, ends *[]int32, word string) []int32 {
	most := *m.config.MaxInputCharsPerWord
	if len(word) > most && utf8.RuneCountInString(word) > most {
		return m.unknown(dst, ends, word)
	}
	tokens, first := len(dst), 0
	if ends != nil {
		first = len(*ends)
	}
	from := root
	for i := 0; i < len(word); from = m.continued {
		id, n := m.tokens.longest(from, word[i:])
		if id < 0 {
			if ends != nil {
				*ends = (*ends)[:first]
			}
			return m.unknown(dst[:tokens], ends, word)
		}
		dst, i = append(dst, id), i+n
		if ends != nil {
			*ends = append(*ends, int32(i))
		}
	}
	return dst
}

func (m *wordPiece) unknown(dst []int32, ends *[]int32, word string) []int32 {
	if ends != nil {
		*ends = append(*ends, int32(len(word)))
	}
	return append(dst, m.unk)
}
