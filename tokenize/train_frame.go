package tokenize

import (
	"encoding/json"
	"sync"
	"unsafe"
)

// trainFrame is what a trained tokenizer has around its model, as the file has it.
type trainFrame struct {
	normalizer, preTokenizer, decoder string
}

// split returns how the words of a text are found, which is how the tokenizer will
// find them.
func (f trainFrame) split() (splitter, error) {
	norm, err := parseNormalizer(json.RawMessage(f.normalizer))
	if err != nil {
		return nil, err
	}
	_, steps, err := parsePreTokenizer(json.RawMessage(f.preTokenizer))
	if err != nil {
		return nil, err
	}
	if len(steps) != 1 {
		panic("unreachable: frames have one step")
	}
	step := steps[0]
	var buffers sync.Pool // of *[2][]byte
	return func(text string, word func(string)) {
		buf, ok := buffers.Get().(*[2][]byte)
		if !ok {
			buf = new([2][]byte)
		}
		if norm != nil {
			buf[0] = norm.normalize(buf[0][:0], text, nil)
			text = unsafe.String(unsafe.SliceData(buf[0]), len(buf[0]))
		}
		if r, ok := step.(rewriter); ok {
			buf[1] = r.rewrite(buf[1][:0], text, true, nil)
			text = unsafe.String(unsafe.SliceData(buf[1]), len(buf[1]))
		}
		for start, end := step.next(text, 0); start < len(text); start, end = step.next(text, end) {
			word(text[start:end])
		}
		buffers.Put(buf)
	}, nil
}

// tokenizer makes a tokenizer with a model, whose vocabulary has the special tokens
// first.
func (f trainFrame) tokenizer(special []string, model any) (*Tokenizer, error) {
	return Parse(marshal(struct {
		Version       string          `json:"version"`
		Truncation    *int            `json:"truncation"`
		Padding       *int            `json:"padding"`
		AddedTokens   []addedToken    `json:"added_tokens"`
		Normalizer    json.RawMessage `json:"normalizer"`
		PreTokenizer  json.RawMessage `json:"pre_tokenizer"`
		PostProcessor *int            `json:"post_processor"`
		Decoder       json.RawMessage `json:"decoder"`
		Model         any             `json:"model"`
	}{
		Version: "1.0", AddedTokens: specialTokens(special, 0), Normalizer: json.RawMessage(f.normalizer),
		PreTokenizer: json.RawMessage(f.preTokenizer), Decoder: json.RawMessage(f.decoder), Model: model,
	}))
}
