package tokenize

import "strings"

// Decode appends the bytes that the ids stand for to dst and returns the extended
// slice. Ids outside the vocabulary stand for nothing, and so do special tokens, unless t
// is from [Tokenizer.WithSpecial].
func (t *Tokenizer) Decode(dst []byte, ids []int32) []byte {
	if t.text.alone {
		for _, id := range ids {
			if t.special || !t.text.isSpecial(id) {
				dst = append(dst, t.text.of(id)...)
			}
		}
		return dst
	}
	tokens := make([]string, 0, len(ids))
	for _, id := range ids {
		if form, ok := t.form(id); ok && (t.special || !t.text.isSpecial(id)) {
			tokens = append(tokens, form)
		}
	}
	if t.dec == nil {
		return append(dst, strings.Join(tokens, " ")...)
	}
	if len(tokens) == 0 {
		return dst
	}
	for _, s := range t.dec.decode(tokens) {
		dst = append(dst, s...)
	}
	return dst
}

// textTable has the text of each token by itself, where the text of several is that of
// each, one after the other.
type textTable struct {
	alone   bool
	texts   []string
	special []bool
}

// newTextTable decides whether tokens have text of their own.
func newTextTable(t *Tokenizer) *textTable {
	x := &textTable{special: make([]bool, t.size)}
	for id, text := range t.added.byID {
		x.special[id] = t.added.special(text)
	}
	switch t.dec.(type) {
	case *byteLevel:
		x.alone = true
		if m, ok := t.model.(*bpe); ok && m.byteLevel {
			x.texts = m.texts
		} else {
			x.texts, _ = rawForms(t.model.vocab().tokens)
		}
	case *fuse:
		x.alone, x.texts = true, t.model.vocab().tokens
	default:
		return x
	}
	if len(t.added.byID) == 0 {
		return x
	}
	texts := make([]string, t.size)
	copy(texts, x.texts)
	for id, text := range t.added.byID {
		if _, ok := t.dec.(*byteLevel); ok {
			raw, _ := appendRaw(nil, text)
			text = string(raw)
		}
		texts[id] = text
	}
	x.texts = texts
	return x
}

// of returns the text of a token, which is empty if there is no such token.
func (x *textTable) of(id int32) string {
	if uint32(id) >= uint32(len(x.texts)) {
		return ""
	}
	return x.texts[id]
}

func (x *textTable) isSpecial(id int32) bool {
	return uint32(id) < uint32(len(x.special)) && x.special[id]
}
