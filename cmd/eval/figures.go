package main

import (
	"github.com/seed-4c77ef92/textwarp/internal/chart"
	"github.com/seed-4c77ef92/textwarp/internal/eval"
)

// report is what `eval` shows.
type report struct{ *eval.Report }

// Figures are the losses by noise level and, where something judged, the plane of
// likelihood and entropy.
func (r report) Figures() []chart.Figure {
	var f []chart.Figure
	if len(r.CrossEntropy) > 0 {
		f = append(f, r.crossEntropy())
	}
	if r.Consistency != nil {
		f = append(f, r.slopes())
	}
	if r.Judges.Training != nil {
		f = append(f, r.plane("plane", "Kneser-Ney likelihood and entropy of texts", "character", func(s eval.Source) (nll, entropy point) {
			return point(s.Score.NLL), point(s.Score.Entropy)
		}))
	}
	if r.Judges.Second != "" {
		f = append(f, r.plane("plane-second", "Second judge's likelihood and entropy of texts", "token", func(s eval.Source) (nll, entropy point) {
			return point(s.Second.NLL), point(s.Second.Entropy)
		}))
	}
	return f
}

func noiseAxis() chart.Axis { return chart.Axis{Label: "noise level t", Scale: chart.Log} }

func (r report) crossEntropy() chart.Figure {
	f := chart.Figure{
		Name: "cross-entropy", Title: "Held-out cross-entropy by noise level",
		X: noiseAxis(), Y: chart.Axis{Label: "cross-entropy", Unit: "nats a noisy token"},
	}
	for i, e := range r.CrossEntropy {
		f.Series = append(f.Series, chart.Series{Name: "mask " + e.Mask, X: e.T, Y: e.CE, StdErr: e.SE, Color: i})
	}
	return f
}

// slopes draws both sides of the check a unit of ln t, so that equal areas are
// equal nats: the area under the squared error is the diffusion term of the
// bound.
func (r report) slopes() chart.Figure {
	c := r.Consistency
	f := chart.Figure{
		Name: "bound", Title: "The bound's integrand, and the slope it should not exceed",
		X: noiseAxis(), Y: chart.Axis{Label: "nats a token, a unit of ln t"},
	}
	for i, s := range []struct {
		name   string
		y, err []float64
	}{{"t dCE/dt", c.Slope, c.SlopeErr}, {"squared error / t²", c.Squared, c.SquaredErr}} {
		series := chart.Series{Name: s.name, X: c.T, Color: i}
		for k, t := range c.T {
			series.Y, series.StdErr = append(series.Y, t*s.y[k]), append(series.StdErr, t*s.err[k])
		}
		f.Series = append(f.Series, series)
	}
	return f
}

// point is an estimate with its error.
type point struct {
	Value  float64
	StdErr float64
}

// plane places every source by its entropy and the judge's NLL: down and to the
// left is repetition, up and to the right is noise.
func (r report) plane(name, title, unit string, of func(eval.Source) (nll, entropy point)) chart.Figure {
	f := chart.Figure{
		Name: name, Title: title,
		X: chart.Axis{Label: "unigram entropy", Unit: "nats"}, Y: chart.Axis{Label: "judge's NLL", Unit: "nats a " + unit},
	}
	for i, s := range r.Sources {
		nll, entropy := of(s)
		f.Series = append(f.Series, chart.Series{
			Name: s.Name, Kind: chart.Scatter, X: []float64{entropy.Value}, Y: []float64{nll.Value}, StdErr: []float64{nll.StdErr},
			Labels: []string{s.Name}, Color: i,
		})
	}
	return f
}
