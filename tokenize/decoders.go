package tokenize

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// decoderSequence is several decoders, one after the other.
type decoderSequence struct {
	Type     string            `json:"type"`
	Decoders []json.RawMessage `json:"decoders"`
	parts    []decoder
}

func (d *decoderSequence) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Type     string    `json:"type"`
		Decoders []decoder `json:"decoders"`
	}{d.Type, d.parts}), nil
}

func parseDecoderSequence(value json.RawMessage) (decoder, error) {
	seq, err := parsePart(value, &decoderSequence{parts: []decoder{}})
	if err != nil {
		return nil, err
	}
	for _, v := range seq.Decoders {
		part, err := parseDecoder(v)
		if err != nil {
			return nil, err
		}
		if part == nil {
			return nil, refuse("decoder", value)
		}
		seq.parts = append(seq.parts, part)
	}
	return seq, nil
}

func (d *decoderSequence) decode(tokens []string) []string {
	for _, part := range d.parts {
		tokens = part.decode(tokens)
	}
	return tokens
}

func (b *byteLevel) decode(tokens []string) []string {
	var text []byte
	for _, token := range tokens {
		text, _ = appendRaw(text, token)
	}
	return []string{string(text)}
}

// fuse makes one token of all.
type fuse struct {
	Type string `json:"type"`
}

func (fuse) decode(tokens []string) []string { return []string{strings.Join(tokens, "")} }

// replaceDecoder replaces a string in each token.
type replaceDecoder struct {
	Type    string  `json:"type"`
	Pattern pattern `json:"pattern"`
	Content string  `json:"content"`
}

func (d *replaceDecoder) compile() error {
	if d.Pattern.String == nil || *d.Pattern.String == "" {
		return fmt.Errorf("%w: decoder: Replace of anything but a string is not implemented", ErrFormat)
	}
	return nil
}

func (d *replaceDecoder) decode(tokens []string) []string {
	for i, token := range tokens {
		tokens[i] = strings.ReplaceAll(token, *d.Pattern.String, d.Content)
	}
	return tokens
}

// byteFallback makes bytes of tokens like <0xE2>. A run of them that is not UTF-8
// becomes a U+FFFD for each byte.
type byteFallback struct {
	Type string `json:"type"`
}

func (byteFallback) decode(tokens []string) []string {
	out := tokens[:0]
	var run []byte
	flush := func() {
		if utf8.Valid(run) {
			out = append(out, string(run))
		} else {
			for range run {
				out = append(out, "\ufffd")
			}
		}
		run = run[:0]
	}
	for _, token := range tokens {
		if b, ok := fallbackByte(token); ok {
			run = append(run, b)
			continue
		}
		if len(run) > 0 {
			flush()
		}
		out = append(out, token)
	}
	if len(run) > 0 {
		flush()
	}
	return out
}

// fallbackByte returns the byte that a token like <0xE2> stands for.
func fallbackByte(token string) (byte, bool) {
	if len(token) != 6 || token[:3] != "<0x" || token[5] != '>' {
		return 0, false
	}
	digits := token[3:5]
	if digits[0] == '+' { // Rust takes a sign for part of a number
		digits = digits[1:]
	}
	b, err := strconv.ParseUint(digits, 16, 8)
	return byte(b), err == nil
}

// stripDecoder takes a character off the ends of each token, so many times at most.
type stripDecoder struct {
	Type    string `json:"type"`
	Content string `json:"content"`
	Start   int    `json:"start"`
	Stop    int    `json:"stop"`
}

func (d *stripDecoder) compile() error {
	if utf8.RuneCountInString(d.Content) != 1 {
		return fmt.Errorf("%w: decoder: Strip of %q, which is not one character", ErrFormat, d.Content)
	}
	return nil
}

func (d *stripDecoder) decode(tokens []string) []string {
	for i, token := range tokens {
		for n := 0; n < d.Start && strings.HasPrefix(token, d.Content); n++ {
			token = token[len(d.Content):]
		}
		for n := 0; n < d.Stop && strings.HasSuffix(token, d.Content); n++ {
			token = token[:len(token)-len(d.Content)]
		}
		tokens[i] = token
	}
	return tokens
}

// bpeDecoder turns the suffix that marks the end of a word into a space, but for the last.
type bpeDecoder struct {
	Type   string `json:"type"`
	Suffix string `json:"suffix"`
}

func (d *bpeDecoder) compile() error {
	if d.Suffix == "" {
		return fmt.Errorf("%w: decoder: BPEDecoder with an empty suffix is not implemented", ErrFormat)
	}
	return nil
}

func (d *bpeDecoder) decode(tokens []string) []string {
	for i, token := range tokens {
		space := " "
		if i == len(tokens)-1 {
			space = ""
		}
		tokens[i] = strings.ReplaceAll(token, d.Suffix, space)
	}
	return tokens
}

// ctc makes one of equal tokens that follow one another, and takes the padding away
// (connectionist temporal classification).
type ctc struct {
	Type               string `json:"type"`
	PadToken           string `json:"pad_token"`
	WordDelimiterToken string `json:"word_delimiter_token"`
	Cleanup            bool   `json:"cleanup"`
}

func (d *ctc) compile() error {
	if d.PadToken == "" || d.WordDelimiterToken == "" {
		return fmt.Errorf("%w: decoder: CTC without pad_token or word_delimiter_token is not implemented", ErrFormat)
	}
	return nil
}

func (d *ctc) decode(tokens []string) []string {
	out := tokens[:0]
	for _, token := range slices.Compact(tokens) {
		token = strings.ReplaceAll(token, d.PadToken, "")
		if d.Cleanup {
			token = strings.ReplaceAll(cleanUp(token), d.WordDelimiterToken, " ")
		}
		if token != "" {
			out = append(out, token)
		}
	}
	return out
}

// cleanUp takes out the spaces that joining English tokens left before punctuation. The
// replacements are made one after the other.
func cleanUp(s string) string {
	for _, r := range cleanUps {
		s = strings.ReplaceAll(s, r[0], r[1])
	}
	return s
}

var cleanUps = [...][2]string{
	{" .", "."},
	{" ?", "?"},
	{" !", "!"},
	{" ,", ","},
	{" ' ", "'"},
	{" n't", "n't"},
	{" 'm", "'m"},
	{" do not", " don't"},
	{" 's", "'s"},
	{" 've", "'ve"},
	{" 're", "'re"},
}
