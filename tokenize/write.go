package tokenize

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// JSON returns the tokenizer as a tokenizer.json that Hugging Face tokenizers loads.
// It is canonical: however a file was laid out, it has the same bytes.
func (t *Tokenizer) JSON() []byte {
	f := struct {
		Version       string          `json:"version"`
		Truncation    json.RawMessage `json:"truncation"`
		Padding       json.RawMessage `json:"padding"`
		AddedTokens   []addedToken    `json:"added_tokens"`
		Normalizer    normalizer      `json:"normalizer"`
		PreTokenizer  any             `json:"pre_tokenizer"`
		PostProcessor postProcessor   `json:"post_processor"`
		Decoder       decoder         `json:"decoder"`
		Model         model           `json:"model"`
	}{"1.0", t.truncation, t.padding, t.added.list, t.norm, t.pre, t.post, t.dec, t.model}
	if f.AddedTokens == nil {
		f.AddedTokens = []addedToken{}
	}
	var out bytes.Buffer
	if err := json.Indent(&out, marshal(f), "", "  "); err != nil {
		panic(err) // unreachable: marshal wrote it
	}
	out.WriteByte('\n')
	return out.Bytes()
}

// Hash returns the SHA-256 of JSON in hexadecimal.
func (t *Tokenizer) Hash() string {
	sum := sha256.Sum256(t.JSON())
	return hex.EncodeToString(sum[:])
}

// marshal writes v without the escapes that only HTML needs.
func marshal(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // unreachable: strings, numbers and structs of them
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'})
}
