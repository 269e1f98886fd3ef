package tokenize

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// ErrFormat is wrapped by every error about the content of a tokenizer.json.
var ErrFormat = errors.New("unusable tokenizer file")

// The kinds of tokenizer, as [Tokenizer.Kind] names them.
const (
	KindChar      = "char"
	KindByte      = "byte"
	KindBPE       = "bpe"
	KindWordPiece = "wordpiece"
	KindUnigram   = "unigram"
	KindWordLevel = "wordlevel"
)

// The special tokens that tokenizers made by this package have.
const (
	eosToken = "<eos>"
	unkToken = "<unk>"
)

// maxVocab bounds the vocabulary, trained or loaded: four times the largest in
// wide use (about 2^18), so that a lying file cannot claim all memory.
const maxVocab = 1 << 20

// Tokenizer maps text to token ids and back: 0 <= id < VocabSize, where some files
// leave ids out. It never changes after construction and is safe for concurrent use.
type Tokenizer struct {
	parts // as they were in the file

	steps      []preTokenizer // of the pre-tokenizer, and more that change nothing
	needsFirst bool           // whether a step treats the beginning of the document apart
	cache      *cache         // words already encoded; nil if the model is quick
	single     [256]int32     // the token of a word of one byte; -1 if it is not just one
	added      *added
	text       *textTable
	special    bool // special tokens are found in text, and are text when decoded

	kind string
	size int
	eos  int32
	pad  int32
	mask int32
	unk  int32
}

// Kind returns what kind of model it is: "char", "byte", "bpe", "wordpiece",
// "unigram" or "wordlevel".
func (t *Tokenizer) Kind() string { return t.kind }

// VocabSize returns one more than the highest id, special tokens included.
func (t *Tokenizer) VocabSize() int { return t.size }

// EOS returns the id of the token that ends a document, or -1 if there is none.
func (t *Tokenizer) EOS() int32 { return t.eos }

// PAD returns the id of the padding token, or -1 if there is none.
func (t *Tokenizer) PAD() int32 { return t.pad }

// MASK returns the id of the mask token, or -1 if there is none.
func (t *Tokenizer) MASK() int32 { return t.mask }

// UNK returns the id of the token for unknown text, or -1 if there is none.
func (t *Tokenizer) UNK() int32 { return t.unk }

// WithSpecial returns a tokenizer that takes the text of a special token for the token,
// and decodes the token to its text. The two share all their memory.
func (t *Tokenizer) WithSpecial() *Tokenizer {
	with := *t
	with.special = true
	return &with
}

// assemble makes a tokenizer of its parts.
func assemble(p parts, list []addedToken) (*Tokenizer, error) {
	t := &Tokenizer{parts: p, steps: slices.Clone(p.steps)}
	v := p.model.vocab()
	var err error
	if t.added, err = newAdded(list, v, p.norm); err != nil {
		return nil, err
	}
	for _, s := range t.steps {
		if f, ok := s.(interface{ needsFirst() bool }); ok && f.needsFirst() {
			t.needsFirst = true
		}
	}
	if m, ok := p.model.(*bpe); ok {
		if k := len(t.steps) - 1; k >= 0 && t.steps[k] == preTokenizer(printableBytes{}) {
			if t.steps = t.steps[:k]; len(m.merges) == 0 {
				t.steps = nil // words do not matter
			}
			if err := m.useBytes(); err != nil {
				return nil, err
			}
		} else if m.useChars(); !m.joints.none && !m.config.IgnoreMerges {
			t.steps = append(t.steps, &m.joints)
		}
	}
	if p.model.cached() {
		t.cache = newCache()
		for b := range t.single {
			t.single[b] = -1
			if ids := p.model.encodeWord(nil, nil, string([]byte{byte(b)})); len(ids) == 1 {
				t.single[b] = ids[0]
			}
		}
	}
	t.size = v.size()
	if n := len(t.added.list); n > 0 {
		t.size = max(t.size, int(t.added.list[n-1].ID)+1)
	}
	t.text = newTextTable(t)
	t.kind = t.findKind()
	t.eos = t.findSpecial(eosToken, "<|endoftext|>", "<|end_of_text|>", "</s>", "[EOS]", "<｜end▁of▁sentence｜>", "[SEP]")
	t.pad = t.findSpecial("<pad>", "[PAD]", "<|pad|>", "<|padding|>", "<｜▁pad▁｜>")
	t.mask = t.findSpecial("<mask>", "[MASK]", "<|mask|>")
	t.unk = t.findSpecial(unkToken, "[UNK]", "<|unk|>")
	return t, nil
}

// findSpecial returns the id of the first of names that is a special token, or -1.
func (t *Tokenizer) findSpecial(names ...string) int32 {
	for _, name := range names {
		if id, ok := t.added.byName[name]; ok && t.added.special(name) {
			return id
		}
	}
	return -1
}

// form returns the token as the file has it, and whether there is one.
func (t *Tokenizer) form(id int32) (string, bool) {
	if text, ok := t.added.byID[id]; ok {
		return text, true
	}
	if v := t.model.vocab(); v.has(id) {
		return v.tokens[id], true
	}
	return "", false
}

// Token returns a readable form of one token: its text (" the") where tokens have text of
// their own, else the form that the file has ("▁the", "##ing"), the name of a special
// token ("<eos>"), and bytes that are not UTF-8 by themselves as \xNN. The text is as
// the corpus had it: control characters are not escaped.
func (t *Tokenizer) Token(id int32) string {
	s, ok := t.form(id)
	if !ok {
		return ""
	}
	if t.text.alone {
		s = t.text.of(id)
	}
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, s[0])
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

// findKind names the model.
func (t *Tokenizer) findKind() string {
	switch m := t.model.(type) {
	case *bpe:
		if m.byteLevel && len(m.merges) == 0 {
			return KindByte
		}
		return KindBPE
	case *wordLevel:
		if cut, ok := t.pre.(*split); ok && cut.Pattern.Regex != nil && *cut.Pattern.Regex == anyCharacter {
			return KindChar
		}
		return KindWordLevel
	}
	if k, ok := t.model.(interface{ kind() string }); ok {
		return k.kind()
	}
	return ""
}
