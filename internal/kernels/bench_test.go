package kernels

import (
	"fmt"
	"testing"
	"time"
)

// measure runs call as a benchmark and reports, beside the mean, the rate of the
// fastest run, which a busy machine disturbs least: flops / time.
func measure(b *testing.B, flops float64, call func()) {
	fastest := time.Duration(1<<63 - 1)
	for b.Loop() {
		start := time.Now()
		call()
		fastest = min(fastest, time.Since(start))
	}
	b.ReportMetric(flops/b.Elapsed().Seconds()*float64(b.N)/1e9, "GFLOP/s")
	b.ReportMetric(flops/fastest.Seconds()/1e9, "best-GFLOP/s")
}

// BenchmarkPeak measures what one core can do at most: independent fused
// multiply-adds on registers. Every other figure is judged by this one.
func BenchmarkPeak(b *testing.B) {
	for _, s := range levels() {
		if s == generic {
			continue
		}
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/threads=%d", s, workers), func(b *testing.B) {
				p := newPool(workers, s)
				defer p.Close()
				job := &peakJob{}
				measure(b, float64(workers*peakRounds*s.peakFlops()), func() {
					p.mu.Lock()
					p.run(workers, job)
					p.mu.Unlock()
				})
			})
		}
	}
}

// The products of a training step: the nano preset (1,024 rows, width 128, MLP
// 512, 65 tokens) and W1 (1,024 rows, width 256, MLP 1,024, 8,192 tokens).
var products = []struct {
	name    string
	m, n, k int
	op      Op
}{
	{"nano/qkv/NN", 1024, 384, 128, Op{}},
	{"nano/qkv/NT", 1024, 128, 384, Op{TransB: true}},
	{"nano/qkv/TN", 128, 384, 1024, Op{TransA: true, Accumulate: true}},
	{"nano/out/NN", 1024, 128, 128, Op{}},
	{"nano/mlp/NN", 1024, 512, 128, Op{}},
	{"nano/mlp/NT", 1024, 128, 512, Op{TransB: true}},
	{"nano/mlp/TN", 128, 512, 1024, Op{TransA: true, Accumulate: true}},
	{"nano/head/NN", 1024, 65, 128, Op{}},
	{"W1/qkv/NN", 1024, 768, 256, Op{}},
	{"W1/mlp/NN", 1024, 1024, 256, Op{}},
	{"W1/mlp/NT", 1024, 256, 1024, Op{TransB: true}},
	{"W1/mlp/TN", 256, 1024, 1024, Op{TransA: true, Accumulate: true}},
	{"W1/head/NN", 1024, 8192, 256, Op{}},
	{"W1/head/NT", 1024, 256, 8192, Op{TransB: true}},
	{"W1/head/TN", 256, 8192, 1024, Op{TransA: true, Accumulate: true}},
}

func BenchmarkMatMul(b *testing.B) {
	for _, s := range products {
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/%dx%dx%d/threads=%d", s.name, s.m, s.n, s.k, workers), func(b *testing.B) {
				p := NewPool(workers)
				defer p.Close()
				r := newRand(1)
				x, y, c := random(r, s.m*s.k), random(r, s.k*s.n), Floats(s.m*s.n)
				measure(b, 2*float64(s.m)*float64(s.n)*float64(s.k), func() {
					p.MatMul(c, x, y, s.m, s.n, s.k, s.op)
				})
			})
		}
	}
}

func BenchmarkAttention(b *testing.B) {
	for _, s := range []struct {
		name            string
		b, l, heads, hd int
	}{{"nano", 8, 128, 4, 32}, {"W1", 16, 64, 4, 64}, {"long", 1, 1024, 4, 64}} {
		for _, workers := range []int{1, 2} {
			p := NewPool(workers)
			rows, width := s.b*s.l, s.heads*s.hd
			r := newRand(1)
			qkv, do := random(r, rows*3*width), random(r, rows*width)
			o, lse, dqkv := make([]float32, rows*width), make([]float32, s.heads*rows), make([]float32, rows*3*width)
			product := 2 * float64(s.b*s.heads) * float64(s.l*s.l*s.hd)
			b.Run(fmt.Sprintf("%s/forward/threads=%d", s.name, workers), func(b *testing.B) {
				measure(b, 2*product, func() { p.Attention(o, lse, qkv, s.b, s.l, s.heads, s.hd, false) })
			})
			b.Run(fmt.Sprintf("%s/backward/threads=%d", s.name, workers), func(b *testing.B) {
				measure(b, 5*product, func() {
					p.AttentionBackward(dqkv, do, o, lse, qkv, s.b, s.l, s.heads, s.hd, false)
				})
			})
			p.Close()
		}
	}
}

func BenchmarkVector(b *testing.B) {
	const n = 1 << 19 // the MLP activations of nano: 1,024 x 512
	r := newRand(1)
	x, y, z, u, v := random(r, n), random(r, n), random(r, n), random(r, n), make([]float32, n)
	ones, ids := make([]float32, n), make([]int32, n)
	p := NewPool(1)
	defer p.Close()
	for _, c := range []struct {
		name string
		call func()
	}{
		{"gelu", func() { p.Gelu(y, x) }},
		{"geluBackward", func() { p.GeluBackward(z, y, x) }},
		{"layerNorm", func() { p.LayerNormMod(y, ones, u, x, z, z, 8, n/1024, 128) }},
		{"layerNormBackward", func() { p.LayerNormModBackward(z, u, u[2048:], y, x, ones, ones, y, 8, n/1024, 128) }},
		{"softmaxCE65", func() { p.SoftmaxCE(u, y, ids, ones, n/65, 65) }},
		{"softmaxCE8192", func() { p.SoftmaxCE(u, y, ids, ones, n/8192, 8192) }},
		{"adamw", func() {
			p.AdamW(y, x, z, v, u, AdamOptions{LR: 1e-9, Beta1: .9, Beta2: .99, Eps: 1e-8, ClipScale: 1, EMA: .999, Step: 1})
		}},
		{"sumSquares", func() { p.SumSquares(x) }},
		{"rope", func() { p.Rope(y, x, x, n/384/128, 128, 4, 32, false) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			fastest := time.Duration(1<<63 - 1)
			for b.Loop() {
				start := time.Now()
				c.call()
				fastest = min(fastest, time.Since(start))
			}
			b.ReportMetric(float64(fastest.Nanoseconds())/n, "best-ns/value")
		})
	}
}
