package tokenize

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// metaspace is SentencePiece's pre-tokenizer and decoder: spaces are written as a
// character that can be seen, one is put before the text, and words begin with it.
type metaspace struct {
	Type           string  `json:"type"`
	Replacement    string  `json:"replacement"`
	AddPrefixSpace *bool   `json:"add_prefix_space,omitempty"` // before there was a scheme
	PrependScheme  *string `json:"prepend_scheme,omitempty"`
	Split          *bool   `json:"split,omitempty"`
	StrRep         *string `json:"str_rep,omitempty"` // in the oldest files; has no effect

	scheme string
	cut    bool
}

func (m *metaspace) compile() error {
	if utf8.RuneCountInString(m.Replacement) != 1 {
		return fmt.Errorf("%w: Metaspace: replacement %q is not one character", ErrFormat, m.Replacement)
	}
	m.scheme, m.cut = "always", m.Split == nil || *m.Split
	if m.PrependScheme != nil {
		m.scheme = *m.PrependScheme
	}
	switch m.scheme {
	case "always", "first", "never":
	default:
		return fmt.Errorf("%w: Metaspace: prepend_scheme %q is not implemented", ErrFormat, m.scheme)
	}
	if m.AddPrefixSpace != nil && !*m.AddPrefixSpace {
		if m.PrependScheme != nil && m.scheme != "never" {
			return fmt.Errorf("%w: Metaspace: add_prefix_space is false and prepend_scheme %q", ErrFormat, m.scheme)
		}
		m.scheme = "never"
	}
	return nil
}

// needsFirst says whether it must know where the document begins.
func (m *metaspace) needsFirst() bool { return m.scheme == "first" }

func (m *metaspace) rewrite(dst []byte, text string, first bool, from *[]span) []byte {
	prefix := m.scheme == "always" || m.scheme == "first" && first
	if prefix && text != "" && text[0] != ' ' && !strings.HasPrefix(text, m.Replacement) {
		start := len(dst)
		dst = append(dst, m.Replacement...)
		trace(from, dst, start, span{0, int32(charLen(text, 0))})
	}
	for i := 0; i < len(text); {
		end := i
		for end < len(text) && text[end] != ' ' {
			end++
		}
		dst = verbatim(dst, text, i, end, from)
		for ; end < len(text) && text[end] == ' '; end++ {
			start := len(dst)
			dst = append(dst, m.Replacement...)
			trace(from, dst, start, span{int32(end), int32(end + 1)})
		}
		i = end
	}
	return dst
}

func (m *metaspace) next(s string, i int) (start, end int) {
	if !m.cut {
		return i, len(s)
	}
	lead := m.Replacement[0]
	for end = i; end < len(s); end++ {
		if s[end] == lead && end > i && strings.HasPrefix(s[end:], m.Replacement) {
			break
		}
	}
	return i, end
}

// decode writes spaces again, but not for the one that was put before the text: that is
// every one in the first token.
func (m *metaspace) decode(tokens []string) []string {
	for i, token := range tokens {
		space := " "
		if i == 0 && m.scheme != "never" {
			space = ""
		}
		tokens[i] = strings.ReplaceAll(token, m.Replacement, space)
	}
	return tokens
}
