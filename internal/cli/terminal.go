package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/seed-4c77ef92/textwarp/internal/printable"
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

// Tell prints a line of news on standard error. It is printable whatever the
// arguments are: paths and addresses are text of others.
func Tell(format string, args ...any) {
	fmt.Fprintln(os.Stderr, Printable(fmt.Sprintf(format, args...)))
}

// Printable is [printable.Line], under the name that commands know.
func Printable(s string) string { return printable.Line(s) }

// WriteJSON writes v as indented JSON and a newline. Text is not escaped for
// HTML.
func WriteJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}
