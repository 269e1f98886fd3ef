// Command interop writes what a run computes for given inputs, as safetensors, for
// check_model.py to compare: interop RUN OUT TEXT.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/seed-4c77ef92/textwarp/autoregressive"
	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/rng"
	"github.com/seed-4c77ef92/textwarp/internal/safetensors"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

func main() {
	if err := dump(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

const texts, steps, seed = 2, 20, 7

func dump(run, out, text string) error {
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
	written, numbers, err := write(m)
	if err != nil {
		return err
	}
	tensors = append(tensors, numbers, floats("ids", written, texts, l))
	tokens := m.Tokenizer.Encode(nil, text)
	tensors = append(tensors, floats("tokens", tokens, len(tokens)))
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	defer f.Close()
	return safetensors.Write(f, nil, tensors)
}

// write has the run write some texts, and returns the random numbers that it took:
// the noise of diffusion, or what chose among the next tokens.
func write(m *trainer.Trained) (ids []int32, numbers safetensors.Tensor, err error) {
	l, d := m.Config.Data.Length, m.Model.Table.D
	if m.Warp == nil {
		return predict(m)
	}
	noise, ids, prob := make([]float32, texts*l*d), make([]int32, texts*l), make([]float32, texts*l)
	for b := range texts {
		s := rng.New(seed, "sample", uint64(b), 0)
		s.FillNormal(noise[b*l*d : (b+1)*l*d])
	}
	sampler := diffusion.Sampler{
		Schedule: m.Warp, Steps: steps, Method: diffusion.Euler, Guidance: 1.5, Temperature: .8, Exact: true, InitialNoise: 1,
		SelfCondition: m.Config.Process.SelfConditioning > 0, Seed: seed,
	}
	process := m.Model.Process(m.Config, m.Warp, texts, l)
	err = sampler.Run(context.Background(), process, diffusion.NewState(texts, l, d), ids, prob, nil)
	return ids, safetensors.Tensor{Name: "noise", Shape: []int{texts, l, d}, F32: noise}, err
}

func predict(m *trainer.Trained) (ids []int32, numbers safetensors.Tensor, err error) {
	l := m.Config.Data.Length
	writer := autoregressive.Writer{Table: m.Model.Table, Decoder: m.Model.Net.NewDecoder(texts, l), FIM: m.Config.Process.FIM > 0}
	sequences := make([]autoregressive.Sequence, texts)
	uniform := make([]float32, texts*l)
	for b := range sequences {
		sequences[b].Most = l
		for k := range l {
			s := rng.New(seed, "token", uint64(b), uint64(k))
			uniform[b*l+k] = float32(s.Float64())
		}
	}
	err = autoregressive.Sampler{Temperature: .8, TopP: .9, Seed: seed}.Run(context.Background(), writer, sequences, nil)
	for _, q := range sequences {
		ids = append(ids, q.IDs...)
	}
	return ids, safetensors.Tensor{Name: "uniform", Shape: []int{texts, l}, F32: uniform}, err
}

// floats is a tensor of ids.
func floats(name string, ids []int32, shape ...int) safetensors.Tensor {
	values := make([]float32, len(ids))
	for i, id := range ids {
		values[i] = float32(id)
	}
	return safetensors.Tensor{Name: name, Shape: shape, F32: values}
}
