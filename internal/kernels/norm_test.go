package kernels

import (
	"fmt"
	"math"
	"testing"
)

func TestLayerNormModAgainstFloat64(t *testing.T) {
	for _, c := range []struct {
		b, l, n int
		offset  float32
	}{{1, 1, 1, 0}, {2, 3, 5, 0}, {2, 17, 16, 0}, {3, 20, 131, 0}, {1, 40, 1024, 0}, {2, 5, 64, 100}} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			forEachLevel(t, func(t *testing.T, p *Pool) {
				r := newRand(uint64(c.n))
				rows, size := c.b*c.l, c.b*c.l*c.n
				x, dy, dx := random(r, size), random(r, size), random(r, size)
				for i := range x {
					x[i] += c.offset
				}
				scale, shift := random(r, c.b*c.n), random(r, c.b*c.n)
				dscale, dshift := random(r, c.b*c.n), random(r, c.b*c.n)
				y, mean, rstd := make([]float32, size), make([]float32, rows), make([]float32, rows)

				wantY, wantX := make([]float64, size), make([]float64, size)
				wantScale, wantShift := make([]float64, len(scale)), make([]float64, len(scale))
				for i := range dscale {
					wantScale[i], wantShift[i] = float64(dscale[i]), float64(dshift[i])
				}
				for row := range rows {
					n, seq := float64(c.n), row/c.l
					var m, v, g, gh float64
					at := func(j int) (i, s int) { return row*c.n + j, seq*c.n + j }
					for j := range c.n {
						i, _ := at(j)
						m += float64(x[i]) / n
					}
					for j := range c.n {
						i, _ := at(j)
						v += (float64(x[i]) - m) * (float64(x[i]) - m) / n
					}
					rs := 1 / math.Sqrt(v+1e-5)
					for j := range c.n {
						i, s := at(j)
						h, d := (float64(x[i])-m)*rs, float64(dy[i])
						wantY[i] = h*(1+float64(scale[s])) + float64(shift[s])
						wantScale[s] += d * h
						wantShift[s] += d
						g += d * (1 + float64(scale[s])) / n
						gh += d * (1 + float64(scale[s])) * h / n
					}
					for j := range c.n {
						i, s := at(j)
						h, d := (float64(x[i])-m)*rs, float64(dy[i])
						wantX[i] = float64(dx[i]) + rs*(d*(1+float64(scale[s]))-g-h*gh)
					}
				}
				p.LayerNormMod(y, mean, rstd, x, scale, shift, c.b, c.l, c.n)
				p.LayerNormModBackward(dx, dscale, dshift, dy, x, mean, rstd, scale, c.b, c.l, c.n)
				// an offset of 100 costs 100 times the rounding of x itself, and rstd
				// reaches 1/sqrt(eps) = 316 where a row has a single value
				tol := 3e-6 * (1 + float64(c.offset))
				expectClose(t, "y", y, wantY, constant(size, 4), tol)
				expectClose(t, "dx", dx, wantX, constant(size, 8), 20*tol)
				expectClose(t, "dscale", dscale, wantScale, constant(len(scale), 4+float64(c.l)), tol)
				expectClose(t, "dshift", dshift, wantShift, constant(len(scale), 4+float64(c.l)), tol)
			})
		})
	}
}
