package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/safetensors"
)

// sample draws a batch by Euler's method, with a call of the denoiser for every step
// and one that reads the tokens off.
func (o *ours) sample(steps int, d diffusion.Denoiser, observe func(diffusion.Sight)) ([]int32, error) {
	st := diffusion.NewState(o.batch, o.length, o.model.Table.D)
	s := diffusion.Sampler{
		Schedule: o.process.Warp, Steps: steps, Method: diffusion.Euler,
		Guidance: 1, Temperature: 1, InitialNoise: 1, SelfCondition: true, Seed: 1,
	}
	ids := make([]int32, len(st.M))
	return ids, s.Run(context.Background(), d, st, ids, make([]float32, len(ids)), observe)
}

// timeSamples gives the milliseconds of a call of the network, everything between
// noise and tokens included.
func (o *ours) timeSamples(steps int) ([]float64, error) {
	began := time.Now()
	_, err := o.sample(steps, o.process, nil)
	return []float64{time.Since(began).Seconds() * 1e3 / float64(steps+1)}, err
}

// start is a denoiser that keeps the first noise.
type start struct {
	diffusion.Denoiser
	noise []float32
}

func (s *start) Denoise(st *diffusion.State, x0 []float32) {
	if s.noise == nil {
		s.noise = slices.Clone(st.X)
	}
	s.Denoiser.Denoise(st, x0)
}

// writeSamples writes what our sampler begins and ends with: noise, levels, last
// x̂0 and tokens.
func writeSamples(path string, s spec) error {
	pool := kernels.NewPool(s.Threads)
	defer pool.Close()
	o, err := newOurs(s, pool)
	if err != nil {
		return err
	}
	const steps = 50
	levels, last := make([]float32, 0, steps+1), []float32(nil)
	first := start{Denoiser: o.process}
	ids, err := o.sample(steps, &first, func(now diffusion.Sight) {
		levels = append(levels, float32(now.T))
		if now.X0 != nil {
			last = append(last[:0], now.X0...)
		}
	})
	if err != nil {
		return err
	}
	tokens := make([]float32, len(ids))
	for i, id := range ids {
		tokens[i] = float32(id)
	}
	return writeTensors(path, []safetensors.Tensor{
		{Name: "noise", Shape: []int{len(first.noise)}, F32: first.noise},
		{Name: "levels", Shape: []int{len(levels)}, F32: levels},
		{Name: "x0", Shape: []int{len(last)}, F32: last},
		{Name: "tokens", Shape: []int{len(tokens)}, F32: tokens},
	})
}

// likeness is how far the peer's samples are from ours, from the same noise.
type likeness struct {
	Workload string  `json:"workload"`
	Tokens   int     `json:"tokens"`
	Same     int     `json:"same"`
	X0       float64 `json:"x0"` // largest difference of the last x̂0, beside its largest number
}

// compareSamples lets the peer sample from our noise. Rounding may turn the
// choice between two tokens that are all but equally likely, and no other.
func (d *driver) compareSamples(ctx context.Context, w *workload) (likeness, error) {
	answer := filepath.Join(d.out, "answer.safetensors")
	s := w.spec(d.file(w), sampling, d.threads)
	if err := writeSamples(answer, s); err != nil {
		return likeness{}, err
	}
	found := likeness{Workload: w.name}
	r := &racer{result: &result{}}
	if err := r.start(ctx, d, variant{env: mallocEnv}, s); err != nil {
		return found, err
	}
	defer r.leave()
	if err := r.worker.ask(&found, "agree 0 %s", answer); err != nil {
		return found, err
	}
	if !(found.X0 < disagreement) || float64(found.Same) < .999*float64(found.Tokens) {
		return found, fmt.Errorf("compare %s: %d of %d tokens are the same, x̂0 differs by %.2g: the samplers are not the same",
			w.name, found.Same, found.Tokens, found.X0)
	}
	return found, nil
}
