package denoiser

import (
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
)

// BenchmarkStep is forward, loss, backward and optimiser of the nano preset on
// 8 sequences of 128 tokens.
func BenchmarkStep(b *testing.B) {
	const batch, l = 8, 128
	params, grads := lively(nano), make([]float32, nano.NumParams())
	m, v, ema := make([]float32, len(params)), make([]float32, len(params)), make([]float32, len(params))
	pool := kernels.NewPool(0)
	defer pool.Close()
	n, err := New(nano, params, grads, pool)
	if err != nil {
		b.Fatal(err)
	}
	pass := n.NewPass(batch, l, true)
	p := newProblem(nano, batch, l)
	ce, dFeatures := make([]float32, batch*l), make([]float32, len(p.features))
	step := 0
	b.Logf("%s", pool.Level())
	for b.Loop() {
		step++
		clear(grads)
		pass.Forward(batch, l, p.features, p.t)
		pass.Loss(ce, p.targets, p.weight)
		pass.Backward(dFeatures)
		pool.AdamW(params, grads, m, v, ema, kernels.AdamOptions{
			LR: 1e-4, Beta1: .9, Beta2: .99, Eps: 1e-8, ClipScale: 1, EMA: .998, Step: step,
		})
	}
	report(b, batch*l, 3*nano.FLOPs(l))
}

// BenchmarkForward is a sampling step of the nano preset.
func BenchmarkForward(b *testing.B) {
	const batch, l = 8, 128
	n, _ := open(b, nano, 0)
	p := newProblem(nano, batch, l)
	pass := n.NewPass(batch, l, false)
	x0, table := make([]float32, batch*l*nano.EmbedDim), make([]float32, nano.Vocab*nano.EmbedDim)
	for b.Loop() {
		pass.Forward(batch, l, p.features, p.t)
		pass.Interpolate(x0, table, nil)
	}
	report(b, batch*l, nano.FLOPs(l))
}

func report(b *testing.B, tokens int, flops float64) {
	rate := float64(b.N*tokens) / b.Elapsed().Seconds()
	b.ReportMetric(rate, "tokens/s")
	b.ReportMetric(rate*flops/1e9, "GFLOP/s")
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(b.Elapsed().Seconds()*1e3/float64(b.N), "ms/op")
}
