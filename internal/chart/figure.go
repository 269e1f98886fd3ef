package chart

import (
	"fmt"
	"math"
)

// Scale is how an axis maps values to places.
type Scale int

// The scales of an axis.
const (
	Linear Scale = iota
	Log
	Whole // linear, of numbers that are counts or places: ticks are whole
)

// Axis is one axis of a figure. Min and Max fix its range; if they are equal
// the range is that of the data.
type Axis struct {
	Label    string
	Unit     string // in brackets after the label; empty for pure numbers
	Scale    Scale
	Min, Max float64
}

// Title is the label with its unit.
func (a Axis) Title() string {
	if a.Unit == "" {
		return a.Label
	}
	return a.Label + " (" + a.Unit + ")"
}

// Kind is how a series is drawn.
type Kind int

// The kinds of series. Bars are a histogram: X holds len(Y)+1 edges.
const (
	Line Kind = iota
	Step
	Bars
	Scatter
)

// Series is one set of points of a figure.
type Series struct {
	Name   string // in the legend; without a name it has no entry there
	Kind   Kind
	X, Y   []float64
	StdErr []float64 // error bars of one standard error each way; nil for none
	Labels []string  // text at the points; nil for none
	Color  int       // index into the palette, taken modulo its size
	Faint  bool      // pale and thin: the raw data beneath a smoothed line
	Dashed bool
	At     *float64 // place on the figure's ramp, which then gives the colour
}

// Ramp is the key of a history: series that have At are coloured by it. The
// logarithmic scale shows a history whose early part matters most.
type Ramp struct {
	Label    string
	Scale    Scale
	Min, Max float64
}

// position maps a value to [0, 1], 1 being the newest.
func (r *Ramp) position(v float64) float64 {
	if r == nil || !r.extends() || !showable(r.Scale, v) {
		return 1
	}
	return min(1, max(0, r.span().at(v)))
}

// extends says whether the ramp has more than one place.
func (r *Ramp) extends() bool {
	return r.Max-r.Min > tiniest && showable(r.Scale, r.Min) && showable(r.Scale, r.Max)
}

func (r *Ramp) span() span { return span{r.Scale, r.Min, r.Max} }

// Figure is a chart before it is drawn.
type Figure struct {
	Name   string // short and fit for a file name: "cdf"
	Title  string
	X, Y   Axis
	Series []Series
	Ramp   *Ramp
}

// Validate reports a figure that cannot be drawn because its slices do not fit
// together or its axes have no extent.
func (f Figure) Validate() error {
	for _, a := range []Axis{f.X, f.Y} {
		if a.Min == a.Max {
			continue
		}
		if !(a.Min < a.Max) || math.IsInf(a.Min, 0) || math.IsInf(a.Max, 0) || (a.Scale == Log && a.Min <= 0) {
			return fmt.Errorf("figure %q: axis %q has the range %g to %g", f.Name, a.Label, a.Min, a.Max)
		}
	}
	for _, s := range f.Series {
		n := len(s.Y)
		edges := n
		if s.Kind == Bars && n > 0 {
			edges++
		}
		if len(s.X) != edges {
			return fmt.Errorf("figure %q: series %q has %d x for %d y", f.Name, s.Name, len(s.X), n)
		}
		if (s.StdErr != nil && len(s.StdErr) != n) || (s.Labels != nil && len(s.Labels) != n) {
			return fmt.Errorf("figure %q: series %q has %d y, %d errors and %d labels", f.Name, s.Name, n, len(s.StdErr), len(s.Labels))
		}
	}
	return nil
}

// frame is the part of the data plane that a figure shows.
type frame struct {
	x, y span
}

// span is a range of one axis, never empty, positive if logarithmic.
type span struct {
	scale    Scale
	min, max float64
}

// frame finds the range of both axes.
func (f Figure) frame() frame {
	x, y := newExtent(f.X), newExtent(f.Y)
	scatter, bars := false, false
	for _, s := range f.Series {
		scatter = scatter || s.Kind == Scatter && len(s.Y) > 0
		bars = bars || s.Kind == Bars
		for i, v := range s.X {
			if s.Kind == Bars || y.shows(s.Y[i]) {
				x.add(v)
			}
		}
		for i, v := range s.Y {
			if s.Kind != Bars && !x.shows(s.X[i]) {
				continue
			}
			y.add(v)
			if s.StdErr != nil && y.shows(s.StdErr[i]) {
				y.add(v - s.StdErr[i])
				y.add(v + s.StdErr[i])
			}
		}
	}
	if bars && y.scale != Log {
		y.add(0)
	}
	pad := 0.0
	if scatter {
		pad = .04
	}
	return frame{x: x.span(f.X, pad, false), y: y.span(f.Y, .05, true)}
}

// extent collects the range of the values that an axis can show.
type extent struct {
	scale    Scale
	min, max float64
}

func newExtent(a Axis) *extent {
	return &extent{scale: a.Scale, min: math.Inf(1), max: math.Inf(-1)}
}

func (e *extent) shows(v float64) bool { return showable(e.scale, v) }

func (e *extent) add(v float64) {
	if e.shows(v) {
		e.min, e.max = min(e.min, v), max(e.max, v)
	}
}

// span pads the range by a share of its length on both sides; a range that
// starts near zero is made to start at zero.
func (e *extent) span(a Axis, pad float64, zero bool) span {
	if a.Min != a.Max {
		return span{a.Scale, a.Min, a.Max}
	}
	lo, hi := e.min, e.max
	if lo > hi { // no data
		if e.scale == Log {
			return span{Log, 1, 10}
		}
		return span{e.scale, 0, 1}
	}
	if e.scale == Log {
		if hi/lo < 1.001 {
			lo, hi = lo/2, hi*2
		}
		r := math.Pow(hi/lo, pad)
		return span{Log, max(lo/r, math.SmallestNonzeroFloat64), min(hi*r, math.MaxFloat64)}
	}
	if hi-lo <= max(tiniest, 1e-12*max(math.Abs(lo), math.Abs(hi))) {
		d := max(math.Abs(lo)/2, .5)
		lo, hi = lo-d, hi+d
	}
	d := (hi - lo) * pad
	low, high := lo-d, hi+d
	if zero && lo >= 0 && lo < .3*hi {
		low = 0
	}
	if math.IsInf(high-low, 0) {
		low, high = lo/4, hi/4
	}
	return span{e.scale, low, high}
}

// at maps a value to [0, 1] along the axis, beyond it if it is out of range.
func (s span) at(v float64) float64 {
	if s.scale == Log {
		return (math.Log(v) - math.Log(s.min)) / (math.Log(s.max) - math.Log(s.min))
	}
	return (v/2 - s.min/2) / (s.max/2 - s.min/2) // halved: the difference may not be a finite number
}

// tiniest is the smallest extent of an axis: below it numbers lose their digits.
const tiniest = 1e-300

// showable says whether a value has a place on an axis of this scale.
func showable(scale Scale, v float64) bool {
	return !math.IsNaN(v) && !math.IsInf(v, 0) && (scale != Log || v > 0)
}

// paths cuts a line series into runs of showable points; Step points are
// doubled so that the value holds until the next x.
func (f Figure) paths(s Series) [][][2]float64 {
	var all [][][2]float64
	var run [][2]float64
	for i := range s.Y {
		x, y := s.X[i], s.Y[i]
		if !showable(f.X.Scale, x) || !showable(f.Y.Scale, y) {
			if run != nil {
				all, run = append(all, run), nil
			}
			continue
		}
		if s.Kind == Step && len(run) > 0 {
			run = append(run, [2]float64{x, run[len(run)-1][1]})
		}
		run = append(run, [2]float64{x, y})
	}
	if run != nil {
		all = append(all, run)
	}
	return all
}
