package main

import (
	"bufio"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/rng"
	"github.com/seed-4c77ef92/textwarp/internal/safetensors"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// writeProblem writes the weights and the batch that all workers start from.
func writeProblem(path string, w *workload) error {
	model, err := trainer.NewModel(w.net, nil, false, nil)
	if err != nil {
		return err
	}
	model.Init(1)
	for _, t := range model.Tensors(model.Params, "") {
		// The head and the modulations begin at zero, which would leave little to
		// compare: the gradient of everything below would vanish.
		if slices.Max(t.F32) == 0 && slices.Min(t.F32) == 0 {
			s := rng.New(1, "lively."+t.Name, 0, 0)
			s.FillNormal(t.F32)
			scale := .02
			if len(t.Shape) == 2 {
				scale = .5 / math.Sqrt(float64(t.Shape[0]))
			}
			for i := range t.F32 {
				t.F32[i] *= float32(scale)
			}
		}
	}
	rows, c := w.tokens(), w.config().Process
	ids, t, features := make([]float32, rows), make([]float32, w.batch), make([]float32, rows*w.net.Features())
	s := rng.New(1, "ids", 0, 0)
	for i := range ids {
		ids[i] = float32(s.IntN(w.net.Vocab))
	}
	for i := range t {
		t[i] = float32(c.TMin * math.Pow(c.TMax/c.TMin, (float64(i)+.5)/float64(len(t))))
	}
	s = rng.New(1, "features", 0, 0)
	s.FillNormal(features)
	return writeTensors(path, append(model.Tensors(model.Params, ""),
		safetensors.Tensor{Name: "ids", Shape: []int{rows}, F32: ids},
		safetensors.Tensor{Name: "t", Shape: []int{len(t)}, F32: t},
		safetensors.Tensor{Name: "features", Shape: []int{rows, w.net.Features()}, F32: features}))
}

// writeAnswer writes our loss and gradients of the first step of a worker, and
// what the peer needs to make the same step: in a CDCD step the network's last
// input, from which masks, noise and condition can be read.
func writeAnswer(path string, s spec) error {
	pool := kernels.NewPool(s.Threads)
	defer pool.Close()
	o, err := newOurs(s, pool)
	if err != nil {
		return err
	}
	r := &recorder{features: o.features, t: o.t}
	if s.Step == cdcd {
		r.Network = o.process.Net
		o.process.Net = r
	}
	loss := o.gradient()
	t := make([]float32, len(r.t))
	for i, v := range r.t {
		t[i] = float32(v)
	}
	tensors := []safetensors.Tensor{
		{Name: "loss", Shape: []int{1}, F32: []float32{float32(loss)}},
		{Name: "t", Shape: []int{len(t)}, F32: t},
		{Name: "features", Shape: []int{len(r.features)}, F32: r.features},
	}
	if s.Step == plain {
		tensors = append(tensors, safetensors.Tensor{Name: "grad.features", Shape: []int{len(o.dFeatures)}, F32: o.dFeatures})
	}
	for _, g := range o.model.Tensors(o.model.Grads, "grad.") {
		fixed := strings.HasSuffix(g.Name, "time.frequencies")
		if unused := s.Step == plain && strings.HasSuffix(g.Name, "embeddings.weight"); !fixed && !unused {
			tensors = append(tensors, g)
		}
	}
	return writeTensors(path, tensors)
}

// recorder keeps the input of the last Forward.
type recorder struct {
	diffusion.Network
	features []float32
	t        []float64
}

func (r *recorder) Forward(b, l int, features []float32, t []float64) {
	r.features, r.t = append(r.features[:0], features...), append(r.t[:0], t...)
	r.Network.Forward(b, l, features, t)
}

func writeTensors(path string, tensors []safetensors.Tensor) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	err = safetensors.Write(w, nil, tensors)
	if err == nil {
		err = w.Flush()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}
