package kernels

import (
	"hash/fnv"
	"math"
	"testing"
)

// workout calls every method once on small odd shapes and on shapes that are cut
// into many parts, and returns a hash of all results.
type workout struct {
	m, n, k, b, l, heads, hd, v                  int
	a, bm, c, bias, act, x, y, z                 []float32
	mean, rstd, scale, shift, dscale, dshift     []float32
	qkv, o, lse, dqkv, cos, sin                  []float32
	logits, ce, weight, prob, w, g, mom, sq, ema []float32
	targets, ids                                 []int32
	norm                                         float64
}

func newWorkout() *workout {
	u := &workout{m: 257, n: 131, k: 300, b: 3, l: 150, heads: 2, hd: 24, v: 101}
	r := newRand(99)
	rows, width := u.b*u.l, u.heads*u.hd
	for _, f := range []struct {
		to *[]float32
		n  int
	}{
		{&u.a, u.m * u.k},
		{&u.bm, u.k * u.n},
		{&u.c, u.m * u.n},
		{&u.bias, u.n},
		{&u.act, u.m * u.n},
		{&u.x, rows * width},
		{&u.y, rows * width},
		{&u.z, rows * width},
		{&u.mean, rows},
		{&u.rstd, rows},
		{&u.scale, u.b * width},
		{&u.shift, u.b * width},
		{&u.dscale, u.b * width},
		{&u.dshift, u.b * width},
		{&u.qkv, rows * 3 * width},
		{&u.o, rows * width},
		{&u.lse, u.b * u.heads * u.l},
		{&u.dqkv, rows * 3 * width},
		{&u.cos, u.l * u.hd / 2},
		{&u.sin, u.l * u.hd / 2},
		{&u.logits, rows * u.v},
		{&u.ce, rows},
		{&u.weight, rows},
		{&u.prob, rows},
		{&u.w, 30011},
		{&u.g, 30011},
		{&u.mom, 30011},
		{&u.sq, 30011},
		{&u.ema, 30011},
	} {
		*f.to = random(r, f.n)
	}
	for i, x := range u.sq {
		u.sq[i] = x * x
	}
	u.targets, u.ids = make([]int32, rows), make([]int32, rows)
	for i := range u.targets {
		u.targets[i] = int32(r.IntN(u.v))
	}
	RopeTable(u.cos, u.sin, u.l, u.hd)
	return u
}

func (u *workout) run(p *Pool) {
	rows, width := u.b*u.l, u.heads*u.hd
	p.MatMul(u.c, u.a, u.bm, u.m, u.n, u.k, Op{Bias: u.bias, Gelu: u.act})
	p.MatMul(u.c, u.a, u.bm, u.m, u.n, u.k, Op{TransA: true, TransB: true, Accumulate: true})
	p.MatMul(u.act, u.a, u.bm, u.m, u.n, u.k, Op{TransB: true, Gelu: u.act})
	p.Gelu(u.y, u.x)
	p.GeluBackward(u.z, u.y, u.x)
	p.LayerNormMod(u.y, u.mean, u.rstd, u.x, u.scale, u.shift, u.b, u.l, width)
	p.LayerNormModBackward(u.z, u.dscale, u.dshift, u.y, u.x, u.mean, u.rstd, u.scale, u.b, u.l, width)
	p.Rope(u.qkv, u.cos, u.sin, u.b, u.l, u.heads, u.hd, false)
	p.Attention(u.o, u.lse, u.qkv, u.b, u.l, u.heads, u.hd, true)
	p.AttentionBackward(u.dqkv, u.y, u.o, u.lse, u.qkv, u.b, u.l, u.heads, u.hd, true)
	p.Attention(u.o, u.lse, u.qkv, u.b, u.l, u.heads, u.hd, false)
	p.SoftmaxCE(u.ce, u.logits, u.targets, u.weight, rows, u.v)
	p.SoftmaxRows(u.logits, rows, u.v)
	p.ArgmaxRows(u.ids, u.prob, u.logits, rows, u.v)
	p.MatMul(u.c, u.a, u.bm, u.m, u.n, u.k, Op{Accumulate: true, SumB: u.bias})
	p.AdamW(u.w, u.g, u.mom, u.sq, u.ema, AdamOptions{LR: .01, Beta1: .9, Beta2: .99, Eps: 1e-8, Decay: .1, ClipScale: .5, EMA: .9, Step: 3})
	u.norm = p.SumSquares(u.w)
}

func (u *workout) hash() uint64 {
	h := fnv.New64a()
	put := func(bits uint64) {
		h.Write([]byte{byte(bits), byte(bits >> 8), byte(bits >> 16), byte(bits >> 24), byte(bits >> 32), byte(bits >> 40), byte(bits >> 48), byte(bits >> 56)})
	}
	for _, x := range [][]float32{
		u.c, u.bias, u.act, u.y, u.z, u.mean, u.rstd, u.dscale, u.dshift, u.qkv, u.o, u.lse, u.dqkv,
		u.logits, u.ce, u.prob, u.w, u.mom, u.sq, u.ema,
	} {
		for _, v := range x {
			put(uint64(math.Float32bits(v)))
		}
	}
	for _, id := range u.ids {
		put(uint64(id))
	}
	put(math.Float64bits(u.norm))
	return h.Sum64()
}

func TestResultsDoNotDependOnThePoolSize(t *testing.T) {
	for _, s := range levels() {
		t.Run(s.String(), func(t *testing.T) {
			var want uint64
			for _, workers := range []int{1, 2, 3, 8} {
				p, u := newPool(workers, s), newWorkout()
				u.run(p)
				p.Close()
				if got := u.hash(); workers == 1 {
					want = got
				} else if got != want {
					t.Errorf("%d workers give other bits than one", workers)
				}
			}
		})
	}
}

func TestNoCallAllocates(t *testing.T) {
	forEachLevel(t, func(t *testing.T, p *Pool) {
		u := newWorkout()
		if n := testing.AllocsPerRun(3, func() { u.run(p) }); n != 0 {
			t.Errorf("a round of all calls allocates %v times", n)
		}
	})
}
