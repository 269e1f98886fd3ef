package tokenize

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrFormat is wrapped by every error about the content of a tokenizer.json.
var ErrFormat = errors.New("unusable tokenizer file")

// The kinds of tokenizer, as [Tokenizer.Kind] names them.
const (
	KindChar = "char"
	KindByte = "byte"
	KindBPE  = "bpe"
)

// The special tokens that tokenizers made by this package have.
const (
	eosToken = "<eos>"
	unkToken = "<unk>"
)

// maxVocab bounds the vocabulary, trained or loaded: four times the largest in
// wide use (about 2^18), so that a lying file cannot claim all memory.
const maxVocab = 1 << 20

// Tokenizer maps text to token ids and back. Ids are dense: 0 <= id < VocabSize.
// It never changes after construction and is safe for concurrent use.
type Tokenizer struct {
	kind    string
	tokens  []string // what the token decodes to; for a special token, its name
	special []bool   // tokens that are never made from text nor decoded into it
	eos     int32
	pad     int32
	mask    int32
	unk     int32
	bpe     *bpe           // byte and bpe
	chars   map[rune]int32 // char
	classes *classes       // bpe: the classes of characters that separate words
	cache   *cache         // bpe: words already encoded
}

// Kind returns "char", "byte" or "bpe".
func (t *Tokenizer) Kind() string { return t.kind }

// VocabSize returns the number of tokens, special ones included.
func (t *Tokenizer) VocabSize() int { return len(t.tokens) }

// EOS returns the id of the token that ends a document, or -1 if there is none.
func (t *Tokenizer) EOS() int32 { return t.eos }

// PAD returns the id of the padding token, or -1 if there is none.
func (t *Tokenizer) PAD() int32 { return t.pad }

// MASK returns the id of the mask token, or -1 if there is none.
func (t *Tokenizer) MASK() int32 { return t.mask }

// UNK returns the id of the token for unknown characters, or -1 if there is none.
func (t *Tokenizer) UNK() int32 { return t.unk }

// Encode appends the token ids of text to dst and returns the extended slice.
// It never emits a special token, but for UNK in char mode, and adds no EOS.
func (t *Tokenizer) Encode(dst []int32, text string) []int32 {
	switch t.kind {
	case KindChar:
		return t.encodeChars(dst, text)
	case KindByte:
		for i := range len(text) {
			dst = append(dst, t.bpe.bytes[text[i]])
		}
		return dst
	}
	for len(text) > 0 {
		n := t.classes.word(text)
		dst = t.encodeWord(dst, text[:n])
		text = text[n:]
	}
	return dst
}

func (t *Tokenizer) encodeChars(dst []int32, text string) []int32 {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		i += n
		id, ok := t.chars[r]
		if !ok || r == utf8.RuneError && n == 1 {
			id = t.unk
		}
		dst = append(dst, id)
	}
	return dst
}

func (t *Tokenizer) encodeWord(dst []int32, word string) []int32 {
	if len(word) == 1 {
		return append(dst, t.bpe.bytes[word[0]])
	}
	if len(word) > maxCachedWord {
		return t.bpe.merge(dst, word)
	}
	slot, ids := t.cache.find(word)
	if ids != nil {
		return append(dst, ids...)
	}
	start := len(dst)
	dst = t.bpe.merge(dst, word)
	slot.put(word, dst[start:])
	return dst
}

// Decode appends the bytes that the ids stand for to dst and returns the extended
// slice. Special tokens and ids outside the vocabulary stand for nothing.
func (t *Tokenizer) Decode(dst []byte, ids []int32) []byte {
	for _, id := range ids {
		if t.isText(id) {
			dst = append(dst, t.tokens[id]...)
		}
	}
	return dst
}

func (t *Tokenizer) isText(id int32) bool {
	return uint32(id) < uint32(len(t.tokens)) && !t.special[id]
}

// Token returns a readable form of one token: its text (" the"), the name of a
// special token ("<eos>"), and bytes that are not UTF-8 by themselves as \xNN.
// The text is as the corpus had it: control characters are not escaped.
func (t *Tokenizer) Token(id int32) string {
	if uint32(id) >= uint32(len(t.tokens)) {
		return ""
	}
	s := t.tokens[id]
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

// newTokenizer returns a tokenizer with its vocabulary but without a model.
func newTokenizer(kind string, tokens []string, special []bool) *Tokenizer {
	t := &Tokenizer{kind: kind, tokens: tokens, special: special}
	t.eos = t.findSpecial(eosToken, "<|endoftext|>", "<|end_of_text|>", "</s>", "[EOS]")
	t.pad = t.findSpecial("<pad>", "[PAD]", "<|pad|>", "<|padding|>")
	t.mask = t.findSpecial("<mask>", "[MASK]", "<|mask|>")
	t.unk = t.findSpecial(unkToken, "[UNK]", "<|unk|>")
	return t
}

// findSpecial returns the id of the first of names that is a special token, or -1.
func (t *Tokenizer) findSpecial(names ...string) int32 {
	for _, name := range names {
		for id, s := range t.special {
			if s && t.tokens[id] == name {
				return int32(id)
			}
		}
	}
	return -1
}

// NewByte returns the byte tokenizer: id b is the byte b, and <eos> is 256.
func NewByte() *Tokenizer {
	tokens := make([]string, 257)
	for b := range 256 {
		tokens[b] = string([]byte{byte(b)})
	}
	tokens[256] = eosToken
	special := make([]bool, 257)
	special[256] = true
	t, err := newByteLevel(tokens, special, nil)
	if err != nil {
		panic(err) // unreachable: the vocabulary above is complete
	}
	return t
}

// newByteLevel returns a byte or BPE tokenizer. merges are pairs of ids in order
// of rank; each result must be the token that the two spell together.
func newByteLevel(tokens []string, special []bool, merges [][2]int32) (*Tokenizer, error) {
	model, err := newBPE(tokens, special, merges)
	if err != nil {
		return nil, err
	}
	if len(merges) == 0 {
		t := newTokenizer(KindByte, tokens, special)
		t.bpe = model
		return t, nil
	}
	t := newTokenizer(KindBPE, tokens, special)
	t.bpe, t.classes, t.cache = model, unicodeClasses(), newCache()
	return t, nil
}
