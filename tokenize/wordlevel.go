package tokenize

import (
	"encoding/json"
	"fmt"
)

// wordLevel has a token for each word that it knows.
type wordLevel struct {
	Type     string      `json:"type"`
	Vocab    *vocabulary `json:"vocab"`
	UnkToken string      `json:"unk_token"`
	unk      int32
}

func parseWordLevel(value json.RawMessage) (model, error) { return parsePart(value, new(wordLevel)) }

func (m *wordLevel) compile() error {
	if m.Vocab == nil {
		return fmt.Errorf("%w: model: WordLevel without vocab", ErrFormat)
	}
	if m.unk = m.Vocab.id(m.UnkToken); m.unk < 0 {
		return fmt.Errorf("%w: model: unk_token %q is not in the vocabulary", ErrFormat, m.UnkToken)
	}
	return nil
}

func (m *wordLevel) vocab() *vocabulary { return m.Vocab }

func (m *wordLevel) cached() bool { return false }

func (m *wordLevel) encodeWord(dst []int32, ends *[]int32, word string) []int32 {
	if ends != nil {
		*ends = append(*ends, int32(len(word)))
	}
	id := m.Vocab.id(word)
	if id < 0 {
		id = m.unk
	}
	return append(dst, id)
}
