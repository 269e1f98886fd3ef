package tokenize

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A postProcessor puts special tokens around the tokens of a document, and makes white
// space no part of what tokens stand for.
type postProcessor interface {
	// wrap appends ids, and what belongs around them, to dst.
	wrap(dst, ids []int32) []int32
	// trim changes offsets.
	trim(text string, ids []int32, offsets []Offset, t *Tokenizer)
}

// PostProcess appends ids to dst, with the special tokens around them that the file's
// post_processor has for a single text.
func (t *Tokenizer) PostProcess(dst, ids []int32) []int32 {
	if t.post == nil {
		return append(dst, ids...)
	}
	return t.post.wrap(dst, ids)
}

// parsePostProcessor returns the part that a file's post_processor describes, nil for
// null.
func parsePostProcessor(value json.RawMessage) (postProcessor, error) {
	if isNull(value) {
		return nil, nil
	}
	switch typeOf(value) {
	case "Sequence":
		return parsePostSequence(value)
	case "ByteLevel":
		return parsePart(value, new(byteLevel))
	case "TemplateProcessing":
		return parsePart(value, new(template))
	case "BertProcessing":
		return parsePart(value, new(bertProcessing))
	case "RobertaProcessing":
		return parsePart(value, new(robertaProcessing))
	default:
		return nil, refuse("post_processor", value)
	}
}

// postSequence is several post-processors, one after the other.
type postSequence struct {
	Type       string            `json:"type"`
	Processors []json.RawMessage `json:"processors"`
	parts      []postProcessor
}

func (p *postSequence) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Type       string          `json:"type"`
		Processors []postProcessor `json:"processors"`
	}{p.Type, p.parts}), nil
}

func parsePostSequence(value json.RawMessage) (postProcessor, error) {
	seq, err := parsePart(value, &postSequence{parts: []postProcessor{}})
	if err != nil {
		return nil, err
	}
	for _, v := range seq.Processors {
		part, err := parsePostProcessor(v)
		if err != nil {
			return nil, err
		}
		if part == nil {
			return nil, refuse("post_processor", value)
		}
		seq.parts = append(seq.parts, part)
	}
	return seq, nil
}

func (p *postSequence) wrap(dst, ids []int32) []int32 {
	for _, part := range p.parts {
		ids = part.wrap(nil, ids)
	}
	return append(dst, ids...)
}

func (p *postSequence) trim(text string, ids []int32, offsets []Offset, t *Tokenizer) {
	for _, part := range p.parts {
		part.trim(text, ids, offsets, t)
	}
}

func (b *byteLevel) wrap(dst, ids []int32) []int32 { return append(dst, ids...) }

func (b *byteLevel) trim(text string, ids []int32, offsets []Offset, t *Tokenizer) {
	if b.TrimOffsets {
		trimOffsets(text, ids, offsets, t, b.AddPrefixSpace)
	}
}

// trimOffsets takes white space at the ends of tokens out of their offsets. Prefixed says
// that a single space before the first may have been put there.
func trimOffsets(text string, ids []int32, offsets []Offset, t *Tokenizer, prefixed bool) {
	for i, id := range ids {
		form, _ := t.form(id)
		o := &offsets[i]
		if _, added := t.added.byID[id]; added {
			form = text[o.Start:o.End] // with the white space that it takes
		}
		isSpace := func(r rune) bool { return r == 'Ġ' || unicode.IsSpace(r) }
		leading := utf8.RuneCountInString(form) - utf8.RuneCountInString(strings.TrimLeftFunc(form, isSpace))
		trailing := utf8.RuneCountInString(form) - utf8.RuneCountInString(strings.TrimRightFunc(form, isSpace))
		if (i == 0 || o.Start == 0) && prefixed && leading == 1 {
			leading = 0
		}
		for ; leading > 0 && o.Start < o.End; leading-- {
			_, n := utf8.DecodeRuneInString(text[o.Start:o.End])
			o.Start += n
		}
		for ; trailing > 0 && o.Start < o.End; trailing-- {
			_, n := utf8.DecodeLastRuneInString(text[o.Start:o.End])
			o.End -= n
		}
	}
}

// template is a list of special tokens and the place of the text among them.
type template struct {
	Type          string                     `json:"type"`
	Single        []templatePiece            `json:"single"`
	Pair          []templatePiece            `json:"pair"`
	SpecialTokens map[string]templateSpecial `json:"special_tokens"`
	noTrim

	// Some files have these by mistake; they mean nothing.
	AddPrefixSpace *bool `json:"add_prefix_space,omitempty"`
	TrimOffsets    *bool `json:"trim_offsets,omitempty"`
	UseRegex       *bool `json:"use_regex,omitempty"`
}

type templatePiece struct {
	SpecialToken *templateID `json:"SpecialToken,omitempty"`
	Sequence     *templateID `json:"Sequence,omitempty"`
}

type templateID struct {
	ID     string `json:"id"`
	TypeID int    `json:"type_id"`
}

type templateSpecial struct {
	ID     string   `json:"id"`
	IDs    []int32  `json:"ids"`
	Tokens []string `json:"tokens"`
}

func (p *template) compile() error {
	for _, piece := range p.Single {
		switch {
		case piece.SpecialToken != nil:
			if _, ok := p.SpecialTokens[piece.SpecialToken.ID]; !ok {
				return fmt.Errorf("%w: post_processor: the template names %q, which is not in special_tokens", ErrFormat, piece.SpecialToken.ID)
			}
		case piece.Sequence == nil || piece.Sequence.ID != "A":
			return fmt.Errorf("%w: post_processor: the template for a single text has a part that is neither a special token nor the text", ErrFormat)
		}
	}
	return nil
}

func (p *template) wrap(dst, ids []int32) []int32 {
	for _, piece := range p.Single {
		if piece.SpecialToken != nil {
			dst = append(dst, p.SpecialTokens[piece.SpecialToken.ID].IDs...)
		} else {
			dst = append(dst, ids...)
		}
	}
	return dst
}

// noTrim is embedded by post-processors that leave offsets alone.
type noTrim struct{}

func (noTrim) trim(string, []int32, []Offset, *Tokenizer) {}

// namedID is a token and its id, ["[SEP]", 102] in the file.
type namedID struct {
	name string
	id   int32
}

func (n namedID) MarshalJSON() ([]byte, error) { return marshal([]any{n.name, n.id}), nil }

func (n *namedID) UnmarshalJSON(data []byte) error {
	pair := []any{&n.name, &n.id}
	if err := json.Unmarshal(data, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return fmt.Errorf("%s is not a token and its id", data)
	}
	return nil
}

// bertProcessing puts a token before and one after.
type bertProcessing struct {
	Type string  `json:"type"`
	Sep  namedID `json:"sep"`
	Cls  namedID `json:"cls"`
	noTrim
}

func (p *bertProcessing) wrap(dst, ids []int32) []int32 {
	return append(append(append(dst, p.Cls.id), ids...), p.Sep.id)
}

// robertaProcessing is bertProcessing with the offsets of byteLevel.
type robertaProcessing struct {
	Type           string  `json:"type"`
	Sep            namedID `json:"sep"`
	Cls            namedID `json:"cls"`
	TrimOffsets    bool    `json:"trim_offsets"`
	AddPrefixSpace bool    `json:"add_prefix_space"`
}

func (p *robertaProcessing) wrap(dst, ids []int32) []int32 {
	return append(append(append(dst, p.Cls.id), ids...), p.Sep.id)
}

func (p *robertaProcessing) trim(text string, ids []int32, offsets []Offset, t *Tokenizer) {
	if p.TrimOffsets {
		trimOffsets(text, ids, offsets, t, p.AddPrefixSpace)
	}
}
