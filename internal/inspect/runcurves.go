package inspect

import (
	"fmt"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// Bounds of what is kept of a run's curves, however long it is.
const (
	maxPoints      = 4096 // of a curve
	maxEvaluations = 200
	maxMetrics     = 64 << 10 // bytes of a line; an evaluation has some thousand
	maxLists       = 256      // noise levels, classes and quantiles of a line
)

// Point is a point of the training curves: a line of metrics.jsonl or, in a long
// run, the mean of several.
type Point struct {
	trainer.MetricsLine         // means; step, tokens and skipped steps of the last
	LossMin             float64 `json:"loss_min,omitempty"`
	LossMax             float64 `json:"loss_max,omitempty"`
	Lines               int     `json:"lines,omitempty"` // 0 where it is one
}

// LossRange is from the lowest to the highest loss of the point's lines.
func (p Point) LossRange() (low, high float64) {
	if p.Lines == 0 {
		return p.Loss, p.Loss
	}
	return p.LossMin, p.LossMax
}

func mergePoints(a Point, na int, b Point, nb int) Point {
	p := b
	p.Loss, p.GradNorm, p.LR = mean(a.Loss, na, b.Loss, nb), mean(a.GradNorm, na, b.GradNorm, nb), mean(a.LR, na, b.LR, nb)
	aMin, aMax := a.LossRange()
	bMin, bMax := b.LossRange()
	p.LossMin, p.LossMax, p.Lines = min(aMin, bMin), max(aMax, bMax), na+nb
	return p
}

func mergeTiming(a trainer.TimingLine, na int, b trainer.TimingLine, nb int) trainer.TimingLine {
	b.TokensPerSecond = mean(a.TokensPerSecond, na, b.TokensPerSecond, nb)
	b.GFLOPS = mean(a.GFLOPS, na, b.GFLOPS, nb)
	return b
}

func latest[P any](_ P, _ int, b P, _ int) P { return b }

func (r *Run) forgetMetrics() {
	r.training.forget()
	r.evaluations.forget()
	r.step, r.tokens, r.best = 0, 0, nil
}

func (r *Run) addMetrics(line []byte) error {
	if len(line) > maxMetrics {
		return fmt.Errorf("a line of %d bytes, at most %d: %w", len(line), maxMetrics, safeio.ErrCorrupt)
	}
	var m trainer.MetricsLine
	if err := unmarshal(line, &m); err != nil {
		return err
	}
	if m.Step < r.step && len(r.training.points) > 0 {
		return fmt.Errorf("step %d comes after step %d: %w", m.Step, r.step, safeio.ErrCorrupt)
	}
	if m.Eval != nil {
		if err := r.checkEvaluation(m.Eval); err != nil {
			return err
		}
		r.evaluations.add(m)
		if h := (Held{m.Step, heldOutLoss(m.Eval)}); r.best == nil || h.Loss <= r.best.Loss {
			r.best = &h
		}
	} else {
		r.training.add(Point{MetricsLine: m})
	}
	r.step, r.tokens = m.Step, max(r.tokens, m.Tokens)
	return nil
}

func (r *Run) checkEvaluation(e *trainer.Evaluation) error {
	switch predicts := r.predicts(); {
	case predicts != (e.Likelihood != nil):
		return fmt.Errorf("the evaluation is not of the objective in %s: %w", trainer.ConfigFile, safeio.ErrCorrupt)
	case len(e.T) > maxLists || len(e.Classes) > maxLists:
		return fmt.Errorf("the evaluation has %d noise levels and %d classes, at most %d each: %w", len(e.T), len(e.Classes), maxLists, safeio.ErrCorrupt)
	case len(e.CE) != len(e.T) || len(e.SE) != len(e.T):
		return fmt.Errorf("the evaluation has %d noise levels, %d losses and %d errors: %w", len(e.T), len(e.CE), len(e.SE), safeio.ErrCorrupt)
	}
	return nil
}

// addTiming leaves out the lines of steps that were taken again after a crash:
// timing.jsonl, unlike the other logs, keeps them. A line that is none is not worth
// the rest of a run: early versions wrote on behind what a crash had torn.
func (r *Run) addTiming(line []byte) error {
	var t trainer.TimingLine
	if unmarshal(line, &t) != nil {
		return nil
	}
	r.speed.drop(func(p trainer.TimingLine) bool { return p.Step >= t.Step })
	r.speed.add(t)
	return nil
}

// Training returns at most n points of the training curves.
func (r *Run) Training(n int) []Point {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.training.most(n)
}

// Speed returns at most n points of the speed.
func (r *Run) Speed(n int) []trainer.TimingLine {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.speed.most(n)
}

// Best is the evaluation of the lowest loss, the newest of these; nil without any.
func (r *Run) Best() *Held {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.best
}

// Evaluations returns at most n held-out evaluations, the newest among them.
func (r *Run) Evaluations(n int) []trainer.MetricsLine {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.evaluations.most(n)
}
