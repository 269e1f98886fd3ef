// Package printable makes foreign text safe to show: a vocabulary, a file name
// or a sample comes from others, and a terminal obeys what it is sent.
package printable

import (
	"strconv"
	"unicode"
	"unicode/utf8"
)

// Line returns s as one line that does nothing to a terminal but show itself:
// control and formatting characters (escape sequences, newlines, marks that
// reverse the direction of text, zero-width characters) and bytes that are not
// UTF-8 are written as Go would escape them.
func Line(s string) string {
	b := make([]byte, 0, len(s))
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			b = append(b, `\x`...)
			b = append(b, hex[s[0]>>4], hex[s[0]&15])
		case unicode.IsPrint(r):
			b = append(b, s[:size]...)
		default:
			quoted := strconv.QuoteRune(r)
			b = append(b, quoted[1:len(quoted)-1]...)
		}
		s = s[size:]
	}
	return string(b)
}

const hex = "0123456789abcdef"
