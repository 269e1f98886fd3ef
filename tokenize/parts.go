package tokenize

import (
	"encoding/json"
	"fmt"
)

// The parts of a tokenizer, in the order in which text passes through them. Each
// is parsed from the member of the file that has its name, and marshals to it
// again: a part is a struct with the file's fields under the file's names, and
// what it computes at load time is in fields that encoding/json does not see.

// span is the range of bytes of an original text that a byte stems from. A byte
// that was inserted has the span of a neighbour, as Hugging Face gives it.
type span struct{ start, end int32 }

// A normalizer rewrites a text. It must be safe for concurrent use, and give valid
// UTF-8 for valid UTF-8.
type normalizer interface {
	// normalize appends the normalized text to dst. If from is not nil, it also
	// appends to it, for each byte, the bytes of text that it stems from.
	normalize(dst []byte, text string, from *[]span) []byte
}

// A preTokenizer cuts a text into words. Words do not overlap and come in order.
// It must be safe for concurrent use.
type preTokenizer interface {
	// next returns the bounds of the first word of s at i or after it, where i is 0
	// or the end of the word before. What lies between two words is dropped. Where
	// there is no word left, start is len(s); else start < end.
	next(s string, i int) (start, end int)
}

// A rewriter is a preTokenizer that changes the text before it cuts it.
type rewriter interface {
	preTokenizer
	// rewrite is normalize for the text that next cuts; first says whether it is the
	// beginning of the document.
	rewrite(dst []byte, text string, first bool, from *[]span) []byte
}

// A model maps words to tokens. It must be safe for concurrent use.
type model interface {
	// encodeWord appends the tokens of word, which is not empty, to dst. If ends is not
	// nil, it also appends to it where in word each token ends. A token begins where the
	// one before it ends; of tokens that end at one place, where the first of them begins.
	encodeWord(dst []int32, ends *[]int32, word string) []int32
	// vocab returns the tokens and their ids.
	vocab() *vocabulary
	// cached says whether words cost enough to be remembered.
	cached() bool
}

// A decoder makes text of tokens: it maps the tokens of a document to the strings
// that make up the text when joined. It may change the slice in place.
type decoder interface {
	decode(tokens []string) []string
}

// parseNormalizer returns the part that a file's normalizer describes, nil for null.
func parseNormalizer(value json.RawMessage) (normalizer, error) {
	if isNull(value) {
		return nil, nil
	}
	switch typeOf(value) {
	case "Sequence":
		return parsePart(value, new(normalizerSequence))
	case "BertNormalizer":
		return parsePart(value, new(bertNormalizer))
	case "Lowercase":
		return parsePart(value, new(lowercase))
	case "StripAccents":
		return parsePart(value, new(stripAccents))
	case "Nmt":
		return parsePart(value, new(nmt))
	case "NFC", "NFD", "NFKC", "NFKD":
		return parsePart(value, new(unicodeForm))
	case "Precompiled":
		return parsePart(value, new(precompiled))
	case "Replace":
		return parsePart(value, new(replaceNormalizer))
	case "Prepend":
		return parsePart(value, new(prependNormalizer))
	case "Strip":
		return parsePart(value, new(stripNormalizer))
	case "ByteLevel":
		return parsePart(value, new(byteLevelNormalizer))
	default:
		return nil, refuse("normalizer", value)
	}
}

// parsePreTokenizer returns what a file's pre_tokenizer describes: the part, which
// marshals to it, and the steps that it consists of, one cutting the words of the one
// before. Both are empty for null.
func parsePreTokenizer(value json.RawMessage) (part any, steps []preTokenizer, err error) {
	if isNull(value) {
		return nil, nil, nil
	}
	switch typeOf(value) {
	case "Sequence":
		return parsePreSequence(value)
	case "ByteLevel":
		p, err := parsePart(value, new(byteLevel))
		return p, p.steps(), err
	case "Split":
		p, err := parsePart(value, new(split))
		if err != nil {
			return nil, nil, err
		}
		return p, p.steps(), nil
	case "Digits":
		return parseStep(value, new(digits))
	case "Punctuation":
		return parseStep(value, new(punctuation))
	case "Whitespace":
		return parseStep(value, new(whitespace))
	case "WhitespaceSplit":
		return parseStep(value, new(whitespaceSplit))
	case "BertPreTokenizer":
		return parseStep(value, new(bertPreTokenizer))
	case "Metaspace":
		return parseStep(value, new(metaspace))
	case "CharDelimiterSplit":
		return parseStep(value, new(charDelimiterSplit))
	default:
		return nil, nil, refuse("pre_tokenizer", value)
	}
}

// parseStep is for a pre_tokenizer that is a step itself.
func parseStep(value json.RawMessage, step preTokenizer) (any, []preTokenizer, error) {
	_, err := parsePart(value, step)
	return step, []preTokenizer{step}, err
}

// parseModel returns the part that a file's model describes.
func parseModel(value json.RawMessage) (model, error) {
	switch typeOf(value) {
	case "BPE":
		return parseBPE(value)
	case "WordLevel":
		return parseWordLevel(value)
	case "WordPiece":
		return parseWordPiece(value)
	case "Unigram":
		return parseUnigram(value)
	default:
		return nil, refuse("model", value)
	}
}

// parseDecoder returns the part that a file's decoder describes, nil for null.
func parseDecoder(value json.RawMessage) (decoder, error) {
	if isNull(value) {
		return nil, nil
	}
	switch typeOf(value) {
	case "Sequence":
		return parseDecoderSequence(value)
	case "ByteLevel":
		return parsePart(value, new(byteLevel))
	case "Replace":
		return parsePart(value, new(replaceDecoder))
	case "ByteFallback":
		return parsePart(value, new(byteFallback))
	case "Fuse":
		return parsePart(value, new(fuse))
	case "Strip":
		return parsePart(value, new(stripDecoder))
	case "BPEDecoder":
		return parsePart(value, new(bpeDecoder))
	case "CTC":
		return parsePart(value, new(ctc))
	case "WordPiece":
		return parsePart(value, new(wordPieceDecoder))
	case "Metaspace":
		return parsePart(value, new(metaspace))
	default:
		return nil, refuse("decoder", value)
	}
}

// parsePart reads value into part, a pointer to a struct that must have all its
// members, and has the part prepare itself if it has a method compile.
func parsePart[P any](value json.RawMessage, part P) (P, error) {
	if err := strict(value, part); err != nil {
		return part, fmt.Errorf("%w: %s: %v", ErrFormat, typeOf(value), err)
	}
	if c, ok := any(part).(interface{ compile() error }); ok {
		return part, c.compile()
	}
	return part, nil
}

// pattern is what a part looks for: a string, or a regular expression.
type pattern struct {
	String *string `json:"String,omitempty"`
	Regex  *string `json:"Regex,omitempty"`
}
