package page

import (
	"fmt"
	"math"
	"net/http"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/timewarp"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// scheduleNodes is the number of points of a fixed schedule's curve.
const scheduleNodes = 96

type warpAnswer struct {
	Kind      string           `json:"kind"`
	TMin      float64          `json:"t_min"`
	TMax      float64          `json:"t_max"`
	Steps     []int            `json:"steps"`
	Quantiles quantilesAnswer  `json:"quantiles"`
	Schedules []scheduleAnswer `json:"schedules"`
	Newest    trainer.WarpLine `json:"newest"`
}

type quantilesAnswer struct {
	U column   `json:"u"`
	T []column `json:"t"` // of every u, per step
}

// scheduleAnswer is a fixed schedule on the same axis.
type scheduleAnswer struct {
	Name    string `json:"name"`
	T       column `json:"t"`
	CDF     column `json:"cdf"`
	Density column `json:"density"` // per unit of ln t
}

func (s *Server) getWarp(r *http.Request) (warpAnswer, error) {
	var a warpAnswer
	run, err := s.run(r)
	if err != nil {
		return a, err
	}
	steps, quantiles := run.WarpSteps()
	if len(steps) == 0 {
		if problem := run.Problem(); problem != "" {
			return a, fmt.Errorf("%s: %w", problem, safeio.ErrCorrupt)
		}
		return a, fmt.Errorf("run %q has no warp, or none yet: %w", run.name, safeio.ErrNotFound)
	}
	if a.Newest, err = run.Snapshot(steps[len(steps)-1]); err != nil {
		return a, err
	}
	w := a.Newest.Warp
	a.Kind, a.TMin, a.TMax, a.Steps = w.Kind, w.TMin, w.TMax, steps
	for _, q := range w.Quantiles {
		a.Quantiles.U = append(a.Quantiles.U, q.U)
	}
	for _, at := range quantiles {
		t := make(column, len(w.Quantiles))
		for i := range t {
			t[i] = math.NaN()
			if i < len(at) {
				t[i] = at[i].T
			}
		}
		a.Quantiles.T = append(a.Quantiles.T, t)
	}
	a.Schedules = schedules(w.TMin, w.TMax)
	return a, nil
}

// schedules are the fixed ones, those that a range of noise levels allows.
func schedules(tMin, tMax float64) []scheduleAnswer {
	all := []scheduleAnswer{}
	for _, kind := range timewarp.Kinds() {
		w, err := timewarp.NewFixed(kind, tMin, tMax)
		if err != nil {
			continue // learned, or too narrow
		}
		c := scheduleAnswer{Name: kind}
		for i := range scheduleNodes {
			t := tMin * math.Pow(tMax/tMin, float64(i)/(scheduleNodes-1))
			c.T, c.CDF, c.Density = append(c.T, t), append(c.CDF, w.CDF(t)), append(c.Density, t*w.Density(t))
		}
		all = append(all, c)
	}
	return all
}

func (s *Server) getSnapshot(r *http.Request) (trainer.WarpLine, error) {
	run, err := s.run(r)
	if err != nil {
		return trainer.WarpLine{}, err
	}
	step, err := inPath(r, "step")
	if err != nil {
		return trainer.WarpLine{}, err
	}
	return run.Snapshot(step)
}
