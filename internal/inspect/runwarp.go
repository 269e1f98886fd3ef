package inspect

import (
	"fmt"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/timewarp"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

type warpEntry struct {
	kind       string
	tMin, tMax float64
	quantiles  []timewarp.Quantile
}

// decodeWarp takes the line but for its curves, which are the most of it.
func decodeWarp(line []byte) (int, warpEntry, error) {
	var w struct {
		Step int `json:"step"`
		Warp struct {
			Kind      string              `json:"kind"`
			TMin      float64             `json:"t_min"`
			TMax      float64             `json:"t_max"`
			Quantiles []timewarp.Quantile `json:"quantiles"`
		} `json:"warp"`
	}
	err := unmarshal(line, &w)
	if n := len(w.Warp.Quantiles); err == nil && (n > maxLists || len(w.Warp.Kind) > maxLists) {
		err = fmt.Errorf("the warp has %d quantiles and a name of %d bytes, at most %d: %w", n, len(w.Warp.Kind), maxLists, safeio.ErrCorrupt)
	}
	return w.Step, warpEntry{w.Warp.Kind, w.Warp.TMin, w.Warp.TMax, w.Warp.Quantiles}, err
}

func checkWarp(line []byte) error {
	_, err := parseWarp(line)
	return err
}

func parseWarp(line []byte) (trainer.WarpLine, error) {
	var w trainer.WarpLine
	if err := unmarshal(line, &w); err != nil {
		return w, err
	}
	if err := checkSnapshot(w.Warp); err != nil {
		return w, fmt.Errorf("step %d: %w: %w", w.Step, err, safeio.ErrCorrupt)
	}
	return w, nil
}

// WarpSteps lists the steps whose snapshots can be had, and the quantiles of
// each.
func (r *Run) WarpSteps() (steps []int, at [][]timewarp.Quantile) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.warp.all() {
		steps, at = append(steps, e.step), append(at, e.kept.quantiles)
	}
	return steps, at
}

// Snapshot reads the snapshot of a step of [Run.WarpSteps].
func (r *Run) Snapshot(step int) (trainer.WarpLine, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	line, err := lineOf(&r.warp, r.root, step)
	if err != nil {
		return trainer.WarpLine{}, err
	}
	return parseWarp(line)
}
