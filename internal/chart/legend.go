package chart

import (
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/seed-4c77ef92/textwarp/internal/printable"
)

// legend is the series that have an entry: those with a name, without the ones
// that the ramp explains.
func (f Figure) legend() []Series {
	var named []Series
	for _, s := range f.Series {
		if s.Name != "" && (s.At == nil || f.Ramp == nil) {
			named = append(named, s)
		}
	}
	if len(f.Series) < 2 {
		return nil // the title says what it is
	}
	return named
}

// drawLegend writes the entries in rows at the top of c and returns what is
// left of it.
func drawLegend(c draw.Canvas, f Figure) draw.Canvas {
	const swatch, gap = vg.Length(18), vg.Length(14)
	style := textStyle(9, false)
	row := style.FontExtents().Height + 2
	entries := f.legend()
	if len(entries) == 0 {
		return c
	}
	x, y := c.Min.X, c.Max.Y-row
	for _, s := range entries {
		name := printable.Line(s.Name)
		w := swatch + 5 + style.Width(name)
		if x > c.Min.X && x+w > c.Max.X {
			x, y = c.Min.X, y-row
		}
		middle := y + style.FontExtents().Ascent*.36
		drawSwatch(c, f, s, x, middle, swatch)
		c.FillText(style, vg.Point{X: x + swatch + 5, Y: y}, name)
		x += w + gap
	}
	c.Max.Y = y - style.FontExtents().Descent
	return c
}

// drawSwatch draws a sample of a series.
func drawSwatch(c draw.Canvas, f Figure, s Series, x, y, w vg.Length) {
	switch s.Kind {
	case Bars:
		clr := f.onPaper(s)
		c.FillPolygon(clr, []vg.Point{{X: x + 3, Y: y - 4}, {X: x + w - 3, Y: y - 4}, {X: x + w - 3, Y: y + 4}, {X: x + 3, Y: y + 4}})
	case Scatter:
		if s.StdErr != nil {
			c.StrokeLine2(f.errorStyle(s), x+w/2, y-5, x+w/2, y+5)
		}
		c.DrawGlyphNoClip(f.glyph(s), vg.Point{X: x + w/2, Y: y})
	default:
		c.StrokeLine2(f.lineStyle(s), x, y, x+w, y)
	}
}

// drawRamp draws the key of a history at the right of c and returns the rest.
func drawRamp(c draw.Canvas, r Ramp) draw.Canvas {
	const bar, steps = vg.Length(11), 128
	style := textStyle(9, false)
	style.YAlign = text.YCenter
	span := r.span()
	var marks []tick
	if r.extends() {
		marks = withEnds(span, span.ticks(5))
	}
	labels := vg.Length(0)
	for _, t := range marks {
		labels = max(labels, style.Width(t.label))
	}
	title := textStyle(9, false)
	title.XAlign = text.XRight
	top, bottom := c.Max.Y-18, c.Min.Y+34
	left := c.Max.X - bar - 6 - labels
	c.FillText(title, vg.Point{X: c.Max.X, Y: c.Max.Y - 10}, printable.Line(r.Label))
	height := (top - bottom) / steps
	for i := range steps {
		y := bottom + vg.Length(i)*height
		c.FillPolygon(rampOnPaper(float64(i)/(steps-1)), []vg.Point{
			{X: left, Y: y}, {X: left + bar, Y: y}, {X: left + bar, Y: min(top, y+height*1.5)}, {X: left, Y: min(top, y+height*1.5)},
		})
	}
	frame := draw.LineStyle{Color: color.Gray{0x66}, Width: .5}
	c.StrokeLines(frame, []vg.Point{{X: left, Y: bottom}, {X: left + bar, Y: bottom}, {X: left + bar, Y: top}, {X: left, Y: top}, {X: left, Y: bottom}})
	for _, t := range marks {
		y := bottom + (top-bottom)*vg.Length(span.at(t.value))
		c.StrokeLine2(frame, left+bar, y, left+bar+3, y)
		c.FillText(style, vg.Point{X: left + bar + 6, Y: y}, t.label)
	}
	c.Max.X = min(left, c.Max.X-title.Width(printable.Line(r.Label))+8) - 12
	return c
}

// withEnds adds labels at the ends of the ramp where the ticks leave room.
func withEnds(s span, ticks []tick) []tick {
	var marks []tick
	for _, t := range ticks {
		if t.label != "" {
			marks = append(marks, t)
		}
	}
	for _, v := range []float64{s.min, s.max} {
		room := true
		for _, t := range marks {
			room = room && math.Abs(s.at(t.value)-s.at(v)) > .06
		}
		if room {
			label := strconv.FormatFloat(v, 'g', 4, 64)
			if math.Abs(v) >= 1e4 {
				label = thousands(v)
			}
			marks = append(marks, tick{v, sign(label)})
		}
	}
	return marks
}
