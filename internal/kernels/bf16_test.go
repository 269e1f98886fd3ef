package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// bf16Ref rounds by the definition: to the nearest multiple of the last place, and
// of two to the even one.
func bf16Ref(x float32) float32 {
	v := float64(x)
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return x
	}
	if math.Abs(v) < 0x1p-126 {
		return float32(math.Copysign(0, v))
	}
	_, exponent := math.Frexp(v)
	return float32(math.Ldexp(math.RoundToEven(math.Ldexp(v, 8-exponent)), exponent-8))
}

// hardNumbers are float32 on every kind of border, and random bits.
func hardNumbers(r *rand.Rand) []float32 {
	var x []float32
	for _, bits := range []uint32{
		0, 1, 0x007fffff, 0x00800000, 0x00808000, 0x00018000, // zero, denormal, smallest
		0x3f800000, 0x3f807fff, 0x3f808000, 0x3f808001, // below a tie, a tie to even, above
		0x3f817fff, 0x3f818000, 0x3f818001, 0x3fff8000, // ... a tie to even upwards, a carry
		0x7f7f7fff, 0x7f7f8000, 0x7f7fffff, 0x7f800000, // finite, rounded to infinity, infinity
		0x7f800001, 0x7f80ffff, 0x7fc00000, 0x7fffffff, // NaN of all kinds
	} {
		x = append(x, math.Float32frombits(bits), math.Float32frombits(bits|1<<31))
	}
	for range 1000 {
		x = append(x, math.Float32frombits(r.Uint32()))
	}
	return x
}

// sameNumber holds for equal numbers with equal signs, and for two NaN.
func sameNumber(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}

func TestBF16Rounding(t *testing.T) {
	forEachLevel(t, func(t *testing.T, p *Pool) {
		x := hardNumbers(newRand(1))
		y := make([]float32, len(x))
		p.isa.roundBF16(y, x)
		for i, v := range x {
			want := bf16Ref(v)
			if !sameNumber(y[i], want) || math.Float32bits(y[i])&0xffff != 0 {
				t.Errorf("%g (%#x) becomes %g (%#x), want %g", v, math.Float32bits(v), y[i], math.Float32bits(y[i]), want)
			}
			if want != want && math.Float32bits(y[i])>>22&1 == 0 {
				t.Errorf("the NaN %#x becomes %#x, not a quiet one", math.Float32bits(v), math.Float32bits(y[i]))
			}
			if e := math.Abs(float64(want) - float64(v)); v == v && !math.IsInf(float64(want), 0) && e > 0x1p-8*math.Abs(float64(v)) && math.Abs(float64(v)) >= 0x1p-126 {
				t.Errorf("%g is off by %g", v, e)
			}
		}
	})
}

// The two ways of packing, by every level, must put the rounded numbers where the
// layout says, zeros where there are none, and nothing beyond the last panel.
func TestBF16Packing(t *testing.T) {
	forEachLevel(t, func(t *testing.T, p *Pool) {
		r := newRand(2)
		for _, size := range []int{bf16MR, bf16NR} {
			for _, shape := range [][2]int{{1, 1}, {2, 13}, {3, 14}, {64, 15}, {31, 16}, {33, 17}, {32, 28}, {100, 31}, {7, 32}, {257, 33}, {40, 100}, {0, 5}} {
				k, n := shape[0], shape[1]
				ld := max(k, n) + 3
				x := make([]float32, ld*ld)
				hard := hardNumbers(r)
				for i := range x {
					x[i] = hard[r.IntN(len(hard))]
				}
				pairs := ceilDiv(k, 2)
				words := roundUp(n, size) * pairs
				check := func(name string, pack func(dst []uint32), at func(k, n int) float32) {
					t.Helper()
					dst := make([]uint32, words+64)
					for i := range dst {
						dst[i] = 0xdeadbeef
					}
					pack(dst)
					for i, got := range dst {
						panel, within := 0, 0
						if pairs > 0 {
							panel, within = i/(size*pairs), i%(size*pairs)
						}
						row, pair := panel*size+within%size, within/size
						for half := range 2 {
							var want float32
							if row < n && 2*pair+half < k {
								want = bf16Ref(at(2*pair+half, row))
							}
							value := fromBF16(got >> (16 * half) & 0xffff)
							if i < words && !sameNumber(value, want) || i >= words && got != 0xdeadbeef {
								t.Fatalf("%s of k %d, n %d in panels of %d: word %d is %#x, want %g in half %d", name, k, n, size, i, got, want, half)
							}
						}
					}
				}
				check("rows", func(dst []uint32) { p.isa.packRowsBF16(dst, x, ld, k, n, size) },
					func(k, n int) float32 { return x[k*ld+n] })
				check("columns", func(dst []uint32) { p.isa.packColumnsBF16(dst, x, ld, k, n, size) },
					func(k, n int) float32 { return x[n*ld+k] })
			}
		}
	})
}

func TestBF16Tile(t *testing.T) {
	forEachLevel(t, func(t *testing.T, p *Pool) {
		r := newRand(3)
		for _, k := range []int{0, 1, 2, 7, 8, 9, 64, 255, 256} {
			for _, accumulate := range []bool{false, true} {
				pairs := ceilDiv(k, 2)
				a, b := random(r, bf16MR*k), random(r, k*bf16NR)
				panelA, panelB := make([]uint32, bf16MR*pairs), make([]uint32, bf16NR*pairs)
				p.isa.packColumnsBF16(panelA, a, k, k, bf16MR, bf16MR)
				p.isa.packRowsBF16(panelB, b, bf16NR, k, bf16NR, bf16NR)
				const ldc = bf16NR + 5
				c := random(r, bf16MR*ldc)
				before := append([]float32(nil), c...)
				p.isa.roundBF16(a, a)
				p.isa.roundBF16(b, b)
				want, abs := make([]float64, bf16MR*bf16NR), constant(bf16MR*bf16NR, 1)
				refMatMul(want, abs, a, b, bf16MR, bf16NR, k, Op{})
				p.isa.tileBF16(c, ldc, pairs, panelA, panelB, accumulate)
				got := make([]float32, 0, len(want))
				for i, v := range c {
					row, col := i/ldc, i%ldc
					switch {
					case col < bf16NR:
						if accumulate {
							want[row*bf16NR+col] += float64(before[i])
							abs[row*bf16NR+col] += math.Abs(float64(before[i]))
						}
						got = append(got, v)
					case v != before[i]:
						t.Fatalf("k %d: wrote outside of the tile", k)
					}
				}
				// products are exact, so only their sum rounds
				expectClose(t, "tile", got, want, abs, float64(k+2)*0x1p-24)
			}
		}
	})
}

// What a sum meets at the ends of the range: denormal numbers are zero, NaN and
// infinity stay.
func TestBF16TileAtTheEndsOfTheRange(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, c := range []struct{ x0, y0, x1, y1, want float32 }{
		{1, 2, 3, 4, 14},
		{0x1p-127, 0x1p100, 1, 1, 1},           // a denormal operand
		{0x1p-100, 0x1p-30, 0, 0, 0},           // a denormal result
		{0x1p-100, 0x1p-26, 0, 0, 0x1p-126},    // the smallest normal one
		{0x1p100, 0x1p100, 1, 1, inf},          // too large
		{inf, 1, -3, 1, inf},                   //
		{inf, 0, 1, 1, nan},                    //
		{1, 1, nan, 1, nan},                    //
		{0x1p-24, 1, 1, 1, 1},                  // half of the last place, to even
		{0x1.8p-24, 1, 1, 1, 1 + 0x1p-23},      // more than half
		{-1, 1, 1, 1, 0},                       //
		{0x1.02p0, 0x1.02p0, 0, 0, 0x1.0404p0}, // an exact product
	} {
		forEachLevel(t, func(t *testing.T, p *Pool) {
			a, b := make([]uint32, bf16MR), make([]uint32, bf16NR)
			a[bf16MR-1] = toBF16(c.x0) | toBF16(c.x1)<<16
			b[bf16NR-1] = toBF16(c.y0) | toBF16(c.y1)<<16
			got := make([]float32, bf16MR*bf16NR)
			p.isa.tileBF16(got, bf16NR, 1, a, b, false)
			if v := got[len(got)-1]; !sameNumber(v, c.want) {
				t.Errorf("%g %g + %g %g = %g, want %g", c.x0, c.y0, c.x1, c.y1, v, c.want)
			}
		})
	}
}

// A product in bf16 is the product of the rounded operands, up to what float32
// loses, by the words of bf16 as by rounded float32.
func TestMatMulBF16(t *testing.T) {
	forEachLevel(t, func(t *testing.T, p *Pool) {
		r := newRand(8)
		for _, kind := range []inputs{bf16s, rounded} {
			p.inputs = kind
			for _, shape := range append(shapes(), [3]int{16, 40, 1100}) {
				m, n, k := shape[0], shape[1], shape[2]
				if m*n*k > 1<<20 {
					continue // portable words are slow
				}
				for bits := range 8 {
					op := Op{TransA: bits&1 != 0, TransB: bits&2 != 0, Accumulate: bits&4 != 0}
					a, b, c := random(r, m*k), random(r, k*n), random(r, m*n)
					roundedA, roundedB := make([]float32, m*k), make([]float32, k*n)
					roundBF16Portable(roundedA, a)
					roundBF16Portable(roundedB, b)
					want, abs := make([]float64, m*n), constant(m*n, 1)
					if op.Accumulate {
						for i := range want {
							want[i] = float64(c[i])
							abs[i] += math.Abs(want[i])
						}
					}
					refMatMul(want, abs, roundedA, roundedB, m, n, k, op)
					p.MatMul(c, a, b, m, n, k, op)
					expectClose(t, fmt.Sprintf("kind %d, %s %s", kind, op.name(), name3(shape)), c, want, abs, gemmTolerance(k))
				}
			}
		}
	})
}

func TestUseBF16(t *testing.T) {
	p := NewPool(1)
	defer p.Close()
	t.Setenv("TEXTWARP_BF16", "")
	if got := p.UseBF16(); got != p.isa.haveBF16() {
		t.Errorf("in use: %v, the processor has it: %v", got, p.isa.haveBF16())
	}
	t.Setenv("TEXTWARP_BF16", "emulate")
	if !p.UseBF16() {
		t.Error("emulation was asked for and is not in use")
	}
}
