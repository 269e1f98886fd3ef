package kernels

import (
	"math"
	"slices"
	"testing"
)

// ulps is the distance of got from want in units of the last place of want.
func ulps(got float32, want float64) float64 {
	w := float32(want)
	step := float64(math.Nextafter32(w, float32(math.Inf(1)))) - float64(w)
	return math.Abs(float64(got)-want) / math.Abs(step)
}

// The vector exponential is off by less than expBound units in the last place
// where its result is a normal number below 2^127.5. Beneath that range it is 0,
// above it is +Inf.
const expBound = 1.5

func TestExpErrorBound(t *testing.T) {
	forEachLevel(t, func(t *testing.T, p *Pool) {
		worst, at := 0.0, float32(0)
		x, y := make([]float32, 1<<16), make([]float32, 1<<16)
		// every 1,009th float (a prime) from 0 to beyond overflow, of both signs
		for bits := uint32(0); bits < math.Float32bits(110); {
			for i := range x {
				x[i] = math.Float32frombits(bits | uint32(i&1)<<31)
				bits += 1009
			}
			p.isa.expSum(y, x, 1, 0)
			for i, v := range x {
				want := math.Exp(float64(v))
				switch {
				case want < 0x1.01p-126:
					if !(y[i] <= 0x1.01p-126) {
						t.Fatalf("exp(%g) = %g", v, y[i])
					}
					continue
				case want > 0x1.69p127: // 2^127.5 is 1.414 2^127 = 0x1.6a1p127
					if want > 0x1.6bp127 && !math.IsInf(float64(y[i]), 1) {
						t.Fatalf("exp(%g) = %g", v, y[i])
					}
					continue
				}
				if u := ulps(y[i], want); u > worst {
					worst, at = u, v
				}
			}
		}
		t.Logf("worst error %.3f ulp at %g", worst, at)
		if worst > expBound {
			t.Errorf("exp is off by %.3f ulp at %g, stated bound %.1f", worst, at, expBound)
		}
	})
}

func TestExpSpecialValues(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, c := range []struct{ x, want float32 }{
		{0, 1}, {float32(math.Copysign(0, -1)), 1}, {-inf, 0}, {inf, inf}, {-200, 0}, {200, inf}, {-3e38, 0}, {3e38, inf},
	} {
		forEachLevel(t, func(t *testing.T, p *Pool) {
			x := slices.Repeat([]float32{c.x}, 19) // whole vectors and a tail
			p.isa.expSum(x, x, 1, 0)
			for _, y := range x {
				if y != c.want {
					t.Errorf("exp(%g) = %g, want %g", c.x, y, c.want)
				}
			}
		})
	}
	forEachLevel(t, func(t *testing.T, p *Pool) {
		x := slices.Repeat([]float32{float32(math.NaN())}, 19)
		if sum := p.isa.expSum(x, x, 1, 0); sum == sum {
			t.Errorf("the sum of exp(NaN) is %g", sum)
		}
		for _, y := range x {
			if y == y {
				t.Errorf("exp(NaN) = %g", y)
			}
		}
	})
}

// geluBound and geluGradBound are stated for |x| <= 100: the error of GELU is
// below geluBound |x|, that of its derivative below geluGradBound.
const (
	geluBound     = 2e-7
	geluGradBound = 4e-7
)

func TestGeluErrorBound(t *testing.T) {
	forEachLevel(t, func(t *testing.T, p *Pool) {
		var x []float32
		for v := float32(-100); v < 100; v += 0.0017 {
			x = append(x, v)
		}
		x = append(x, 1e-30, -1e-30, 0, 1e-6, -1e-6, 5e-3)
		y, dx, ones := make([]float32, len(x)), make([]float32, len(x)), slices.Repeat([]float32{1}, len(x))
		p.Gelu(y, x)
		p.GeluBackward(dx, ones, x)
		worst, worstGrad := 0.0, 0.0
		for i, v := range x {
			v := float64(v)
			if v != 0 {
				worst = max(worst, math.Abs(float64(y[i])-refGelu(v))/math.Abs(v))
			} else if y[i] != 0 {
				t.Errorf("GELU(0) = %g", y[i])
			}
			worstGrad = max(worstGrad, math.Abs(float64(dx[i])-refGeluGrad(v)))
		}
		t.Logf("worst error: GELU %.2g of |x|, derivative %.2g", worst, worstGrad)
		if !(worst <= geluBound) || !(worstGrad <= geluGradBound) {
			t.Errorf("errors %g and %g exceed the stated bounds", worst, worstGrad)
		}
	})
}

func TestRopeTurnsAndTurnsBack(t *testing.T) {
	const b, l, heads = 2, 9, 3
	for _, hd := range []int{2, 6, 16, 22, 64} {
		forEachLevel(t, func(t *testing.T, p *Pool) {
			cos, sin := make([]float32, l*hd/2), make([]float32, l*hd/2)
			RopeTable(cos, sin, l, hd)
			x := random(newRand(uint64(hd)), b*l*3*heads*hd)
			y := slices.Clone(x)
			p.Rope(y, cos, sin, b, l, heads, hd, false)
			want := make([]float64, len(x))
			for row := range b * l {
				for part := range 3 * heads {
					for j := range hd / 2 {
						i := (row*3*heads+part)*hd + j
						angle := float64(row%l) * math.Pow(10000, -2*float64(j)/float64(hd))
						if part >= 2*heads {
							angle = 0 // values are not turned
						}
						u, v := float64(x[i]), float64(x[i+hd/2])
						want[i] = u*math.Cos(angle) - v*math.Sin(angle)
						want[i+hd/2] = u*math.Sin(angle) + v*math.Cos(angle)
					}
				}
			}
			expectClose(t, "turned", y, want, constant(len(x), 8), 1e-7)
			p.Rope(y, cos, sin, b, l, heads, hd, true)
			for i, v := range x {
				want[i] = float64(v)
			}
			expectClose(t, "turned back", y, want, constant(len(x), 8), 2e-7)
		})
	}
}

func TestSumRows(t *testing.T) {
	forEachLevel(t, func(t *testing.T, p *Pool) {
		for _, s := range [][2]int{{0, 5}, {1, 1}, {3, 0}, {300, 67}, {7, 1000}} {
			m, n := s[0], s[1]
			r := newRand(uint64(n))
			a, dst := random(r, m*n), random(r, n)
			want, abs := make([]float64, n), constant(n, 1)
			for j := range n {
				want[j] = float64(dst[j])
				abs[j] += math.Abs(want[j])
				for i := range m {
					want[j] += float64(a[i*n+j])
					abs[j] += math.Abs(float64(a[i*n+j]))
				}
			}
			p.MatMul(make([]float32, n), make([]float32, m), a, 1, n, m, Op{SumB: dst})
			expectClose(t, "sum", dst, want, abs, float64(m+2)*0x1p-24)
		}
	})
}
