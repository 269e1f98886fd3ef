// Command interop writes what a run computes for given inputs, as safetensors, for
// check_model.py to compare: interop RUN OUT.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/rng"
	"github.com/seed-4c77ef92/textwarp/internal/safetensors"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

func main() {
	if err := dump(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

const texts, steps, seed = 2, 20, 7

func dump(run, out string) error {
	pool := kernels.NewPool(2)
	defer pool.Close()
	m, err := trainer.Load(run, pool)
	if err != nil {
		return err
	}
	l, d, v := m.Config.Data.Length, m.Model.Table.D, m.Model.Table.V
	rows := texts * l
	features, logits := make([]float32, rows*(3*d+1)), make([]float32, rows*v)
	s := rng.New(seed, "features", 0, 0)
	s.FillNormal(features)
	t := []float64{1, 3}
	pass := m.Model.Net.NewPass(texts, l, false)
	pass.Forward(texts, l, features, t)
	pass.Logits(logits)
	tensors := []safetensors.Tensor{
		{Name: "features", Shape: []int{texts, l, 3*d + 1}, F32: features},
		{Name: "logits", Shape: []int{texts, l, v}, F32: logits},
		{Name: "table", Shape: []int{v, d}, F32: m.Model.Table.E},
	}
	if m.Warp != nil {
		noise, ids, prob := make([]float32, rows*d), make([]int32, rows), make([]float32, rows)
		for b := range texts {
			s := rng.New(seed, "sample", uint64(b), 0)
			s.FillNormal(noise[b*l*d : (b+1)*l*d])
		}
		sampler := diffusion.Sampler{
			Schedule: m.Warp, Steps: steps, Method: diffusion.Euler, Guidance: 1.5, Temperature: .8, InitialNoise: 1,
			SelfCondition: m.Config.Process.SelfConditioning > 0, Seed: seed,
		}
		process := m.Model.Process(m.Config, m.Warp, texts, l)
		if err := sampler.Run(context.Background(), process, diffusion.NewState(texts, l, d), ids, prob, nil); err != nil {
			return err
		}
		written := make([]float32, rows)
		for i, id := range ids {
			written[i] = float32(id)
		}
		tensors = append(tensors, safetensors.Tensor{Name: "noise", Shape: []int{texts, l, d}, F32: noise},
			safetensors.Tensor{Name: "ids", Shape: []int{texts, l}, F32: written})
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	defer f.Close()
	return safetensors.Write(f, nil, tensors)
}
