package kernels

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// A chain of k multiply-adds in float32 is off by at most about k 2^-24 times
// the sum of the absolute products; blocks of 256 keep the chains short.
func gemmTolerance(k int) float64 { return float64(min(k, blockK)+ceilDiv(k, blockK)+4) * 0x1p-24 }

func TestMatMulAgainstFloat64(t *testing.T) {
	forEachLevel(t, func(t *testing.T, p *Pool) {
		r := newRand(1)
		for _, shape := range shapes() {
			m, n, k := shape[0], shape[1], shape[2]
			for bits := range 16 {
				op := Op{TransA: bits&1 != 0, TransB: bits&2 != 0, Accumulate: bits&4 != 0}
				a, b, c := random(r, m*k), random(r, k*n), random(r, m*n)
				want, abs := make([]float64, m*n), constant(m*n, 1)
				if op.Accumulate {
					for i := range want {
						want[i] = float64(c[i])
						abs[i] += math.Abs(want[i])
					}
				}
				refMatMul(want, abs, a, b, m, n, k, op)
				var act []float64
				if bits&8 != 0 {
					op.Bias, op.Gelu = random(r, n), make([]float32, m*n)
					for i := range want {
						want[i] += float64(op.Bias[i%n])
						abs[i] += math.Abs(float64(op.Bias[i%n]))
						act = append(act, refGelu(want[i]))
					}
				}
				p.MatMul(c, a, b, m, n, k, op)
				name := fmt.Sprintf("%s ta=%v tb=%v acc=%v epilogue=%v", name3(shape), op.TransA, op.TransB, op.Accumulate, bits&8 != 0)
				expectClose(t, name, c, want, abs, gemmTolerance(k))
				if act != nil {
					// |GELU'| < 1.13, and the vector GELU adds a few units in the last place
					expectClose(t, name+" gelu", op.Gelu, act, abs, 1.2*gemmTolerance(k)+1e-6)
				}
			}
		}
	})
}

func TestMatMulResidualAndGeluGradient(t *testing.T) {
	forEachLevel(t, func(t *testing.T, p *Pool) {
		r := newRand(5)
		for _, shape := range shapes() {
			m, n, k := shape[0], shape[1], shape[2]
			a, b, add, x := random(r, m*k), random(r, k*n), random(r, m*n), random(r, m*n)
			c, want := make([]float32, m*n), make([]float32, m*n)
			copy(want, add)
			p.MatMul(want, a, b, m, n, k, Op{Accumulate: true})
			p.GeluBackward(want, want, x)
			p.MatMul(c, a, b, m, n, k, Op{Add: add, GeluGrad: x})
			for i := range want { // vector and scalar GELU differ in the last bits
				if d := math.Abs(float64(c[i] - want[i])); d > 1e-5*(1+math.Abs(float64(want[i]))) {
					t.Fatalf("%s: %g in one pass, %g in three", name3(shape), c[i], want[i])
				}
			}
		}
	})
}

func TestMatMulSumsB(t *testing.T) {
	forEachLevel(t, func(t *testing.T, p *Pool) {
		r := newRand(6)
		for _, shape := range append(shapes(), [3]int{3, 70, 1100}, [3]int{2100, 9, 300}) {
			m, n, k := shape[0], shape[1], shape[2]
			for _, transA := range []bool{false, true} {
				a, b, sum, c := random(r, m*k), random(r, k*n), random(r, n), make([]float32, m*n)
				want := slices.Clone(sum)
				for i, v := range b {
					want[i%n] += v
				}
				p.MatMul(c, a, b, m, n, k, Op{TransA: transA, SumB: sum})
				if m > 0 && !slices.Equal(sum, want) {
					t.Fatalf("%s: the sum of the rows of B is not that of adding them in order", name3(shape))
				}
			}
		}
	})
}

// Matrices that do not fit into packed at once are taken slab by slab.
func TestMatMulOfSeveralSlabs(t *testing.T) {
	if testing.Short() {
		t.Skip("a second of work")
	}
	forEachLevel(t, func(t *testing.T, p *Pool) {
		r := newRand(7)
		for _, shape := range [][3]int{{3, 2500, 1300}, {2500, 5, 1300}, {5, 3, 9000}, {2, 8300, 40}} {
			m, n, k := shape[0], shape[1], shape[2]
			a, b := random(r, m*k), random(r, k*n)
			for _, op := range []Op{{}, {TransA: true}, {TransB: true}, {TransA: true, TransB: true}} {
				c, want, abs := make([]float32, m*n), make([]float64, m*n), constant(m*n, 1)
				refMatMul(want, abs, a, b, m, n, k, op)
				p.MatMul(c, a, b, m, n, k, op)
				expectClose(t, op.name()+" "+name3(shape), c, want, abs, gemmTolerance(k))
			}
		}
	})
}

func TestMatMulGeluInPlace(t *testing.T) {
	forEachLevel(t, func(t *testing.T, p *Pool) {
		r := newRand(2)
		const m, n, k = 31, 37, 19
		a, b := random(r, m*k), random(r, k*n)
		c, kept, act := make([]float32, m*n), make([]float32, m*n), make([]float32, m*n)
		p.MatMul(kept, a, b, m, n, k, Op{Gelu: act})
		p.MatMul(c, a, b, m, n, k, Op{Gelu: c})
		if !slices.Equal(c, act) {
			t.Fatal("GELU in place differs from GELU into a second matrix")
		}
	})
}

// NaN and infinity must not be lost: the trainer's guard looks for them.
func TestMatMulKeepsNonFinite(t *testing.T) {
	forEachLevel(t, func(t *testing.T, p *Pool) {
		r := newRand(3)
		const m, n, k = 20, 40, 70
		a, b, c := random(r, m*k), random(r, k*n), make([]float32, m*n)
		a[7*k+69], a[19*k] = float32(math.NaN()), float32(math.Inf(1))
		p.MatMul(c, a, b, m, n, k, Op{})
		for i, x := range c {
			bad := math.IsNaN(float64(x)) || math.IsInf(float64(x), 0)
			if want := i/n == 7 || i/n == 19; bad != want {
				t.Fatalf("row %d: %g", i/n, x)
			}
		}
	})
}

func TestMatMulWritesOnlyItsMatrix(t *testing.T) {
	forEachLevel(t, func(t *testing.T, p *Pool) {
		r := newRand(4)
		for _, shape := range shapes() {
			m, n, k := shape[0], shape[1], shape[2]
			c := make([]float32, m*n+64)
			for i := range c {
				c[i] = 42
			}
			p.MatMul(c[32:], random(r, m*k), random(r, n*k), m, n, k, Op{TransB: true})
			for i := range 32 {
				if c[i] != 42 || c[32+m*n+i] != 42 {
					t.Fatalf("%s wrote outside of C", name3(shape))
				}
			}
		}
	})
}

func TestMatMulRejectsShortSlices(t *testing.T) {
	p := NewPool(1)
	defer p.Close()
	for name, call := range map[string]func(){
		"c": func() { p.MatMul(make([]float32, 5), make([]float32, 6), make([]float32, 6), 2, 3, 3, Op{}) },
		"a": func() { p.MatMul(make([]float32, 6), make([]float32, 5), make([]float32, 9), 2, 3, 3, Op{}) },
		"b": func() { p.MatMul(make([]float32, 6), make([]float32, 6), make([]float32, 8), 2, 3, 3, Op{}) },
		"bias": func() {
			p.MatMul(make([]float32, 6), make([]float32, 6), make([]float32, 9), 2, 3, 3, Op{Bias: make([]float32, 2)})
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Fatal("no panic")
				}
			}()
			call()
		})
	}
}
