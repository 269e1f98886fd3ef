package cli

import (
	"encoding/json"
	"io"
	"os"
	"strconv"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// The size of what is not a terminal.
const defaultWidth, defaultHeight = 80, 24

// IsTerminal says whether somebody may be looking at f.
func IsTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// Width is the number of columns of the terminal f, 80 if f is not one.
func Width(f *os.File) int {
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		return width
	}
	return defaultWidth
}

// Height is the number of lines of the terminal f, 24 if f is not one.
func Height(f *os.File) int {
	if _, height, err := term.GetSize(int(f.Fd())); err == nil && height > 0 {
		return height
	}
	return defaultHeight
}

// Color says whether to write colour to f: it is a terminal, NO_COLOR is empty
// (no-color.org) and TERM is not "dumb".
func Color(f *os.File) bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && IsTerminal(f)
}

// Printable returns s as one line that does nothing to a terminal but show
// itself: control and formatting characters (escape sequences, newlines, marks
// that reverse the direction of text, zero-width characters) and bytes that
// are not UTF-8 are written as Go would escape them. A vocabulary or a file
// name comes from others.
func Printable(s string) string {
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

// WriteJSON writes v as indented JSON and a newline. Text is not escaped for
// HTML.
func WriteJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}
