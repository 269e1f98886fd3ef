package chart

import (
	"math"
	"strings"
)

// grid is a canvas of braille cells, each 2 dots wide and 4 high. A cell has
// one colour: that of the last series that touched it.
type grid struct {
	width, height int    // in cells
	dots          []rune // bits of the pattern
	color         []int  // xterm colour; -1 for none
	over          []rune // text that replaces the pattern; -1 continues a wide rune
}

func newGrid(width, height int) *grid {
	g := &grid{
		width: width, height: height,
		dots: make([]rune, width*height), color: make([]int, width*height), over: make([]rune, width*height),
	}
	for i := range g.color {
		g.color[i] = -1
	}
	return g
}

// dot sets one dot; (0, 0) is at the top left, what lies outside is ignored.
func (g *grid) dot(x, y, color int) {
	if x < 0 || y < 0 || x >= 2*g.width || y >= 4*g.height {
		return
	}
	bits := [4][2]rune{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}
	i := y/4*g.width + x/2
	g.dots[i] |= bits[y%4][x%2]
	g.color[i] = color
}

// line draws from a to b in units of the whole grid, where (0, 0) is the
// bottom left corner and (1, 1) the top right one; dash > 0 leaves out every
// other group of that many dots.
func (g *grid) line(ax, ay, bx, by float64, color, dash int) {
	ax, ay, bx, by, ok := clipSegment(ax, ay, bx, by)
	if !ok {
		return
	}
	w, h := float64(2*g.width-1), float64(4*g.height-1)
	x0, y0, x1, y1 := ax*w, (1-ay)*h, bx*w, (1-by)*h
	n := int(max(math.Abs(x1-x0), math.Abs(y1-y0)) + 1)
	for i := range n + 1 {
		s := float64(i) / float64(n)
		x, y := int(math.Round(x0+s*(x1-x0))), int(math.Round(y0+s*(y1-y0)))
		if dash == 0 || (x+y)/dash%2 == 0 {
			g.dot(x, y, color)
		}
	}
}

// text writes s from a cell on if all its cells are inside and free of text.
func (g *grid) text(x, y int, s string, color int) bool {
	n := cells(s)
	if y < 0 || y >= g.height || x < 0 || x+n > g.width {
		return false
	}
	row := y * g.width
	for i := max(x-1, 0); i < min(x+n+1, g.width); i++ {
		if g.over[row+i] != 0 {
			return false
		}
	}
	for _, r := range s {
		c := runeCells(r)
		if c == 0 {
			continue
		}
		g.over[row+x], g.color[row+x] = r, color
		if c == 2 {
			g.over[row+x+1] = -1
		}
		x += c
	}
	return true
}

// row renders a row of cells, coloured if asked for.
func (g *grid) row(y int, color bool) string {
	var b strings.Builder
	current := -1
	for x := range g.width {
		i := y*g.width + x
		if g.over[i] == -1 {
			continue
		}
		if color && g.color[i] != current {
			b.WriteString(paint(g.color[i]))
			current = g.color[i]
		}
		switch {
		case g.over[i] != 0:
			b.WriteRune(g.over[i])
		case g.dots[i] == 0:
			b.WriteByte(' ')
		default:
			b.WriteRune(0x2800 + g.dots[i])
		}
	}
	if current != -1 {
		b.WriteString(paint(-1))
		return b.String()
	}
	return strings.TrimRight(b.String(), " ")
}

// clipSegment cuts a segment to the unit square (Liang and Barsky, 1984).
func clipSegment(ax, ay, bx, by float64) (x0, y0, x1, y1 float64, ok bool) {
	dx, dy := bx-ax, by-ay
	from, to := 0.0, 1.0
	for _, e := range [4][2]float64{{-dx, ax}, {dx, 1 - ax}, {-dy, ay}, {dy, 1 - ay}} {
		switch {
		case e[0] == 0:
			if e[1] < 0 {
				return 0, 0, 0, 0, false
			}
		case e[0] < 0:
			from = max(from, e[1]/e[0])
		default:
			to = min(to, e[1]/e[0])
		}
	}
	if !(from <= to) {
		return 0, 0, 0, 0, false
	}
	return ax + from*dx, ay + from*dy, ax + to*dx, ay + to*dy, true
}
