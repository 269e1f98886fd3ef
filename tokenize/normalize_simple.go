package tokenize

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// plain is a part of a file that has no fields but its type.
type plain struct {
	Type string `json:"type"`
}

// lowercase maps each character to its lower case, whatever is around it.
type lowercase struct {
	plain
	*charwise
}

func (l *lowercase) compile() error {
	u := unicodeCharacters()
	l.charwise = newCharwise(false, u.appendLower)
	return nil
}

func (u *characters) appendLower(dst []rune, r rune) []rune {
	if u.at(r).has(lowered) {
		return append(dst, u.lower[r]...)
	}
	return append(dst, r)
}

// stripAccents removes combining marks, but does not take them off other characters.
type stripAccents struct {
	plain
	*charwise
}

func (s *stripAccents) compile() error {
	u := unicodeCharacters()
	s.charwise = newCharwise(false, func(dst []rune, r rune) []rune {
		if u.at(r).has(combining) {
			return dst
		}
		return append(dst, r)
	})
	return nil
}

// nmt is the cleaning of SentencePiece's nmt_ rules: control characters are removed,
// and several others become spaces.
type nmt struct {
	plain
	*charwise
}

func (n *nmt) compile() error {
	u := unicodeCharacters()
	n.charwise = newCharwise(false, func(dst []rune, r rune) []rune {
		switch p := u.at(r); {
		case p.has(nmtDrop):
			return dst
		case p.has(nmtBlank):
			return append(dst, ' ')
		}
		return append(dst, r)
	})
	return nil
}

// bertNormalizer is what BERT does to a text before it looks for words.
type bertNormalizer struct {
	Type               string `json:"type"`
	CleanText          *bool  `json:"clean_text"`
	HandleChineseChars *bool  `json:"handle_chinese_chars"`
	StripAccents       *bool  `json:"strip_accents"` // null: as lowercase
	Lowercase          *bool  `json:"lowercase"`
	*charwise
}

func (b *bertNormalizer) compile() error {
	for _, option := range []struct {
		name  string
		value *bool
	}{
		{"clean_text", b.CleanText}, {"handle_chinese_chars", b.HandleChineseChars}, {"lowercase", b.Lowercase},
	} {
		if option.value == nil {
			return fmt.Errorf("%w: normalizer: BertNormalizer has no %s", ErrFormat, option.name)
		}
	}
	clean, chinese, lower, strip := *b.CleanText, *b.HandleChineseChars, *b.Lowercase, *b.Lowercase
	if b.StripAccents != nil {
		strip = *b.StripAccents
	}
	u := unicodeCharacters()
	// single appends what is left of a character that stands by itself.
	single := func(dst []rune, r rune) []rune {
		if !strip {
			if lower {
				return u.appendLower(dst, r)
			}
			return append(dst, r)
		}
		var buf [32]rune
		for _, part := range u.decompose(buf[:0], r, false) {
			switch p := u.at(part); {
			case p.has(nonspacing) && p.class() == 0:
				dst = append(dst, barrier)
			case p.has(nonspacing):
			case lower:
				dst = u.appendLower(dst, part)
			default:
				dst = append(dst, part)
			}
		}
		return dst
	}
	b.charwise = newCharwise(strip, func(dst []rune, r rune) []rune {
		p := u.at(r)
		switch {
		case clean && p.has(drop):
			return dst
		case clean && p.has(blank):
			return single(dst, ' ')
		case chinese && p.has(han):
			return append(single(append(dst, ' '), r), ' ')
		}
		return single(dst, r)
	})
	return nil
}

// prependNormalizer puts a string before a text that is not empty.
type prependNormalizer struct {
	Type    string `json:"type"`
	Prepend string `json:"prepend"`
}

func (p *prependNormalizer) normalize(dst []byte, text string, from *[]span) []byte {
	if text == "" {
		return dst
	}
	start := len(dst)
	dst = append(dst, p.Prepend...)
	trace(from, dst, start, span{0, int32(charLen(text, 0))})
	return verbatim(dst, text, 0, len(text), from)
}

// stripNormalizer removes white space at the ends of a text.
type stripNormalizer struct {
	Type  string `json:"type"`
	Left  bool   `json:"strip_left"`
	Right bool   `json:"strip_right"`
}

func (s *stripNormalizer) normalize(dst []byte, text string, from *[]span) []byte {
	start, end := 0, len(text)
	if s.Left {
		start = len(text) - len(strings.TrimLeftFunc(text, isSpace))
	}
	if s.Right {
		end = max(start, len(strings.TrimRightFunc(text, isSpace)))
	}
	return verbatim(dst, text, start, end, from)
}

// charLen returns the length of the character at s[i]; a byte that is not UTF-8 is one.
func charLen(s string, i int) int {
	if s[i] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRuneInString(s[i:])
	return n
}

// byteLevelNormalizer puts each byte in its printable form.
type byteLevelNormalizer struct {
	plain
}

func (byteLevelNormalizer) normalize(dst []byte, text string, from *[]span) []byte {
	return printableBytes{}.rewrite(dst, text, false, from)
}
