package chart

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/seed-4c77ef92/textwarp/internal/printable"
)

// plot builds the gonum plot of the figure for a canvas of this size.
func (f Figure) plot(c draw.Canvas) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	fr := f.frame()
	size := c.Size()
	axis(&p.X, fr.x, int(size.X/(60*vg.Points(1))))
	axis(&p.Y, fr.y, int(size.Y/(36*vg.Points(1))))
	p.X.Tick.Label.YAlign, p.X.Tick.Label.XAlign = text.YTop, text.XCenter
	p.Y.Tick.Label.XAlign, p.Y.Tick.Label.YAlign = text.XRight, text.YCenter

	grid := plotter.NewGrid()
	grid.Vertical = draw.LineStyle{Color: rule(), Width: .5}
	grid.Horizontal = grid.Vertical
	p.Add(grid)
	empty := true
	for _, s := range f.Series {
		p.Add(seriesPlotter{f, s})
		empty = empty && len(s.Y) == 0
	}
	if empty {
		p.Add(emptyPlotter{})
	}
	return p
}

// axis dresses an axis of the plot.
func axis(a *plot.Axis, s span, want int) {
	a.Min, a.Max = s.min, s.max
	a.Padding = 0
	a.Tick.Label.Font = textStyle(9, false).Font
	a.Tick.Label.Color = ink()
	a.Tick.Length = 4
	a.LineStyle = draw.LineStyle{Color: ink(), Width: .8}
	a.Tick.LineStyle = a.LineStyle
	if s.scale == Log {
		a.Scale = plot.LogScale{}
	}
	a.Tick.Marker = plot.TickerFunc(func(_, _ float64) []plot.Tick {
		var ts []plot.Tick
		for _, t := range s.ticks(want) {
			ts = append(ts, plot.Tick{Value: t.value, Label: t.label})
		}
		return ts
	})
}

func (f Figure) lineStyle(s Series) draw.LineStyle {
	l := draw.LineStyle{Color: f.onPaper(s), Width: 1.6}
	if s.Faint {
		l.Width = .8
	}
	if s.Dashed {
		l.Dashes = []vg.Length{5, 3}
		l.Width = 1.2
	}
	return l
}

func (f Figure) errorStyle(s Series) draw.LineStyle {
	return draw.LineStyle{Color: f.onPaper(s), Width: .8}
}

func (f Figure) glyph(s Series) draw.GlyphStyle {
	g := draw.GlyphStyle{Color: f.onPaper(s), Radius: 2.4, Shape: draw.CircleGlyph{}}
	if len(s.Y) > 300 {
		g.Radius = 1.4
	}
	return g
}

// pieceLength is how many segments of a line are stroked at once: the time that
// the rasterizer takes for a zigzag grows with the square of their number.
const pieceLength = 256

// seriesPlotter draws one series; gonum's own plotters refuse gaps.
type seriesPlotter struct {
	figure Figure
	series Series
}

// Plot implements plot.Plotter.
func (sp seriesPlotter) Plot(c draw.Canvas, p *plot.Plot) {
	f, s := sp.figure, sp.series
	px, py := p.Transforms(&c)
	at := func(x, y float64) vg.Point { return vg.Point{X: px(x), Y: py(y)} }
	switch s.Kind {
	case Line, Step:
		for _, path := range f.paths(s) {
			points := make([]vg.Point, 0, len(path))
			for _, q := range path {
				points = append(points, at(q[0], q[1]))
			}
			for len(points) > pieceLength {
				c.StrokeLines(f.lineStyle(s), c.ClipLinesXY(points[:pieceLength+1])...)
				points = points[pieceLength:]
			}
			c.StrokeLines(f.lineStyle(s), c.ClipLinesXY(points)...)
		}
	case Bars:
		sp.bars(c, p, at)
	case Scatter:
		for i := range s.Y {
			if sp.shows(i) {
				c.DrawGlyph(f.glyph(s), at(s.X[i], s.Y[i]))
			}
		}
	}
	sp.errors(c, p, at)
	sp.labels(c, at)
}

func (sp seriesPlotter) shows(i int) bool {
	return showable(sp.figure.X.Scale, sp.series.X[i]) && showable(sp.figure.Y.Scale, sp.series.Y[i])
}

// bars fills the histogram; its bars stand on the lower end of the axis.
func (sp seriesPlotter) bars(c draw.Canvas, p *plot.Plot, at func(x, y float64) vg.Point) {
	s := sp.series
	for i, y := range s.Y {
		if !sp.shows(i) || !showable(sp.figure.X.Scale, s.X[i+1]) || y == 0 {
			continue
		}
		a, b := at(s.X[i], p.Y.Min), at(s.X[i+1], y)
		if b.X-a.X > 3 {
			b.X -= .6
		}
		c.FillPolygon(sp.figure.onPaper(s), c.ClipPolygonXY([]vg.Point{a, {X: b.X, Y: a.Y}, b, {X: a.X, Y: b.Y}}))
	}
}

// errors draws a bar of one standard error each way.
func (sp seriesPlotter) errors(c draw.Canvas, p *plot.Plot, at func(x, y float64) vg.Point) {
	s := sp.series
	for i, e := range s.StdErr {
		if !sp.shows(i) || !showable(Linear, e) || e <= 0 {
			continue
		}
		lo, hi := max(s.Y[i]-e, p.Y.Min), min(s.Y[i]+e, p.Y.Max)
		if lo < hi {
			c.StrokeLines(sp.figure.errorStyle(s), c.ClipLinesXY([]vg.Point{at(s.X[i], lo), at(s.X[i], hi)})...)
		}
	}
}

// labels writes the text of the points at the first of four places around each
// where it meets no other label, no point and no edge; without such a place
// the label is left out.
func (sp seriesPlotter) labels(c draw.Canvas, at func(x, y float64) vg.Point) {
	s := sp.series
	if s.Labels == nil {
		return
	}
	style := textStyle(8, false)
	style.Color = mix(sp.figure.onPaper(s), color.RGBA{0, 0, 0, 255}, .55)
	height := style.FontExtents().Ascent
	const gap = vg.Length(3.5)
	var taken []vg.Rectangle
	for i := range s.Y {
		if sp.shows(i) && len(s.Y) <= 300 { // in a dense cloud a label may cover points
			q := at(s.X[i], s.Y[i])
			taken = append(taken, vg.Rectangle{Min: q.Add(vg.Point{X: -2, Y: -2}), Max: q.Add(vg.Point{X: 2, Y: 2})})
		}
	}
	for i, label := range s.Labels {
		if label == "" || !sp.shows(i) {
			continue
		}
		label = printable.Line(label)
		q, w := at(s.X[i], s.Y[i]), style.Width(label)
		for _, corner := range []vg.Point{
			{X: gap, Y: -height * .38}, {X: -gap - w, Y: -height * .38}, {X: -w / 2, Y: gap}, {X: -w / 2, Y: -gap - height*.8},
		} {
			low := q.Add(corner)
			box := vg.Rectangle{Min: low, Max: low.Add(vg.Point{X: w, Y: height * .85})}
			if c.Contains(box.Min) && c.Contains(box.Max) && free(box, taken) {
				c.FillText(style, low, label)
				taken = append(taken, box)
				break
			}
		}
	}
}

func free(box vg.Rectangle, taken []vg.Rectangle) bool {
	for _, o := range taken {
		if box.Min.X < o.Max.X && o.Min.X < box.Max.X && box.Min.Y < o.Max.Y && o.Min.Y < box.Max.Y {
			return false
		}
	}
	return true
}

// emptyPlotter says that there is nothing to see.
type emptyPlotter struct{}

// Plot implements plot.Plotter.
func (emptyPlotter) Plot(c draw.Canvas, _ *plot.Plot) {
	style := textStyle(10, false)
	style.XAlign, style.YAlign = text.XCenter, text.YCenter
	c.FillText(style, c.Center(), "no data")
}
