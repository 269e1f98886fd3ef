package inspect

import (
	"fmt"
	"math"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/timewarp"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// historyCurves is how many moments of a warp a figure shows.
const historyCurves = 12

// Warp is the view `inspect warp`.
type Warp struct {
	Schema int    `json:"schema"`
	View   string `json:"view"`
	Run    string `json:"run"`
	Step   int    `json:"step"`

	Warp      timewarp.Snapshot  `json:"warp"`      // the newest
	History   []trainer.WarpLine `json:"history"`   // some, the first and the newest among them
	Quantiles []Quantiles        `json:"quantiles"` // of all snapshots, or, of a long run, of 400 of them

	// Under a warp that fits, the loss rises linearly in u, so that its mean
	// is half of the top of the curve: Dieleman et al., 2022, section 3.3.
	MeanLoss float64 `json:"mean_loss"` // of the fitted curve under F, nats; 0 where nothing is fitted
	HalfTop  float64 `json:"half_top"`
}

// Quantiles are the noise levels at u = .05 .25 .5 .75 .95.
type Quantiles struct {
	Step int                 `json:"step"`
	At   []timewarp.Quantile `json:"at"`
}

// ReadWarp reads the warp of a run. A run of the objective "ar", which knows no
// noise, and one that has not made a step are [safeio.ErrNotFound].
func ReadWarp(dir string) (*Warp, error) {
	r, err := read(dir)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.Warp()
}

// Warp is the view of a run's warp as of the last Update.
func (r *Run) Warp() (*Warp, error) {
	if r.Summary().Objective == trainer.AR {
		return nil, fmt.Errorf("%q predicts the next token (process.objective %s): it knows no noise and has no warp: %w",
			r.dir, trainer.AR, safeio.ErrNotFound)
	}
	if err := r.log(trainer.WarpFile); err != nil {
		return nil, err
	}
	v := &Warp{Schema: 1, View: "warp", Run: r.dir}
	steps, quantiles := r.WarpSteps()
	if len(steps) == 0 {
		return nil, fmt.Errorf("%s of %q is empty: the run has not made its first step: %w", trainer.WarpFile, r.dir, safeio.ErrNotFound)
	}
	for i, step := range steps {
		v.Quantiles = append(v.Quantiles, Quantiles{step, quantiles[i]})
	}
	for _, step := range pickHistory(steps) {
		line, err := r.Snapshot(step)
		if err != nil {
			return nil, err
		}
		v.History = append(v.History, line)
	}
	v.show(v.History[len(v.History)-1])
	return v, nil
}

// At is the view with the snapshot of a step in the place of the newest.
func (v *Warp) At(line trainer.WarpLine) *Warp {
	at := *v
	at.History = nil
	for _, l := range v.History {
		if l.Step < line.Step {
			at.History = append(at.History, l)
		}
	}
	at.History = append(at.History, line)
	at.show(line)
	return &at
}

func (v *Warp) show(line trainer.WarpLine) {
	v.Step, v.Warp = line.Step, line.Warp
	v.HalfTop = v.Warp.Height / 2
	v.MeanLoss = meanLoss(v.Warp)
}

// checkSnapshot refuses what could not be drawn.
func checkSnapshot(s timewarp.Snapshot) error {
	n := len(s.T)
	switch {
	case n < 2 || len(s.CDF) != n || len(s.Density) != n || (len(s.Loss) != n && len(s.Loss) != 0):
		return fmt.Errorf("the warp has %d noise levels, %d values of F, %d densities and %d losses", n, len(s.CDF), len(s.Density), len(s.Loss))
	case !(s.TMin > 0 && s.TMin < s.TMax):
		return fmt.Errorf("the warp lies between %g and %g", s.TMin, s.TMax)
	}
	for i := 1; i < n; i++ {
		if !(s.T[i-1] > 0 && s.T[i-1] < s.T[i]) {
			return fmt.Errorf("noise level %d is %g after %g", i, s.T[i], s.T[i-1])
		}
	}
	return nil
}

// pickHistory takes about geometrically spaced steps: a warp moves most at the
// start. The first and the last are always among them.
func pickHistory(steps []int) []int {
	if len(steps) <= historyCurves {
		return steps
	}
	first, last := float64(max(1, steps[0])), float64(steps[len(steps)-1])
	var out []int
	next := 0
	for k := range historyCurves {
		want := first * math.Pow(last/first, float64(k)/(historyCurves-1))
		for next < len(steps)-1 && float64(steps[next]) < want*(1-1e-9) {
			next++
		}
		if len(out) == 0 || out[len(out)-1] != steps[next] {
			out = append(out, steps[next])
		}
	}
	return out
}

// meanLoss integrates the fitted curve over u by the trapezium rule.
func meanLoss(s timewarp.Snapshot) float64 {
	mean := 0.0
	for i := 1; i < len(s.Loss); i++ {
		mean += (s.Loss[i] + s.Loss[i-1]) / 2 * (s.CDF[i] - s.CDF[i-1])
	}
	return mean
}
