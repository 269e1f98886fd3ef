package chart

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/seed-4c77ef92/textwarp/internal/printable"
)

// Terminal says what a chart may use.
type Terminal struct {
	Width  int // columns, at least 40
	Height int // rows of the plot itself; 0 for 14
	Color  bool
}

// paint is the escape sequence of an xterm colour, -1 for the default.
func paint(color int) string {
	if color < 0 {
		return "\x1b[0m"
	}
	return "\x1b[38;5;" + strconv.Itoa(color) + "m"
}

// WriteTerminal draws the figure in braille. No line is wider than the
// terminal. Without colour, several series are told apart by letters that stand
// on the lines and in the legend.
func WriteTerminal(w io.Writer, f Figure, t Terminal) error {
	if err := f.Validate(); err != nil {
		return err
	}
	t.Width = max(t.Width, 40)
	if t.Height <= 0 {
		t.Height = 14
	}
	fr := f.frame()
	yTicks := fr.y.ticks(t.Height / 3)
	margin := 0
	for _, k := range yTicks {
		margin = max(margin, cells(k.label))
	}
	g := newGrid(t.Width-margin-2, t.Height)
	letters := f.draw(g, fr, t.Color)

	b := bufio.NewWriter(w)
	fmt.Fprintln(b, clip(printable.Line(f.Title), t.Width))
	f.writeLegend(b, t, letters)
	if f.Y.Label != "" {
		fmt.Fprintln(b, strings.Repeat(" ", margin)+" "+clip(printable.Line(f.Y.Title()), t.Width-margin-1))
	}
	labels := map[int]string{}
	for _, k := range yTicks {
		row := int(math.Round((1 - fr.y.at(k.value)) * float64(t.Height-1)))
		if k.label != "" && row >= 0 && row < t.Height && labels[row] == "" {
			labels[row] = k.label
		}
	}
	for y := range t.Height {
		edge := "│"
		if labels[y] != "" {
			edge = "┤"
		}
		pad := strings.Repeat(" ", margin-cells(labels[y]))
		fmt.Fprintln(b, strings.TrimRight(pad+labels[y]+" "+edge+g.row(y, t.Color), " "))
	}
	f.writeXAxis(b, fr.x, margin+1, g.width)
	return b.Flush()
}

// draw puts all series on the grid and returns the letter of each if it has
// to tell them apart.
func (f Figure) draw(g *grid, fr frame, color bool) []string {
	letters := make([]string, len(f.Series))
	many := len(f.Series) > 1 && !color
	for i, s := range f.Series {
		if many && i < 26 && s.Name != "" {
			letters[i] = string(rune('a' + i))
		}
		f.drawSeries(g, fr, s)
	}
	for i, s := range f.Series {
		if letters[i] != "" {
			f.mark(g, fr, s, letters[i], i)
		}
	}
	empty := true
	for _, s := range f.Series {
		empty = empty && len(s.Y) == 0
		f.drawLabels(g, fr, s)
	}
	if empty {
		g.text(max(0, g.width/2-4), g.height/2, "no data", -1)
	}
	return letters
}

func (f Figure) drawSeries(g *grid, fr frame, s Series) {
	c := f.onTerminal(s)
	w, h := float64(2*g.width-1), float64(4*g.height-1)
	switch s.Kind {
	case Line, Step:
		dash := 0
		if s.Dashed {
			dash = 3
		}
		for _, path := range f.paths(s) {
			from := path[0]
			for _, to := range path {
				g.line(fr.x.at(from[0]), fr.y.at(from[1]), fr.x.at(to[0]), fr.y.at(to[1]), c, dash)
				from = to
			}
		}
	case Bars:
		for i, y := range s.Y {
			if y == 0 || !showable(f.Y.Scale, y) || !showable(f.X.Scale, s.X[i]) || !showable(f.X.Scale, s.X[i+1]) {
				continue
			}
			left := int(math.Ceil(min(1, max(0, fr.x.at(s.X[i]))) * w))
			right := int(math.Floor(min(1, max(0, fr.x.at(s.X[i+1]))) * w))
			for x := left; x <= max(left, right); x++ {
				u := float64(x) / w
				g.line(u, 0, u, max(fr.y.at(y), 1/h), c, 0)
			}
		}
	case Scatter:
		for i, y := range s.Y {
			if showable(f.X.Scale, s.X[i]) && showable(f.Y.Scale, y) {
				u, v := fr.x.at(s.X[i]), fr.y.at(y)
				g.line(u, v, u, v, c, 0)
			}
		}
	}
	for i, e := range s.StdErr {
		if e > 0 && showable(f.X.Scale, s.X[i]) && showable(f.Y.Scale, s.Y[i]) {
			u, low := fr.x.at(s.X[i]), s.Y[i]-e
			if !showable(f.Y.Scale, low) {
				low = fr.y.min
			}
			if high := s.Y[i] + e; showable(f.Y.Scale, high) {
				g.line(u, fr.y.at(low), u, fr.y.at(high), c, 0)
			}
		}
	}
}

// mark writes a letter at a few places along a series, shifted from one series
// to the next so that letters on curves that coincide stand side by side.
func (f Figure) mark(g *grid, fr frame, s Series, letter string, index int) {
	const times = 3
	column := -1
	wanted := make([]int, 0, times)
	for k := range times {
		wanted = append(wanted, ((2*k+1)*g.width/(2*times)+3*index)%g.width)
	}
	for _, target := range wanted {
		best, row := math.MaxInt, 0
		for i, y := range s.Y {
			if !showable(f.X.Scale, s.X[i]) || !showable(f.Y.Scale, y) {
				continue
			}
			u, v := fr.x.at(s.X[i]), fr.y.at(y)
			if !(u >= 0 && u <= 1 && v >= 0 && v <= 1) {
				continue
			}
			x := int(math.Round(u * float64(g.width-1)))
			if d := max(x-target, target-x); d < best {
				best, column, row = d, x, int(math.Round((1-v)*float64(g.height-1)))
			}
		}
		if best < math.MaxInt {
			g.text(column, row, letter, -1)
		}
	}
}

// drawLabels writes the text of points beside them where there is room.
func (f Figure) drawLabels(g *grid, fr frame, s Series) {
	for i, label := range s.Labels {
		if label == "" || !showable(f.X.Scale, s.X[i]) || !showable(f.Y.Scale, s.Y[i]) {
			continue
		}
		u, v := fr.x.at(s.X[i]), fr.y.at(s.Y[i])
		if !(u >= 0 && u <= 1 && v >= 0 && v <= 1) {
			continue
		}
		x := int(u*float64(2*g.width-1)) / 2
		y := int((1-v)*float64(4*g.height-1)) / 4
		label = clip(printable.Line(label), 12)
		_ = g.text(x+1, y, label, -1) || g.text(x-cells(label), y, label, -1)
	}
}

// writeLegend explains the series, and the ramp by its ends.
func (f Figure) writeLegend(b *bufio.Writer, t Terminal, letters []string) {
	line, used := "", 0
	add := func(sample, name string, color int) {
		n := 2 + cells(sample) + 1 + cells(name)
		if used > 0 && used+n > t.Width {
			fmt.Fprintln(b, line)
			line, used = "", 0
		}
		if t.Color && color >= 0 {
			sample = paint(color) + sample + paint(-1)
		}
		line += "  " + sample + " " + name
		used += n
	}
	if len(f.Series) > 1 || f.Ramp != nil {
		for i, s := range f.Series {
			inRamp := s.At != nil && f.Ramp != nil
			if s.Name == "" || (inRamp && t.Color && i > 0 && i < len(f.Series)-1) {
				continue
			}
			sample := letters[i]
			if t.Color {
				sample = map[Kind]string{Line: "⠤⠤", Step: "⠤⠤", Bars: "⣿⣿", Scatter: "⠐⠂"}[s.Kind]
			}
			if sample != "" {
				add(sample, clip(printable.Line(s.Name), t.Width-8), f.onTerminal(s))
			}
		}
	}
	if line != "" {
		fmt.Fprintln(b, line)
	}
}

// writeXAxis draws the axis, its tick labels and its title.
func (f Figure) writeXAxis(b *bufio.Writer, s span, margin, width int) {
	axis := []rune(strings.Repeat("─", width))
	labels := []rune(strings.Repeat(" ", margin+width+1))
	end := 0
	for _, k := range s.ticks(width / 10) {
		x := int(math.Round(s.at(k.value) * float64(width-1)))
		if x < 0 || x >= width || k.label == "" {
			continue
		}
		text := []rune(k.label)
		at := min(margin+1+x-len(text)/2, len(labels)-len(text))
		axis[x] = '┬'
		if at < end {
			continue
		}
		copy(labels[at:], text)
		end = at + len(text) + 1
	}
	fmt.Fprintln(b, strings.Repeat(" ", margin)+"└"+string(axis))
	fmt.Fprintln(b, strings.TrimRight(string(labels), " "))
	if title := clip(printable.Line(f.X.Title()), width); title != "" {
		fmt.Fprintln(b, strings.Repeat(" ", margin+1+(width-cells(title))/2)+title)
	}
}
