package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Frame is a few lines of a terminal that are drawn again in place. Each drawing
// is one write that leaves the terminal as it was, with the cursor below the
// lines: however the program ends, there is nothing to restore. The zero value
// cannot be used.
type Frame struct {
	out     io.Writer
	columns []int // of each line that stands
}

// NewFrame draws on a terminal.
func NewFrame(out io.Writer) *Frame { return &Frame{out: out} }

// What a terminal is told, by ECMA-48 and, for wrapping, DEC.
const (
	noWrap, wrap = "\x1b[?7l", "\x1b[?7h"
	eraseLine    = "\x1b[K"
	eraseBelow   = "\x1b[J"
)

// Draw puts lines in the place of those before, on a terminal that is width
// columns wide. Colour (CSI m) may stand in them, other control characters may not.
func (f *Frame) Draw(lines []string, width int) {
	var b strings.Builder
	b.WriteString(noWrap)
	f.rise(&b, width)
	for _, line := range lines {
		f.columns = append(f.columns, columns(line))
		b.WriteString(line + eraseLine + "\n")
	}
	b.WriteString(eraseBelow + wrap)
	io.WriteString(f.out, b.String())
}

// Clear takes the lines off.
func (f *Frame) Clear(width int) {
	if len(f.columns) == 0 {
		return
	}
	var b strings.Builder
	f.rise(&b, width)
	io.WriteString(f.out, b.String()+eraseBelow)
}

// rise goes back to the first line and forgets all. A terminal that has been made
// narrower than a line has broken it into several.
func (f *Frame) rise(b *strings.Builder, width int) {
	rows := 0
	for _, n := range f.columns {
		rows += max(1, (n+width-1)/max(1, width))
	}
	if rows > 0 {
		fmt.Fprintf(b, "\x1b[%dA\r", rows)
	}
	f.columns = f.columns[:0]
}

// columns counts runes outside of CSI m.
func columns(line string) int {
	n := 0
	for {
		before, after, found := strings.Cut(line, "\x1b[")
		n += utf8.RuneCountInString(before)
		if !found {
			return n
		}
		_, line, _ = strings.Cut(after, "m")
	}
}
