package tokenize

import (
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"
)

// byteLevel is a pre-tokenizer, a decoder or a post-processor: bytes in the form of
// printable characters (Radford et al. 2019).
type byteLevel struct {
	Type           string `json:"type"`
	AddPrefixSpace bool   `json:"add_prefix_space"`
	TrimOffsets    bool   `json:"trim_offsets"`
	UseRegex       bool   `json:"use_regex"`
}

// UnmarshalJSON fills in what older files do not have.
func (b *byteLevel) UnmarshalJSON(data []byte) error {
	type plain byteLevel // without this method
	p := plain{UseRegex: true}
	if err := strict(data, &p); err != nil {
		return err
	}
	*b = byteLevel(p)
	return nil
}

func (b *byteLevel) steps() (steps []preTokenizer) {
	if b.AddPrefixSpace {
		steps = append(steps, prefixSpace{})
	}
	if b.UseRegex {
		steps = append(steps, &matched{unicodeClasses(), matchGPT2})
	}
	return append(steps, printableBytes{})
}

// preSequence is several pre-tokenizers, one after the other.
type preSequence struct {
	Type          string            `json:"type"`
	PreTokenizers []json.RawMessage `json:"pretokenizers"`
	parts         []any
}

func (p *preSequence) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Type          string `json:"type"`
		PreTokenizers []any  `json:"pretokenizers"`
	}{p.Type, p.parts}), nil
}

func parsePreSequence(value json.RawMessage) (any, []preTokenizer, error) {
	seq, err := parsePart(value, &preSequence{parts: []any{}})
	if err != nil {
		return nil, nil, err
	}
	var steps []preTokenizer
	for _, v := range seq.PreTokenizers {
		part, more, err := parsePreTokenizer(v)
		if err != nil {
			return nil, nil, err
		}
		seq.parts = append(seq.parts, part)
		steps = append(steps, more...)
	}
	if len(steps) > maxSteps {
		return nil, nil, fmt.Errorf("%w: pre_tokenizer: %d steps, more than %d", ErrFormat, len(steps), maxSteps)
	}
	return seq, steps, nil
}

// whole is embedded by steps that change words but do not cut them.
type whole struct{}

func (whole) next(s string, i int) (int, int) { return i, len(s) }

// prefixSpace puts a space before a text that has none.
type prefixSpace struct{ whole }

func (prefixSpace) rewrite(dst []byte, text string, _ bool, from *[]span) []byte {
	if text != "" && text[0] != ' ' {
		dst = append(dst, ' ')
		if from != nil {
			_, n := utf8.DecodeRuneInString(text)
			*from = append(*from, span{0, int32(n)})
		}
	}
	if from != nil {
		*from = appendSpans(*from, text)
	}
	return append(dst, text...)
}

// appendSpans appends the spans of a text that stays as it is: each byte stems from
// its character.
func appendSpans(from []span, text string) []span {
	for i := 0; i < len(text); {
		_, n := utf8.DecodeRuneInString(text[i:])
		for range n {
			from = append(from, span{int32(i), int32(i + n)})
		}
		i += n
	}
	return from
}

// printableBytes puts each byte in its printable form. Where it is the last step before
// a BPE model, the model is put into bytes instead.
type printableBytes struct{ whole }

func (printableBytes) rewrite(dst []byte, text string, _ bool, from *[]span) []byte {
	alphabet := byteAlphabet()
	for i := 0; i < len(text); {
		_, n := utf8.DecodeRuneInString(text[i:])
		for _, b := range []byte(text[i : i+n]) {
			dst = utf8.AppendRune(dst, alphabet[b])
			if from != nil {
				for range utf8.RuneLen(alphabet[b]) {
					*from = append(*from, span{int32(i), int32(i + n)})
				}
			}
		}
		i += n
	}
	return dst
}

// matched are the words that a pattern matches that leaves nothing between them.
type matched struct {
	classes *classes
	match   matcher
}

func (m *matched) next(s string, i int) (int, int) { return i, m.match(m.classes, s, i) }

// split cuts at the matches of a pattern.
type split struct {
	Type     string  `json:"type"`
	Pattern  pattern `json:"pattern"`
	Behavior string  `json:"behavior"`
	Invert   bool    `json:"invert"`
	pieces
}

func (p *split) compile() error {
	p.classes, p.invert, p.behavior = unicodeClasses(), p.Invert, p.Behavior
	switch {
	case p.Pattern.String != nil && *p.Pattern.String != "":
		p.wordPattern = literal(*p.Pattern.String)
	case p.Pattern.Regex != nil:
		known, ok := wordPatterns[*p.Pattern.Regex]
		if !ok {
			return fmt.Errorf("%w: pre_tokenizer: the pattern %q is not implemented", ErrFormat, *p.Pattern.Regex)
		}
		p.wordPattern = known
	default:
		return fmt.Errorf("%w: pre_tokenizer: Split with an empty pattern is not implemented", ErrFormat)
	}
	if !slices.Contains([]string{"Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"}, p.Behavior) {
		return fmt.Errorf("%w: pre_tokenizer: Split has the unknown behavior %q", ErrFormat, p.Behavior)
	}
	return nil
}

// steps is the split itself, or less where the pattern leaves nothing between matches.
func (p *split) steps() []preTokenizer {
	if p.whole && (p.Behavior == "Isolated" || p.Invert && p.Behavior == "Removed") {
		return []preTokenizer{&matched{p.classes, p.match}}
	}
	return []preTokenizer{p}
}

// pieces cuts a text into matches and what is between them, and puts these together
// as a behaviour of the file format says. With invert, the two change roles.
type pieces struct {
	wordPattern
	classes  *classes
	invert   bool
	behavior string
}

// piece returns the end of the piece that begins at s[i], and whether it is a match.
func (p *pieces) piece(s string, i int) (end int, isMatch bool) {
	if end = p.match(p.classes, s, i); end > i {
		return end, !p.invert
	}
	for end < len(s) {
		end = matchAny(nil, s, end)
		if p.skip != nil {
			end = p.skip(p.classes, s, end)
		}
		if end < len(s) && p.match(p.classes, s, end) > end {
			break
		}
	}
	return end, p.invert
}

func (p *pieces) next(s string, i int) (start, end int) {
	if i == len(s) {
		return i, i
	}
	end, is := p.piece(s, i)
	switch p.behavior {
	case "Removed":
		for is {
			if i = end; i == len(s) {
				return i, i
			}
			end, is = p.piece(s, i)
		}
	case "Contiguous":
		for end < len(s) {
			further, same := p.piece(s, end)
			if same != is {
				break
			}
			end = further
		}
	case "MergedWithPrevious", "MergedWithNext":
		if end < len(s) && is == (p.behavior == "MergedWithNext") {
			if further, other := p.piece(s, end); other != is {
				end = further
			}
		}
	}
	return i, end
}

// digits cuts numbers out, or, if so asked, each digit.
type digits struct {
	Type             string `json:"type"`
	IndividualDigits bool   `json:"individual_digits"`
	pieces
}

func (p *digits) compile() error {
	p.pieces = pieces{wordPattern: wordPatterns[`\p{N}`], classes: unicodeClasses(), behavior: "Contiguous"}
	if p.IndividualDigits {
		p.behavior = "Isolated"
	}
	return nil
}

// punctuation cuts at punctuation.
type punctuation struct {
	Type     string `json:"type"`
	Behavior string `json:"behavior"`
	pieces
}

func (p *punctuation) compile() error {
	if p.Behavior == "" {
		p.Behavior = "Isolated"
	}
	p.pieces = pieces{classes: unicodeClasses(), behavior: p.Behavior}
	p.match = func(c *classes, s string, i int) int {
		if k, n := c.at(s, i); k&punctuative != 0 {
			return i + n
		}
		return i
	}
	p.skip = func(c *classes, s string, i int) int { return c.runNot(s, i, punctuative) }
	return nil
}

// whitespace has the words \w+|[^\w\s]+.
type whitespace struct {
	Type string `json:"type"`
	pieces
}

func (p *whitespace) compile() error {
	p.pieces = pieces{classes: unicodeClasses(), behavior: "Removed", invert: true}
	p.match = func(c *classes, s string, i int) int {
		if k, n := c.at(s, i); k&wordChar != 0 {
			return c.run(s, i+n, wordChar)
		}
		return c.runNot(s, i, wordChar|space)
	}
	return nil
}

// whitespaceSplit has the words between white space.
type whitespaceSplit struct {
	Type string `json:"type"`
	pieces
}

func (p *whitespaceSplit) compile() error {
	p.pieces = pieces{wordPattern: wordPatterns[`\s+`], classes: unicodeClasses(), behavior: "Removed"}
	return nil
}
