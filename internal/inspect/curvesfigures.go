package inspect

import (
	"fmt"
	"math"

	"github.com/seed-4c77ef92/textwarp/internal/chart"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// Figures are the charts of the curves.
func (v *Curves) Figures() []chart.Figure {
	f := []chart.Figure{v.training()}
	switch {
	case len(v.Evaluations) == 0:
	case v.predicts:
		f = append(f, v.heldOutLikelihood())
	default:
		f = append(f, v.heldOut(), v.heldOutByNoise())
	}
	f = append(f,
		v.curve("grad-norm", "Gradient norm before clipping", chart.Axis{Label: "gradient norm", Scale: chart.Log}, 2,
			func(m Point) float64 { return m.GradNorm }),
		v.curve("lr", "Learning rate", chart.Axis{Label: "learning rate"}, 3,
			func(m Point) float64 { return m.LR }))
	if len(v.Timing) > 0 {
		f = append(f, v.speed())
	}
	return f
}

func stepAxis() chart.Axis { return chart.Axis{Label: "step", Scale: chart.Whole} }

// training is the logged loss and its running mean.
func (v *Curves) training() chart.Figure {
	title, unit := "Training loss under the warp", "nats a noisy token"
	if v.predicts {
		title, unit = "Training loss", "nats a token"
	}
	f := v.curve("loss", title, chart.Axis{Label: "cross-entropy", Unit: unit}, 0,
		func(m Point) float64 { return m.Loss })
	raw := &f.Series[0]
	if len(raw.Y) < 20 {
		return f
	}
	smooth := chart.Series{Name: "running mean", X: raw.X, Y: runningMean(raw.Y)}
	raw.Name, raw.Faint = "logged", true
	f.Series = append(f.Series, smooth)
	return f
}

// runningMean averages with Gaussian weights of a standard deviation of a
// fiftieth of the run, so that the mean does not lag behind.
func runningMean(y []float64) []float64 {
	deviation := max(1, float64(len(y))/50)
	reach := int(3 * deviation)
	out := make([]float64, len(y))
	for i := range y {
		sum, weight := 0.0, 0.0
		for j := max(0, i-reach); j <= min(len(y)-1, i+reach); j++ {
			z := float64(j-i) / deviation
			w := math.Exp(-z * z / 2)
			sum, weight = sum+w*y[j], weight+w
		}
		out[i] = sum / weight
	}
	return out
}

// curve draws one column of the training log.
func (v *Curves) curve(name, title string, y chart.Axis, color int, value func(Point) float64) chart.Figure {
	s := chart.Series{Name: y.Label, Color: color}
	for _, m := range v.Training {
		s.X, s.Y = append(s.X, float64(m.Step)), append(s.Y, value(m))
	}
	return chart.Figure{Name: name, Title: title, X: stepAxis(), Y: y, Series: []chart.Series{s}}
}

// heldOutLikelihood draws the loss of a run without noise.
func (v *Curves) heldOutLikelihood() chart.Figure {
	s := chart.Series{Name: "held-out loss"}
	for _, m := range v.Evaluations {
		s.X, s.Y = append(s.X, float64(m.Step)), append(s.Y, m.Eval.Likelihood.Nats)
		s.StdErr = append(s.StdErr, m.Eval.Likelihood.StdErr)
	}
	return chart.Figure{
		Name: "held-out", Title: "Held-out loss over training", X: stepAxis(),
		Y: chart.Axis{Label: "cross-entropy", Unit: "nats a token"}, Series: []chart.Series{s},
	}
}

// heldOut draws the loss at each noise level over training.
func (v *Curves) heldOut() chart.Figure {
	f := chart.Figure{
		Name: "held-out", Title: "Held-out loss by noise level over training",
		X: stepAxis(), Y: chart.Axis{Label: "cross-entropy", Unit: "nats a token", Scale: chart.Log},
	}
	levels := v.Evaluations[len(v.Evaluations)-1].Eval.T
	if len(levels) == 0 {
		return f
	}
	f.Ramp = &chart.Ramp{Label: "t", Scale: chart.Log, Min: levels[0], Max: levels[len(levels)-1]}
	for _, t := range levels {
		s := chart.Series{Name: fmt.Sprintf("t = %.3g", t), At: &t, Kind: chart.Line}
		for _, m := range v.Evaluations {
			for j, u := range m.Eval.T {
				if u == t {
					s.X, s.Y = append(s.X, float64(m.Step)), append(s.Y, m.Eval.CE[j])
				}
			}
		}
		if len(s.Y) == 1 {
			s.Kind = chart.Scatter // a line needs two points
		}
		f.Series = append(f.Series, s)
	}
	return f
}

// heldOutByNoise draws the newest evaluation with its errors, and the first one
// beneath it.
func (v *Curves) heldOutByNoise() chart.Figure {
	f := chart.Figure{
		Name: "held-out-noise", Title: "Held-out loss against noise level",
		X: chart.Axis{Label: "noise level t", Scale: chart.Log}, Y: chart.Axis{Label: "cross-entropy", Unit: "nats a token"},
	}
	for i, m := range []trainer.MetricsLine{v.Evaluations[0], v.Evaluations[len(v.Evaluations)-1]} {
		if i == 1 && len(v.Evaluations) == 1 {
			break
		}
		e := m.Eval
		name := fmt.Sprintf("step %d", m.Step)
		f.Series = append(f.Series,
			chart.Series{Name: name, X: e.T, Y: e.CE, StdErr: e.SE, Color: 1 - i})
	}
	return f
}

func (v *Curves) speed() chart.Figure {
	s := chart.Series{Name: "tokens/s", Color: 5}
	for _, l := range v.Timing {
		s.X, s.Y = append(s.X, float64(l.Step)), append(s.Y, l.TokensPerSecond)
	}
	return chart.Figure{
		Name: "speed", Title: "Training speed", X: stepAxis(),
		Y: chart.Axis{Label: "speed", Unit: "tokens/s"}, Series: []chart.Series{s},
	}
}
