package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// levels are the instruction levels that this processor has.
func levels() []isa {
	var have []isa
	for s := range isaNames {
		if isa(s).supported() {
			have = append(have, isa(s))
		}
	}
	return have
}

// forEachLevel runs a test on a pool of two workers at each level.
func forEachLevel(t *testing.T, test func(t *testing.T, p *Pool)) {
	t.Helper()
	for _, s := range levels() {
		t.Run(s.String(), func(t *testing.T) {
			p := newPool(2, s)
			defer p.Close()
			test(t, p)
		})
	}
}

func random(r *rand.Rand, n int) []float32 {
	x := Floats(n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// expectClose compares with a float64 reference: |got - want| <= tol * scale[i],
// where scale is the sum of the absolute values that were added up.
func expectClose(t *testing.T, name string, got []float32, want, scale []float64, tol float64) {
	t.Helper()
	for i := range want {
		if d := math.Abs(float64(got[i]) - want[i]); !(d <= tol*scale[i]) {
			t.Fatalf("%s[%d] = %g, want %g (off by %g, allowed %g)", name, i, got[i], want[i], d, tol*scale[i])
		}
	}
}

func constant(n int, x float64) []float64 {
	c := make([]float64, n)
	for i := range c {
		c[i] = x
	}
	return c
}

// refMatMul is C += A B in float64, and the sum of the absolute products.
func refMatMul(c, abs []float64, a, b []float32, m, n, k int, op Op) {
	for i := range m {
		for j := range n {
			for p := range k {
				ai, bi := i*k+p, p*n+j
				if op.TransA {
					ai = p*m + i
				}
				if op.TransB {
					bi = j*k + p
				}
				x := float64(a[ai]) * float64(b[bi])
				c[i*n+j] += x
				abs[i*n+j] += math.Abs(x)
			}
		}
	}
}

func refGelu(x float64) float64 {
	return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
}

func refGeluGrad(x float64) float64 {
	u := math.Sqrt(2/math.Pi) * (x + 0.044715*x*x*x)
	t := math.Tanh(u)
	return (1+t)/2 + x/2*(1-t*t)*math.Sqrt(2/math.Pi)*(1+3*0.044715*x*x)
}

// shapes are products that touch every border: nothing, one, primes, whole
// tiles of every level, one more and one less, more than one block of depth.
func shapes() [][3]int {
	s := [][3]int{
		{0, 3, 4},
		{3, 0, 4},
		{3, 4, 0},
		{1, 1, 1},
		{1, 17, 5},
		{17, 1, 5},
		{6, 16, 8},
		{7, 17, 9},
		{14, 32, 31},
		{15, 33, 257},
		{12, 64, 256},
		{97, 513, 3},
		{101, 67, 263},
		{193, 48, 16},
		{5, 1031, 7},
		{64, 64, 512},
		{128, 65, 128},
		{100, 300, 520},
	}
	r := newRand(7)
	for range 25 {
		s = append(s, [3]int{1 + r.IntN(70), 1 + r.IntN(70), 1 + r.IntN(300)})
	}
	return s
}

func name3(s [3]int) string { return fmt.Sprintf("%dx%dx%d", s[0], s[1], s[2]) }
