package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	redrawEvery = 100 * time.Millisecond // on a terminal
	lineEvery   = 10 * time.Second       // elsewhere
	barCells    = 24
)

// Bar reports progress on one line: redrawn in place on a terminal, otherwise
// (a log file, a pipe) a plain line every ten seconds and one at the end. A nil
// Bar reports nothing. Its methods may be called from several goroutines.
type Bar struct {
	mu       sync.Mutex
	out      io.Writer
	terminal bool
	width    func() int
	now      func() time.Time

	label, unit, note string
	n, total, from    int64 // from: units that were done before
	began, shown      time.Time
	done              bool
}

// NewBar begins a bar on w, which is os.Stderr as a rule; nil gives a nil Bar.
// total is the number of units of the whole, 0 if it is not known. The unit "B"
// is shown as kB, MB, GB; others with thousands separated.
func NewBar(w *os.File, label string, total int64, unit string) *Bar {
	if w == nil {
		return nil
	}
	dumb := os.Getenv("TERM") == "dumb"
	return newBar(w, label, total, unit, IsTerminal(w) && !dumb, func() int { return Width(w) }, time.Now)
}

func newBar(out io.Writer, label string, total int64, unit string, terminal bool, width func() int, now func() time.Time) *Bar {
	b := &Bar{out: out, label: label, total: total, unit: unit, terminal: terminal, width: width, now: now}
	b.began = now()
	b.shown = b.began
	return b
}

// From says that n units had been done before the bar began, which say nothing
// of the speed.
func (b *Bar) From(n int64) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.from = n
}

// Set says that n units are done, with a note of what is going on.
func (b *Bar) Set(n int64, note string) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n, b.note = n, note
	every := lineEvery
	if b.terminal {
		every = redrawEvery
	}
	if now := b.now(); !b.done && now.Sub(b.shown) >= every {
		b.shown = now
		b.show()
	}
}

// Say writes a line of its own, above the bar on a terminal.
func (b *Bar) Say(line string) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.terminal || b.done {
		fmt.Fprintln(b.out, line)
		return
	}
	fmt.Fprint(b.out, "\r\x1b[K"+line+"\n")
	b.show()
}

// Clear takes the bar off a terminal, on which something else is to be written,
// until the next Set.
func (b *Bar) Clear() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.terminal && !b.done {
		fmt.Fprint(b.out, "\r\x1b[K")
	}
}

// Done shows the last state and ends the line. A second Done does nothing.
func (b *Bar) Done() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done {
		return
	}
	b.done = true
	b.show()
	if b.terminal {
		fmt.Fprintln(b.out)
	}
}

func (b *Bar) show() {
	line := b.line()
	if !b.terminal {
		fmt.Fprintln(b.out, line)
		return
	}
	// One column is left free: a full last column wraps on some terminals.
	fmt.Fprint(b.out, "\r"+truncate(line, b.width()-1)+"\x1b[K")
}

func (b *Bar) line() string {
	elapsed := b.now().Sub(b.began)
	rate := 0.0
	if elapsed > 0 {
		rate = float64(b.n-b.from) / elapsed.Seconds()
	}
	var parts []string
	if b.total > 0 {
		share := min(max(float64(b.n)/float64(b.total), 0), 1)
		if b.terminal {
			full := int(share * barCells)
			parts = append(parts, "["+strings.Repeat("#", full)+strings.Repeat("-", barCells-full)+"]")
		}
		parts = append(parts, fmt.Sprintf("%3.0f%%", 100*share), b.amount(b.n, false)+" of "+b.amount(b.total, true))
	} else {
		parts = append(parts, b.amount(b.n, true))
	}
	if rate > 0 {
		parts = append(parts, b.rate(rate))
	}
	if left := float64(b.total-b.n) / rate; b.total > b.n && rate > 0 && !b.done && left < 1e9 {
		parts = append(parts, Clock(time.Duration(left*float64(time.Second)))+" left")
	} else {
		parts = append(parts, Clock(elapsed))
	}
	if b.note != "" {
		parts = append(parts, Printable(b.note))
	}
	return b.label + " " + strings.Join(parts, "  ")
}

func (b *Bar) amount(n int64, named bool) string {
	switch {
	case b.unit == "B":
		return byteAmount(float64(n))
	case named:
		return Thousands(n) + " " + b.unit
	}
	return Thousands(n)
}

func (b *Bar) rate(r float64) string {
	switch {
	case b.unit == "B":
		return byteAmount(r) + "/s"
	case r < 100:
		return fmt.Sprintf("%.1f/s", r)
	}
	return Thousands(int64(r)) + "/s"
}

// byteAmount shows an amount in powers of 1000 (kB is 1000 bytes).
func byteAmount(n float64) string {
	prefixes := []string{"B", "kB", "MB", "GB", "TB", "PB"}
	i := 0
	for ; n >= 999.5 && i < len(prefixes)-1; i++ {
		n /= 1000
	}
	if i == 0 || n >= 99.95 {
		return fmt.Sprintf("%.0f %s", n, prefixes[i])
	}
	return fmt.Sprintf("%.1f %s", n, prefixes[i])
}

// Thousands shows a number with its thousands separated by commas.
func Thousands(n int64) string {
	s := fmt.Sprint(n)
	first := 0
	if n < 0 {
		first = 1
	}
	for i := len(s) - 3; i > first; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Clock shows a duration as m:ss or h:mm:ss.
func Clock(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	if s < 3600 {
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

func truncate(s string, columns int) string {
	if columns < 0 || utf8.RuneCountInString(s) <= columns {
		return s
	}
	return string([]rune(s)[:columns])
}
