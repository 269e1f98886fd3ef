package kernels

import (
	"math"

	"golang.org/x/sys/cpu"
)

// This file joins the vector primitives to their bodies: whole vectors go to the
// assembly, the few elements left over and the portable level to portable.go.

func (s isa) supported() bool {
	switch s {
	case avx512:
		return avx2.supported() && cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL
	case avx2:
		return cpu.X86.HasAVX2 && cpu.X86.HasFMA
	}
	return true
}

// spinRounds of pause, some tens of cycles each, are about 50 microseconds.
const spinRounds = 2000

// whole is the part of n that is made of whole vectors.
func (s isa) whole(n int) int {
	switch s {
	case avx512:
		return n &^ 15
	case avx2:
		return n &^ 7
	}
	return 0
}

// tile computes mr x nr elements of C (+)= A B: A has strides rs (row to row)
// and cs (column to column), B is one packed panel.
func (s isa) tile(c []float32, ldc, k int, a []float32, rs, cs int, b []float32, accumulate bool) {
	add := 0
	if accumulate {
		add = 1
	}
	switch {
	case s == generic || k == 0:
		tilePortable(s, c, ldc, k, a, rs, cs, b, accumulate)
	case s == avx2:
		tileAVX2(&c[0], 4*ldc, k, &a[0], 4*rs, 4*cs, &b[0], add)
	case s == avx512:
		tileAVX512(&c[0], 4*ldc, k, &a[0], 4*rs, 4*cs, &b[0], add)
	}
}

// packPieces cuts rows of src with leading dimension ld into pieces of size (mr or
// nr) values and copies them to places stride apart, the pieces of the next row
// behind those of the row before.
func (s isa) packPieces(dst, src []float32, ld, rows, pieces, size, stride int) {
	switch {
	case pieces == 0 || rows == 0:
	case s == generic:
		packPiecesPortable(dst, src, ld, rows, pieces, size, stride)
	case s == avx2 && size == s.nr():
		packRowsBAVX2(&dst[0], &src[0], 4*ld, rows, pieces, 4*stride)
	case s == avx2:
		packRowsAAVX2(&dst[0], &src[0], 4*ld, rows, pieces, 4*stride)
	case size == s.nr():
		packRowsBAVX512(&dst[0], &src[0], 4*ld, rows, pieces, 4*stride)
	default:
		packRowsAAVX512(&dst[0], &src[0], 4*ld, rows, pieces, 4*stride)
	}
}

// transpose writes dst[p*ld+i] = b[i*ldb+p] for i < rows, p < k.
func (s isa) transpose(dst []float32, ld int, b []float32, ldb, rows, k int) {
	i, done := rows&^7, 0
	if s == generic || k < 8 {
		i = 0
	}
	if i < rows {
		// Panels of A are six or fourteen rows high. Eight rows are read all the same:
		// what is too much lands at the beginning of the next column, which is written
		// later. So the last column is left to the loop below.
		if over := (k - 1) &^ 7; s != generic && rows == ld && over > 0 && len(b) >= (i+7)*ldb+over {
			transposeAVX2(&dst[i], 4*ld, &b[i*ldb], 4*ldb, over)
			done = over
		}
		transposePortable(dst[done*ld+i:], ld, b[i*ldb+done:], ldb, rows-i, k-done)
	}
	for whole := k &^ 7; i > 0; {
		i -= 8
		transposeAVX2(&dst[i], 4*ld, &b[i*ldb], 4*ldb, whole)
		if whole < k {
			transposePortable(dst[whole*ld+i:], ld, b[i*ldb+whole:], ldb, 8, k-whole)
		}
	}
}

// gelu writes y = GELU(x).
func (s isa) gelu(y, x []float32) {
	n := s.whole(len(x))
	if n > 0 {
		switch s {
		case avx2:
			geluAVX2(&y[0], &x[0], n)
		case avx512:
			geluAVX512(&y[0], &x[0], n)
		}
	}
	geluPortable(y[n:], x[n:])
}

// geluGrad writes dx = dy GELU'(x).
func (s isa) geluGrad(dx, dy, x []float32) {
	n := s.whole(len(x))
	if n > 0 {
		switch s {
		case avx2:
			geluGradAVX2(&dx[0], &dy[0], &x[0], n)
		case avx512:
			geluGradAVX512(&dx[0], &dy[0], &x[0], n)
		}
	}
	geluGradPortable(dx[n:], dy[n:], x[n:])
}

// scale writes y = y a.
func (s isa) scale(y []float32, a float32) {
	n := s.whole(len(y))
	if n > 0 {
		switch s {
		case avx2:
			scaleAVX2(&y[0], n, a)
		case avx512:
			scaleAVX512(&y[0], n, a)
		}
	}
	scalePortable(y[n:], a)
}

// add writes y = y + x.
func (s isa) add(y, x []float32) {
	n := s.whole(len(x))
	if n > 0 {
		switch s {
		case avx2:
			addAVX2(&y[0], &x[0], n)
		case avx512:
			addAVX512(&y[0], &x[0], n)
		}
	}
	addPortable(y[n:], x[n:])
}

// softmaxGrad writes dx = p (dx - d) scale.
func (s isa) softmaxGrad(dx, p []float32, d, scale float32) {
	n := s.whole(len(p))
	if n > 0 {
		switch s {
		case avx2:
			softmaxGradAVX2(&dx[0], &p[0], n, d, scale)
		case avx512:
			softmaxGradAVX512(&dx[0], &p[0], n, d, scale)
		}
	}
	softmaxGradPortable(dx[n:], p[n:], d, scale)
}

// normalise writes y = (x - mean) rstd (1 + scale) + shift.
func (s isa) normalise(y, x, scale, shift []float32, mean, rstd float32) {
	n := s.whole(len(x))
	if n > 0 {
		switch s {
		case avx2:
			normaliseAVX2(&y[0], &x[0], &scale[0], &shift[0], n, mean, rstd)
		case avx512:
			normaliseAVX512(&y[0], &x[0], &scale[0], &shift[0], n, mean, rstd)
		}
	}
	normalisePortable(y[n:], x[n:], scale[n:], shift[n:], mean, rstd)
}

// normGrad adds rstd (dy (1 + scale) - g - gh (x - mean) rstd) to dx.
func (s isa) normGrad(dx, dy, x, scale []float32, mean, rstd, g, gh float32) {
	n := s.whole(len(dx))
	if n > 0 {
		switch s {
		case avx2:
			normGradAVX2(&dx[0], &dy[0], &x[0], &scale[0], n, mean, rstd, g, gh)
		case avx512:
			normGradAVX512(&dx[0], &dy[0], &x[0], &scale[0], n, mean, rstd, g, gh)
		}
	}
	normGradPortable(dx[n:], dy[n:], x[n:], scale[n:], mean, rstd, g, gh)
}

// max returns the largest element, -Inf of none.
func (s isa) max(x []float32) float32 {
	top := float32(math.Inf(-1))
	n := s.whole(len(x))
	if n > 0 {
		switch s {
		case avx2:
			top = maxAVX2(&x[0], n)
		case avx512:
			top = maxAVX512(&x[0], n)
		}
	}
	return maxPortable(top, x[n:])
}

// sum returns the sum of x.
func (s isa) sum(x []float32) float32 {
	var total float32
	n := s.whole(len(x))
	if n > 0 {
		switch s {
		case avx2:
			total = sumAVX2(&x[0], n)
		case avx512:
			total = sumAVX512(&x[0], n)
		}
	}
	return total + sumPortable(x[n:])
}

// dot returns the sum of x y.
func (s isa) dot(x, y []float32) float32 {
	var total float32
	n := s.whole(len(y))
	if n > 0 {
		switch s {
		case avx2:
			total = dotAVX2(&x[0], &y[0], n)
		case avx512:
			total = dotAVX512(&x[0], &y[0], n)
		}
	}
	return total + dotPortable(x[n:], y[n:])
}

// sumSquaresFrom returns the sum of (x - mean)^2.
func (s isa) sumSquaresFrom(x []float32, mean float32) float32 {
	var total float32
	n := s.whole(len(x))
	if n > 0 {
		switch s {
		case avx2:
			total = sumSquaresFromAVX2(&x[0], n, mean)
		case avx512:
			total = sumSquaresFromAVX512(&x[0], n, mean)
		}
	}
	return total + sumSquaresFromPortable(x[n:], mean)
}

// sumSquares returns the sum of x^2, added up in float64.
func (s isa) sumSquares(x []float32) float64 {
	var total float64
	n := s.whole(len(x))
	if n > 0 {
		switch s {
		case avx2:
			total = sumSquaresAVX2(&x[0], n)
		case avx512:
			total = sumSquaresAVX512(&x[0], n)
		}
	}
	return total + sumSquaresPortable(x[n:])
}

// expSum writes y = exp(scale*x - sub) and returns the sum of y.
func (s isa) expSum(y, x []float32, scale, sub float32) float32 {
	var total float32
	n := s.whole(len(x))
	if n > 0 {
		switch s {
		case avx2:
			total = expSumAVX2(&y[0], &x[0], n, scale, sub)
		case avx512:
			total = expSumAVX512(&y[0], &x[0], n, scale, sub)
		}
	}
	return total + expSumPortable(y[n:], x[n:], scale, sub)
}

// normGradSums adds one row to dscale and dshift and returns the two sums that
// normGrad needs: of g = dy (1 + scale), and of g h with h = (x - mean) rstd.
func (s isa) normGradSums(dscale, dshift, dy, x, scale []float32, mean, rstd float32) (g, gh float32) {
	n := s.whole(len(x))
	if n > 0 {
		switch s {
		case avx2:
			g, gh = normGradSumsAVX2(&dscale[0], &dshift[0], &dy[0], &x[0], &scale[0], n, mean, rstd)
		case avx512:
			g, gh = normGradSumsAVX512(&dscale[0], &dshift[0], &dy[0], &x[0], &scale[0], n, mean, rstd)
		}
	}
	g2, gh2 := normGradSumsPortable(dscale[n:], dshift[n:], dy[n:], x[n:], scale[n:], mean, rstd)
	return g + g2, gh + gh2
}

// rotate turns the pairs (x, y) by the angle of (cos, sin), or back.
func (s isa) rotate(x, y, cos, sin []float32, inverse bool) {
	n := s.whole(len(cos))
	sign := float32(1)
	if inverse {
		sign = -1
	}
	if n > 0 {
		switch s {
		case avx2:
			rotateAVX2(&x[0], &y[0], &cos[0], &sin[0], n, sign)
		case avx512:
			rotateAVX512(&x[0], &y[0], &cos[0], &sin[0], n, sign)
		}
	}
	rotatePortable(x[n:], y[n:], cos[n:], sin[n:], sign)
}

// adamw makes one AdamW step; ema may be nil.
func (s isa) adamw(w, g, m, v, ema []float32, c *adamFactors) {
	n := s.whole(len(w))
	if n > 0 {
		var average *float32
		if ema != nil {
			average = &ema[0]
		}
		switch s {
		case avx2:
			adamwAVX2(&w[0], &g[0], &m[0], &v[0], average, n, c)
		case avx512:
			adamwAVX512(&w[0], &g[0], &m[0], &v[0], average, n, c)
		}
	}
	if ema != nil {
		ema = ema[n:]
	}
	adamwPortable(w[n:], g[n:], m[n:], v[n:], ema, c)
}

// peak does rounds of independent multiply-adds and nothing else; the benchmarks
// compare with it. Each round is peakFlops operations.
func (s isa) peak(rounds int) {
	switch s {
	case avx2:
		peakAVX2(rounds)
	case avx512:
		peakAVX512(rounds)
	}
}

func (s isa) peakFlops() int { return [...]int{0, 12 * 8 * 2, 12 * 16 * 2}[s] }
