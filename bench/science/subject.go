package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-4c77ef92/textwarp/autoregressive"
	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/rng"
	"github.com/seed-4c77ef92/textwarp/timewarp"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// subject is a finished training run under study.
type subject struct {
	lab     *lab
	dir     string
	model   *trainer.Trained
	data    *trainer.Data
	pool    *kernels.Pool
	process *diffusion.CDCD           // of a diffusion run
	reader  *autoregressive.Objective // of an autoregressive one
	fit     timewarp.Warp             // of fitted; nil until it is asked for
}

// studyBatch is the number of windows that the network takes at a time.
const studyBatch = 16

func (l *lab) open(dir string, pool *kernels.Pool) (*subject, error) {
	m, err := trainer.Load(dir, pool)
	if err != nil {
		return nil, err
	}
	c := m.Config
	c.Data.Stream, c.Data.HeldOut = l.corpus.train, l.corpus.heldOut
	c.Run.Seed = 1 // runs of all seeds are measured on the same windows
	data, err := trainer.OpenData(c, nil)
	if err != nil {
		return nil, err
	}
	if data.HeldOut == nil || data.HeldOut.Windows() == 0 {
		return nil, errors.Join(errNoHeldOut, data.Train.Close())
	}
	s := &subject{lab: l, dir: dir, model: m, data: data, pool: pool}
	if c.Process.Objective == trainer.AR {
		s.reader = m.Model.Autoregressive(c, studyBatch, c.Data.Length)
	} else {
		s.process = m.Model.Process(c, m.Warp, studyBatch, c.Data.Length)
	}
	return s, nil
}

func (s *subject) close() { s.data.Train.Close() }

// take measures. What does not depend on the sampling is kept beside the run,
// for the other trials of it.
func (s *subject) take(ctx context.Context, name string, t Trial) (values, error) {
	m := measures[name]
	if m.ofText {
		return m.take(ctx, s, t)
	}
	path := filepath.Join(s.dir, "measured-"+name+".json")
	var v values
	if data, err := os.ReadFile(path); err == nil && json.Unmarshal(data, &v) == nil {
		return v, nil
	}
	v, err := m.take(ctx, s, t)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return v, os.WriteFile(path, data, 0o644)
}

// fitted is the online warp of the finished network, whatever schedule it was
// trained with: shown losses of the training text at noise levels spread evenly
// over ln t.
func (s *subject) fitted() (timewarp.Warp, error) {
	if s.fit != nil {
		return s.fit, nil
	}
	levels := 48
	if s.lab.smoke {
		levels = 4
	}
	p, l := s.model.Config.Process, s.model.Config.Data.Length
	w, err := timewarp.NewOnline(timewarp.OnlineOptions{TMin: p.TMin, TMax: p.TMax, Batch: studyBatch})
	if err != nil {
		return nil, err
	}
	ids, mask, ce := make([]int32, studyBatch*l), make([]float32, studyBatch*l), make([]float32, studyBatch*l)
	var seen []timewarp.Observation
	for k := range levels {
		t := p.TMin * math.Pow(p.TMax/p.TMin, (float64(k)+.5)/float64(levels))
		for i := range studyBatch {
			if err := s.data.Train.Next(ids[i*l : (i+1)*l]); err != nil {
				return nil, err
			}
			r := rng.New(1, "science.fit", uint64(k), uint64(i))
			diffusion.DrawMask(mask[i*l:(i+1)*l], p.Mask, &r)
		}
		s.process.CrossEntropy(ce, ids, mask, t, uint64(k), 0)
		for i := range studyBatch {
			sum, n := diffusion.MaskedSum(ce[i*l:(i+1)*l], mask[i*l:(i+1)*l])
			seen = append(seen, timewarp.Observation{T: t, Loss: sum / n, Weight: n})
		}
	}
	// The estimator forgets what is old, so no level may come before the others.
	r := rng.New(1, "science.fit.order", 0, 0)
	r.Shuffle(len(seen), func(i, j int) { seen[i], seen[j] = seen[j], seen[i] })
	for batch := range slices.Chunk(seen, studyBatch) {
		w.Observe(batch)
	}
	s.fit = w
	return w, nil
}

// learned is the run's own warp if it is an online one, else the fitted.
func (s *subject) learned() (timewarp.Warp, error) {
	if s.model.Config.Process.Warp == timewarp.KindOnline {
		return s.model.Warp, nil
	}
	return s.fitted()
}

// brief lists the most telling figures.
func brief(found map[string]values) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(found)) {
		for _, key := range slices.Sorted(maps.Keys(found[name])) {
			out = append(out, fmt.Sprintf("%s %.4g", key, found[name][key]))
		}
	}
	return strings.Join(out, ", ")
}
