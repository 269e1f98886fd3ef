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
	Quantiles []Quantiles        `json:"quantiles"` // of all snapshots

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

// ReadWarp reads warp.jsonl of a run. A run of the objective "ar", which knows no
// noise, and one that has not made a step are [safeio.ErrNotFound].
func ReadWarp(run string) (*Warp, error) {
	if predicts(run) {
		return nil, fmt.Errorf("%q predicts the next token (process.objective %s): it knows no noise and has no warp: %w",
			run, trainer.AR, safeio.ErrNotFound)
	}
	lines, err := readLog[trainer.WarpLine](run, trainer.WarpFile)
	if err != nil {
		return nil, err
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("%s of %q is empty: the run has not made its first step: %w", trainer.WarpFile, run, safeio.ErrNotFound)
	}
	v := &Warp{Schema: 1, View: "warp", Run: run}
	for i, l := range lines {
		if err := checkSnapshot(l.Warp); err != nil {
			return nil, corrupt(run, trainer.WarpFile, l.Step, "%v", err)
		}
		if i > 0 && l.Step <= lines[i-1].Step {
			return nil, corrupt(run, trainer.WarpFile, l.Step, "it comes after step %d", lines[i-1].Step)
		}
		v.Quantiles = append(v.Quantiles, Quantiles{l.Step, l.Warp.Quantiles})
	}
	newest := lines[len(lines)-1]
	v.Step, v.Warp = newest.Step, newest.Warp
	v.History = pickHistory(lines)
	v.HalfTop = v.Warp.Height / 2
	v.MeanLoss = meanLoss(v.Warp)
	return v, nil
}

// predicts tells a run of the objective "ar". A directory of logs without a
// configuration is taken for a run of diffusion.
func predicts(run string) bool {
	c, err := trainer.ReadConfig(run)
	return err == nil && c.Process.Objective == trainer.AR
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

// pickHistory takes snapshots at about geometrically spaced steps: a warp moves
// most at the start. The first and the last are always among them.
func pickHistory(lines []trainer.WarpLine) []trainer.WarpLine {
	if len(lines) <= historyCurves {
		return lines
	}
	first, last := float64(max(1, lines[0].Step)), float64(lines[len(lines)-1].Step)
	var out []trainer.WarpLine
	next := 0
	for k := range historyCurves {
		want := first * math.Pow(last/first, float64(k)/(historyCurves-1))
		for next < len(lines)-1 && float64(lines[next].Step) < want*(1-1e-9) {
			next++
		}
		if len(out) == 0 || out[len(out)-1].Step != lines[next].Step {
			out = append(out, lines[next])
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
