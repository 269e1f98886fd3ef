package chart

import (
	"fmt"
	"io"
)

// Printer writes text and charts, one below the other, and keeps the first
// error.
type Printer struct {
	Width int // columns
	Color bool

	w   io.Writer
	err error
}

// NewPrinter writes to w.
func NewPrinter(w io.Writer, width int, color bool) *Printer {
	return &Printer{Width: width, Color: color, w: w}
}

// Printf writes text.
func (p *Printer) Printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

// Chart draws a figure and an empty line.
func (p *Printer) Chart(f Figure) {
	if p.err == nil {
		p.err = WriteTerminal(p.w, f, Terminal{Width: p.Width, Color: p.Color})
	}
	p.Printf("\n")
}

// Err is the first error.
func (p *Printer) Err() error { return p.err }
