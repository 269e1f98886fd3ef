package kernels

import (
	"fmt"
	"math"
	"testing"
)

// refAttention is attention and, given dout, its gradient, in float64.
func refAttention(qkv, dout []float32, b, l, heads, hd int, causal bool) (o, lse, dqkv []float64) {
	width, ld := heads*hd, 3*heads*hd
	o, lse, dqkv = make([]float64, b*l*width), make([]float64, b*heads*l), make([]float64, b*l*ld)
	scale := 1 / math.Sqrt(float64(hd))
	at := func(seq, pos, part, h, i int) int { return (seq*l+pos)*ld + part*width + h*hd + i }
	for seq := range b {
		for h := range heads {
			for q := range l {
				keys := l
				if causal {
					keys = q + 1
				}
				s, sum := make([]float64, keys), 0.0
				top := math.Inf(-1)
				for k := range keys {
					for i := range hd {
						s[k] += scale * float64(qkv[at(seq, q, 0, h, i)]) * float64(qkv[at(seq, k, 1, h, i)])
					}
					top = max(top, s[k])
				}
				for k := range keys {
					s[k] = math.Exp(s[k] - top)
					sum += s[k]
				}
				lse[(seq*heads+h)*l+q] = top + math.Log(sum)
				dp, mean := make([]float64, keys), 0.0
				for k := range keys {
					s[k] /= sum
					for i := range hd {
						v := float64(qkv[at(seq, k, 2, h, i)])
						g := float64(dout[(seq*l+q)*width+h*hd+i])
						o[(seq*l+q)*width+h*hd+i] += s[k] * v
						dqkv[at(seq, k, 2, h, i)] += s[k] * g
						dp[k] += g * v
					}
					mean += s[k] * dp[k]
				}
				for k := range keys {
					d := s[k] * (dp[k] - mean) * scale
					for i := range hd {
						dqkv[at(seq, q, 0, h, i)] += d * float64(qkv[at(seq, k, 1, h, i)])
						dqkv[at(seq, k, 1, h, i)] += d * float64(qkv[at(seq, q, 0, h, i)])
					}
				}
			}
		}
	}
	return o, lse, dqkv
}

func TestAttentionAgainstFloat64(t *testing.T) {
	for _, c := range []struct{ b, l, heads, hd int }{
		{1, 0, 1, 8},
		{1, 1, 1, 1},
		{2, 3, 2, 2},
		{1, 17, 3, 7},
		{2, 64, 2, 32},
		{1, 128, 1, 32},
		{1, 129, 2, 16},
		{1, 300, 1, 33},
		{1, 257, 1, 64},
		{1, 40, 1, 256},
	} {
		for _, causal := range []bool{false, true} {
			r := newRand(uint64(c.l))
			width := c.heads * c.hd
			qkv, dout := random(r, c.b*c.l*3*width), random(r, c.b*c.l*width)
			for i := range qkv {
				qkv[i] *= 2 // sharper than at the start of training
			}
			wantO, wantLSE, wantGrad := refAttention(qkv, dout, c.b, c.l, c.heads, c.hd, causal)
			t.Run(fmt.Sprintf("%+v causal=%v", c, causal), func(t *testing.T) {
				forEachLevel(t, func(t *testing.T, p *Pool) {
					o, lse := make([]float32, len(wantO)), make([]float32, len(wantLSE))
					dqkv := random(r, len(wantGrad)) // must be overwritten
					p.Attention(o, lse, qkv, c.b, c.l, c.heads, c.hd, causal)
					p.AttentionBackward(dqkv, dout, o, lse, qkv, c.b, c.l, c.heads, c.hd, causal)
					// scores reach 4 sqrt(hd) and are rounded relative to that before the exponential;
					// values are of order 1; gradients of keys and values gather l terms of order 1
					expectClose(t, "o", o, wantO, constant(len(o), 8+math.Sqrt(float64(c.hd))), 1e-6)
					expectClose(t, "lse", lse, wantLSE, constant(len(lse), 32), 1e-6)
					expectClose(t, "dqkv", dqkv, wantGrad, constant(len(dqkv), 16*math.Sqrt(float64(c.l+c.hd))), 1e-6)
				})
			})
		}
	}
}

// Scores far beyond the range of exp must neither overflow nor turn into NaN.
func TestAttentionWithHugeScores(t *testing.T) {
	forEachLevel(t, func(t *testing.T, p *Pool) {
		const l, hd = 200, 16
		qkv := random(newRand(5), l*3*hd)
		for i := range qkv {
			qkv[i] *= 1e4
		}
		o, lse, dqkv := make([]float32, l*hd), make([]float32, l), make([]float32, l*3*hd)
		for _, causal := range []bool{false, true} {
			p.Attention(o, lse, qkv, 1, l, 1, hd, causal)
			p.AttentionBackward(dqkv, o, o, lse, qkv, 1, l, 1, hd, causal)
			for _, x := range o {
				if math.IsNaN(float64(x)) || math.Abs(float64(x)) > 1e5 {
					t.Fatalf("o holds %g", x)
				}
			}
			for _, x := range dqkv {
				if math.IsNaN(float64(x)) {
					t.Fatal("the gradient holds NaN")
				}
			}
		}
	})
}
