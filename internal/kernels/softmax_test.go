package kernels

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

func TestSoftmaxAgainstFloat64(t *testing.T) {
	for _, c := range []struct {
		rows, v int
		spread  float32
	}{{0, 5, 1}, {1, 1, 1}, {3, 2, 1}, {50, 65, 3}, {9, 1031, 10}, {3, 8192, 30}, {2, 40000, 1}, {4, 65, 1e30}} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			forEachLevel(t, func(t *testing.T, p *Pool) {
				r := newRand(uint64(c.v))
				logits, weight := random(r, c.rows*c.v), random(r, c.rows)
				targets := make([]int32, c.rows)
				for i := range logits {
					logits[i] *= c.spread
				}
				probs, grads := make([]float64, len(logits)), make([]float64, len(logits))
				ces, best, bestProb := make([]float64, c.rows), make([]int32, c.rows), make([]float64, c.rows)
				for row := range c.rows {
					x := logits[row*c.v : (row+1)*c.v]
					targets[row] = int32(r.IntN(c.v))
					if row%3 == 0 {
						weight[row] = 0
					}
					top, sum := slices.Max(x), 0.0
					best[row] = int32(slices.Index(x, top))
					for _, v := range x {
						sum += math.Exp(float64(v) - float64(top))
					}
					bestProb[row] = 1 / sum
					ces[row] = math.Log(sum) + float64(top) - float64(x[targets[row]])
					for i, v := range x {
						probs[row*c.v+i] = math.Exp(float64(v)-float64(top)) / sum
						grads[row*c.v+i] = float64(weight[row]) * probs[row*c.v+i]
					}
					grads[row*c.v+int(targets[row])] -= float64(weight[row])
				}
				ids, prob, ce := make([]int32, c.rows), make([]float32, c.rows), make([]float32, c.rows)

				x := slices.Clone(logits)
				p.SoftmaxRows(x, c.rows, c.v)
				expectClose(t, "softmax", x, probs, constant(len(x), 1), 2e-6)

				x = slices.Clone(logits)
				p.ArgmaxRows(ids, prob, x, c.rows, c.v)
				expectClose(t, "probability", prob, bestProb, constant(c.rows, 1), 2e-6)
				if !slices.Equal(ids, best) {
					t.Errorf("most probable: %v, want %v", ids, best)
				}

				// ce is a difference of logits, so its error is relative to them
				scale := constant(c.rows, 8*max(1, float64(c.spread)))
				x = slices.Clone(logits)
				p.SoftmaxCE(ce, x, targets, nil, c.rows, c.v)
				expectClose(t, "evaluated ce", ce, ces, scale, 1e-6)
				x = slices.Clone(logits)
				p.SoftmaxCE(ce, x, targets, weight, c.rows, c.v)
				expectClose(t, "ce", ce, ces, scale, 1e-6)
				expectClose(t, "gradient", x, grads, constant(len(x), 4), 2e-6)
			})
		})
	}
}

func TestSoftmaxCERejectsForeignTargets(t *testing.T) {
	p := NewPool(1)
	defer p.Close()
	for _, target := range []int32{-1, 3, math.MaxInt32} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("target %d of 3 was accepted", target)
				}
			}()
			p.SoftmaxCE(make([]float32, 1), make([]float32, 3), []int32{target}, nil, 1, 3)
		}()
	}
}
