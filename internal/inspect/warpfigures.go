package inspect

import (
	"fmt"
	"math"

	"github.com/seed-4c77ef92/textwarp/internal/chart"
	"github.com/seed-4c77ef92/textwarp/timewarp"
)

// Figures are the charts of the warp.
func (v *Warp) Figures() []chart.Figure {
	f := []chart.Figure{v.cdf(), v.density(), v.loss(), v.linearity(), v.moves()}
	if len(v.Warp.Observed) > 0 {
		f = append(f, v.observations())
	}
	return f
}

func (v *Warp) noise() chart.Axis {
	return chart.Axis{Label: "noise level t", Scale: chart.Log, Min: v.Warp.TMin, Max: v.Warp.TMax}
}

// steps is the key of the history.
func (v *Warp) steps() *chart.Ramp {
	first, last := float64(v.History[0].Step), float64(v.Step)
	r := &chart.Ramp{Label: "step", Min: first, Max: last}
	if first > 0 && last > 20*first {
		r.Scale = chart.Log
	}
	return r
}

// history draws one curve of each moment.
func (v *Warp) history(y func(timewarp.Snapshot) []float64) []chart.Series {
	var all []chart.Series
	for _, l := range v.History {
		at := float64(l.Step)
		all = append(all, chart.Series{Name: fmt.Sprintf("step %d", l.Step), X: l.Warp.T, Y: y(l.Warp), At: &at})
	}
	return all
}

func (v *Warp) cdf() chart.Figure {
	return chart.Figure{
		Name: "cdf", Title: "Time warp: distribution of noise levels",
		X: v.noise(), Y: chart.Axis{Label: "warped time u = F(t)", Min: 0, Max: 1}, Ramp: v.steps(),
		Series: v.history(func(s timewarp.Snapshot) []float64 { return s.CDF }),
	}
}

func (v *Warp) density() chart.Figure {
	return chart.Figure{
		Name: "density", Title: "Time warp: density over the logarithmic axis",
		X: v.noise(), Y: chart.Axis{Label: "t dF/dt", Unit: "per unit of ln t"}, Ramp: v.steps(),
		Series: v.history(func(s timewarp.Snapshot) []float64 {
			y := make([]float64, len(s.T))
			for i, t := range s.T {
				y[i] = t * s.Density[i]
			}
			return y
		}),
	}
}

// observed are the binned losses at x(t).
func (v *Warp) observed(x func(t float64) float64) chart.Series {
	s := chart.Series{Name: "observed ± standard error", Kind: chart.Scatter, Color: 1, StdErr: []float64{}}
	for _, b := range v.Warp.Observed {
		s.X, s.Y, s.StdErr = append(s.X, x(b.T)), append(s.Y, b.Mean), append(s.StdErr, b.StdErr)
	}
	return s
}

func (v *Warp) loss() chart.Figure {
	f := chart.Figure{
		Name: "loss", Title: "Training loss by noise level",
		X: v.noise(), Y: chart.Axis{Label: "cross-entropy", Unit: "nats a token"},
		Series: []chart.Series{v.observed(func(t float64) float64 { return t })},
	}
	if w := v.Warp; len(w.Loss) > 0 {
		f.Series = append(f.Series, chart.Series{Name: "fitted curve", X: w.T, Y: w.Loss})
	}
	return f
}

// linearity shows the loss against u: a straight line if the warp does its
// work.
func (v *Warp) linearity() chart.Figure {
	w := v.Warp
	f := chart.Figure{
		Name: "linearity", Title: "Training loss against warped time",
		X: chart.Axis{Label: "warped time u = F(t)", Min: 0, Max: 1}, Y: chart.Axis{Label: "cross-entropy", Unit: "nats a token"},
		Series: []chart.Series{v.observed(func(t float64) float64 { return interpolate(w.T, w.CDF, t) })},
	}
	if len(w.Loss) > 0 {
		f.Series = append(f.Series,
			chart.Series{Name: "fitted curve", X: w.CDF, Y: w.Loss},
			chart.Series{Name: "linear", X: []float64{0, 1}, Y: []float64{w.Loss[0], w.Loss[len(w.Loss)-1]}, Color: 6, Dashed: true})
	}
	return f
}

// moves shows the quantiles over training.
func (v *Warp) moves() chart.Figure {
	f := chart.Figure{
		Name: "quantiles", Title: "Quantiles of the warp over training",
		X: chart.Axis{Label: "step", Scale: chart.Whole}, Y: chart.Axis{Label: "noise level t", Scale: chart.Log},
	}
	for i, q := range v.Warp.Quantiles {
		s := chart.Series{Name: fmt.Sprintf("u = %.3g", q.U), Color: i}
		for _, m := range v.Quantiles {
			if i < len(m.At) {
				s.X, s.Y = append(s.X, float64(m.Step)), append(s.Y, m.At[i].T)
			}
		}
		f.Series = append(f.Series, s)
	}
	return f
}

// observations shows where the recent losses were measured.
func (v *Warp) observations() chart.Figure {
	s := chart.Series{Name: "observations", Kind: chart.Bars, Color: 5}
	last := 0.0
	for _, b := range v.Warp.Observed {
		if len(s.X) > 0 && b.Lo > last*1.0000001 { // an empty interval
			s.X, s.Y = append(s.X, last), append(s.Y, 0)
		}
		s.X, s.Y = append(s.X, b.Lo), append(s.Y, b.Count)
		last = b.Hi
	}
	s.X = append(s.X, last)
	return chart.Figure{
		Name: "observations", Title: "Recent training sequences by noise level",
		X: v.noise(), Y: chart.Axis{Label: "sequences", Unit: "effective number"}, Series: []chart.Series{s},
	}
}

// interpolate is y at x, linear in ln x between the nodes.
func interpolate(xs, ys []float64, x float64) float64 {
	if x <= xs[0] {
		return ys[0]
	}
	for i := 1; i < len(xs); i++ {
		if x <= xs[i] {
			s := math.Log(x/xs[i-1]) / math.Log(xs[i]/xs[i-1])
			return ys[i-1] + s*(ys[i]-ys[i-1])
		}
	}
	return ys[len(ys)-1]
}
