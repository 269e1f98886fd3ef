package kernels

import (
	"math"
	"slices"
	"testing"
)

func TestAdamWAgainstFloat64(t *testing.T) {
	for _, n := range []int{0, 1, 7, 8, 31, 8192, 20001} {
		for _, average := range []bool{true, false} {
			forEachLevel(t, func(t *testing.T, p *Pool) {
				r := newRand(uint64(n))
				w, m, v := random(r, n), make([]float32, n), make([]float32, n)
				var ema []float32
				if average {
					ema = slices.Clone(w)
				}
				wantW, wantM, wantV, wantE := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
				for i := range w {
					wantW[i], wantE[i] = float64(w[i]), float64(w[i])
				}
				o := AdamOptions{LR: 1e-2, Beta1: .9, Beta2: .99, Eps: 1e-8, Decay: .1, ClipScale: .25, EMA: .9}
				for o.Step = 1; o.Step <= 4; o.Step++ {
					g := random(r, n)
					for i := range g {
						x := float64(g[i]) * .25
						wantM[i] = .9*wantM[i] + .1*x
						wantV[i] = .99*wantV[i] + .01*x*x
						mh := wantM[i] / (1 - math.Pow(.9, float64(o.Step)))
						vh := wantV[i] / (1 - math.Pow(.99, float64(o.Step)))
						wantW[i] -= 1e-2 * (mh/(math.Sqrt(vh)+1e-8) + .1*wantW[i])
						wantE[i] = .9*wantE[i] + .1*wantW[i]
					}
					p.AdamW(w, g, m, v, ema, o)
				}
				expectClose(t, "w", w, wantW, constant(n, 4), 1e-6)
				expectClose(t, "m", m, wantM, constant(n, 1), 1e-6)
				expectClose(t, "v", v, wantV, constant(n, 1), 1e-6)
				if average {
					expectClose(t, "ema", ema, wantE, constant(n, 4), 1e-6)
				}
			})
		}
	}
}

func TestSumSquares(t *testing.T) {
	forEachLevel(t, func(t *testing.T, p *Pool) {
		for _, n := range []int{0, 1, 7, 16, 8191, 8193, 3_000_017} {
			x, want := random(newRand(uint64(n)), n), 0.0
			for i := range x {
				if i%1000 == 0 {
					x[i] *= 1e15 // its square still fits a float64 sum, not a float32 one
				}
				want += float64(x[i]) * float64(x[i])
			}
			if got := p.SumSquares(x); math.Abs(got-want) > 1e-12*want {
				t.Errorf("n = %d: %g, want %g", n, got, want)
			}
		}
	})
}
