package inspect

import (
	"github.com/seed-4c77ef92/textwarp/internal/chart"
	"github.com/seed-4c77ef92/textwarp/internal/printable"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// Figures are the charts of all runs over one another. A figure that no run has
// anything for is left out.
func (c *Comparison) Figures() []chart.Figure {
	nats := chart.Axis{Label: "cross-entropy", Unit: "nats a token"}
	noise := chart.Axis{Label: "noise level t", Scale: chart.Log}
	diffusing, predicting := c.of(trainer.CDCD), c.of(trainer.AR)
	all := []chart.Figure{
		c.overlaid("loss", "Training loss under the warp (running mean)", stepAxis(), chart.Axis{Label: "cross-entropy", Unit: "nats a noisy token"}, diffusing, trainingLoss),
		c.overlaid("loss-ar", "Training loss of the next token (running mean)", stepAxis(), nats, predicting, trainingLoss),
		c.overlaid("held-out", "Held-out loss over training, mean over noise levels", stepAxis(), nats, diffusing, heldOutOverTraining),
		c.overlaid("held-out-ar", "Held-out loss of the next token over training", stepAxis(), nats, predicting, heldOutOverTraining),
		c.overlaid("held-out-noise", "Newest held-out loss against noise level", noise, nats, diffusing, heldOutByNoise),
		c.overlaid("cdf", "Time warp: distribution of noise levels", noise, chart.Axis{Label: "warped time u = F(t)", Min: 0, Max: 1}, diffusing, distribution),
		c.overlaid("density", "Time warp: density over the logarithmic axis", noise, chart.Axis{Label: "t dF/dt", Unit: "per unit of ln t"}, diffusing, logDensity),
		c.overlaid("grad-norm", "Gradient norm before clipping (running mean)", stepAxis(), chart.Axis{Label: "gradient norm", Scale: chart.Log}, c.every(), gradientNorm),
		c.overlaid("speed", "Training speed (running mean)", stepAxis(), chart.Axis{Label: "speed", Unit: "tokens/s"}, c.every(), speed),
	}
	var some []chart.Figure
	for _, f := range all {
		if len(f.Series) > 0 {
			some = append(some, f)
		}
	}
	return some
}

func (c *Comparison) every() []int {
	at := make([]int, len(c.Runs))
	for i := range at {
		at[i] = i
	}
	return at
}

// overlaid draws one series of each of the runs at some places, whose colour is
// that of the place in every figure.
func (c *Comparison) overlaid(name, title string, x, y chart.Axis, at []int, points func(Compared) chart.Series) chart.Figure {
	f := chart.Figure{Name: name, Title: title, X: x, Y: y}
	for _, i := range at {
		s := points(c.Runs[i])
		if len(s.Y) == 0 {
			continue
		}
		if len(s.Y) == 1 {
			s.Kind = chart.Scatter // a line needs two points
		}
		s.Name, s.Color = printable.Line(c.Runs[i].Name), i
		f.Series = append(f.Series, s)
	}
	if len(f.Series) == 1 { // which has no legend
		f.Title += ": " + f.Series[0].Name
	}
	return f
}

func trainingLoss(r Compared) chart.Series {
	return smoothed(r.training, func(p Point) (step int, y float64) { return p.Step, p.Loss })
}

func gradientNorm(r Compared) chart.Series {
	return smoothed(r.training, func(p Point) (step int, y float64) { return p.Step, p.GradNorm })
}

func speed(r Compared) chart.Series {
	return smoothed(r.speed, func(t trainer.TimingLine) (step int, y float64) { return t.Step, t.TokensPerSecond })
}

// smoothed is the running mean of a column, where there is enough of it.
func smoothed[L any](lines []L, point func(L) (step int, y float64)) chart.Series {
	var s chart.Series
	for _, l := range lines {
		step, y := point(l)
		s.X, s.Y = append(s.X, float64(step)), append(s.Y, y)
	}
	if len(s.Y) >= 20 {
		s.Y = runningMean(s.Y)
	}
	return s
}

func heldOutOverTraining(r Compared) chart.Series {
	var s chart.Series
	for _, m := range r.evaluations {
		s.X, s.Y = append(s.X, float64(m.Step)), append(s.Y, heldOutLoss(m.Eval))
	}
	return s
}

func heldOutByNoise(r Compared) chart.Series {
	if len(r.evaluations) == 0 {
		return chart.Series{}
	}
	e := r.evaluations[len(r.evaluations)-1].Eval
	return chart.Series{X: e.T, Y: e.CE, StdErr: e.SE}
}

func distribution(r Compared) chart.Series {
	if r.warp == nil {
		return chart.Series{}
	}
	return chart.Series{X: r.warp.Warp.T, Y: r.warp.Warp.CDF}
}

func logDensity(r Compared) chart.Series {
	if r.warp == nil {
		return chart.Series{}
	}
	s := chart.Series{X: r.warp.Warp.T}
	for i, t := range s.X {
		s.Y = append(s.Y, t*r.warp.Warp.Density[i])
	}
	return s
}
