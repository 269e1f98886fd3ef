package main

import (
	"context"
	"slices"
	"time"

	"github.com/seed-4c77ef92/textwarp/diffusion"
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

// sampled is what our sampler begins and ends with: noise, levels, tokens and the
// last x̂0.
func (o *ours) sampled() ([]safetensors.Tensor, error) {
	var levels, last []float32
	first := start{Denoiser: o.process}
	ids, err := o.sample(50, &first, func(now diffusion.Sight) {
		levels = append(levels, float32(now.T))
		if now.X0 != nil {
			last = append(last[:0], now.X0...)
		}
	})
	return []safetensors.Tensor{
		{Name: "noise", Shape: []int{len(first.noise)}, F32: first.noise},
		{Name: "levels", Shape: []int{len(levels)}, F32: levels},
		{Name: "tokens", Shape: []int{len(ids)}, F32: floats(ids)},
		{Name: "last", Shape: []int{len(last)}, F32: last},
	}, err
}

func floats(ids []int32) []float32 {
	out := make([]float32, len(ids))
	for i, id := range ids {
		out[i] = float32(id)
	}
	return out
}
