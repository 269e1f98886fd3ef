package tokenize

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// The parts of a tokenizer.json that this package reads and writes. A key that is
// not here is refused on reading, by its name. See docs/formats/tokenizer.md.

type file struct {
	Version       string          `json:"version"`
	Truncation    json.RawMessage `json:"truncation"`
	Padding       json.RawMessage `json:"padding"`
	AddedTokens   []addedToken    `json:"added_tokens"`
	Normalizer    json.RawMessage `json:"normalizer"`
	PreTokenizer  json.RawMessage `json:"pre_tokenizer"`
	PostProcessor json.RawMessage `json:"post_processor"`
	Decoder       json.RawMessage `json:"decoder"`
	Model         json.RawMessage `json:"model"`
}

type addedToken struct {
	ID         int64  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
}

// byteLevel is a pre-tokenizer, a post-processor or a decoder. trim_offsets concerns
// offsets into the text, which this package does not give.
type byteLevel struct {
	Type           string `json:"type"`
	AddPrefixSpace *bool  `json:"add_prefix_space"`
	TrimOffsets    *bool  `json:"trim_offsets"`
	UseRegex       *bool  `json:"use_regex"`
}

type split struct {
	Type     string  `json:"type"`
	Pattern  pattern `json:"pattern"`
	Behavior string  `json:"behavior"`
	Invert   bool    `json:"invert"`
}

type pattern struct {
	Regex string `json:"Regex"`
}

// anyCharacter is the pattern that puts each character by itself.
const anyCharacter = `[\s\S]`

type fuse struct {
	Type string `json:"type"`
}

type bpeModel struct {
	Type                    string   `json:"type"`
	Dropout                 *float64 `json:"dropout"`
	UnkToken                *string  `json:"unk_token"`
	ContinuingSubwordPrefix *string  `json:"continuing_subword_prefix"`
	EndOfWordSuffix         *string  `json:"end_of_word_suffix"`
	FuseUnk                 bool     `json:"fuse_unk"`
	ByteFallback            bool     `json:"byte_fallback"`
	IgnoreMerges            bool     `json:"ignore_merges"`
	Vocab                   vocab    `json:"vocab"`
	Merges                  []merge  `json:"merges"`
}

type wordLevelModel struct {
	Type     string `json:"type"`
	Vocab    vocab  `json:"vocab"`
	UnkToken string `json:"unk_token"`
}

// vocab lists tokens by id; in the file it is an object from token to id.
type vocab []string

func (v vocab) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for id, token := range v {
		if id > 0 {
			out = append(out, ',')
		}
		out = append(out, marshal(token)...)
		out = append(out, ':')
		out = strconv.AppendInt(out, int64(id), 10)
	}
	return append(out, '}'), nil
}

// merge is a pair of tokens in their printable form. It is written as "left right",
// which all versions of Hugging Face tokenizers read, and read as that or as
// ["left", "right"], which newer ones write.
type merge [2]string

func (m merge) MarshalJSON() ([]byte, error) {
	return marshal(m[0] + " " + m[1]), nil
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
