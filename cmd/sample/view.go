package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/internal/generate"
	"github.com/seed-4c77ef92/textwarp/tokenize"
)

// frameEvery is the shortest time that a frame stands. A step that is done
// sooner waits, so that every noise level is seen.
const frameEvery = 50 * time.Millisecond

// watchable says whether frames can be drawn on f.
func watchable(f *os.File) bool { return cli.IsTerminal(f) && os.Getenv("TERM") != "dumb" }

// view draws the texts of a batch in place, step after step. Each frame is one
// write that leaves the terminal as it was, below the frame: however the
// program ends, there is nothing to restore.
type view struct {
	out   io.Writer
	tok   *tokenize.Tokenizer
	of    int // texts in all, of each layout
	color bool
	size  func() (width, height int)
	now   func() time.Time
	sleep func(time.Duration)

	shown time.Time
	lines int // of the last frame
}

func newView(f *os.File, tok *tokenize.Tokenizer, of int) *view {
	return &view{
		out: f, tok: tok, of: of, color: cli.Color(f),
		size: func() (int, int) { return cli.Width(f), cli.Height(f) },
		now:  time.Now, sleep: time.Sleep,
	}
}

// see draws a frame.
func (v *view) see(m generate.Moment) {
	if wait := frameEvery - v.now().Sub(v.shown); v.lines > 0 && wait > 0 {
		v.sleep(wait)
	}
	v.shown = v.now()
	width, height := v.size()
	lines := v.frame(m, width-1, height-1)
	var b strings.Builder
	b.WriteString(noWrap)
	v.rise(&b)
	for _, line := range lines {
		b.WriteString(line)
		b.WriteString(eraseLine + "\n")
	}
	b.WriteString(eraseBelow + wrap)
	v.lines = len(lines)
	io.WriteString(v.out, b.String())
}

// clear takes the frame off.
func (v *view) clear() {
	if v.lines == 0 {
		return
	}
	var b strings.Builder
	v.rise(&b)
	b.WriteString(eraseBelow)
	v.lines = 0
	io.WriteString(v.out, b.String())
}

// rise goes back to the first line of the last frame.
func (v *view) rise(b *strings.Builder) {
	if v.lines > 0 {
		fmt.Fprintf(b, "\x1b[%dA\r", v.lines)
	}
}

// What a terminal is told, by ECMA-48 and, for wrapping, DEC.
const (
	noWrap, wrap  = "\x1b[?7l", "\x1b[?7h"
	eraseLine     = "\x1b[K"
	eraseBelow    = "\x1b[J"
	dim, bright   = "\x1b[2m", "\x1b[1m"
	given, normal = "\x1b[36m", "\x1b[0m" // given text is cyan
)

// frame lays a moment out in lines of a width, at most height of them.
func (v *view) frame(m generate.Moment, width, height int) []string {
	ids, prob := m.Tokens()
	l := len(m.Canvas.IDs)
	head := fmt.Sprintf("%s of %d%s  step %d of %d  noise %.3g  clock %.2f", numbers(m.First, m.Texts), v.of, holes(m.Canvas), m.Step, m.Steps, m.T, m.U)
	lines := []string{clip(head, width)}
	for i := range m.Texts {
		text := v.text(m.Canvas, ids[i*l:(i+1)*l], prob[i*l:(i+1)*l], width)
		if i > 0 {
			text = append([]string{strings.Repeat("-", min(40, width))}, text...)
		}
		if room := height - len(lines); len(text) > room {
			if i == 0 { // as much as there is room for
				lines = append(lines, text[:max(0, room)]...)
			}
			break
		}
		lines = append(lines, text...)
	}
	return lines
}

// numbers names texts from 1 on.
func numbers(first, n int) string {
	if n == 1 {
		return fmt.Sprintf("text %d", first+1)
	}
	return fmt.Sprintf("texts %d to %d", first+1, first+n)
}

// holes tells their lengths.
func holes(c generate.Canvas) string {
	if c.Holes == nil {
		return ""
	}
	return "  [MASK:" + strings.Trim(fmt.Sprint(c.Holes), "[]") + "]"
}

// text lays one text out. Where there is colour, what is certain is bright and
// what is not is dim; elsewhere a dot stands for what is not.
func (v *view) text(c generate.Canvas, ids []int32, prob []float32, width int) []string {
	var lines []string
	var line strings.Builder
	column, style := 0, normal
	end := func() {
		if style != normal {
			line.WriteString(normal)
		}
		lines = append(lines, line.String())
		line.Reset()
		column, style = 0, normal
	}
	for i := range ids {
		piece, want := v.piece(ids, i), normal
		switch p := prob[i]; {
		case !c.Noisy[i]:
			want = given
		case p < .4:
			want = dim
		case p >= .8:
			want = bright
		}
		for _, r := range piece {
			if r == '\n' {
				end()
				continue
			}
			if column == width {
				end()
			}
			shown := cli.Printable(string(r))
			if !v.color && want == dim {
				shown = "·"
			}
			if v.color && style != want {
				if style != normal {
					line.WriteString(normal)
				}
				if want != normal {
					line.WriteString(want)
				}
				style = want
			}
			line.WriteString(shown)
			column += utf8.RuneCountInString(shown)
		}
	}
	end()
	return lines
}

// piece is what token i adds to the text.
func (v *view) piece(ids []int32, i int) string {
	if ids[i] == v.tok.EOS() {
		return "\n\n"
	}
	if i == 0 || ids[i-1] == v.tok.EOS() {
		return string(v.tok.Decode(nil, ids[i:i+1]))
	}
	// Some tokenizers put spaces between tokens, or take them off the first one.
	before := string(v.tok.Decode(nil, ids[i-1:i]))
	both := string(v.tok.Decode(nil, ids[i-1:i+1]))
	if piece, ok := strings.CutPrefix(both, before); ok {
		return piece
	}
	return string(v.tok.Decode(nil, ids[i:i+1]))
}

// clip cuts what does not fit.
func clip(s string, width int) string {
	if r := []rune(s); len(r) > width {
		return string(r[:max(0, width)])
	}
	return s
}
