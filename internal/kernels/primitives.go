package kernels

import "math"

// tile computes mr x nr elements of C (+)= A B: A has strides rs (row to row)
// and cs (column to column), B is one packed panel.
func (s isa) tile(c []float32, ldc, k int, a []float32, rs, cs int, b []float32, accumulate bool) {
	tilePortable(c, ldc, k, a, rs, cs, b, accumulate)
}

// transpose writes dst[p*ld+i] = b[i*ldb+p] for i < rows, p < k.
func (s isa) transpose(dst []float32, ld int, b []float32, ldb, rows, k int) {
	transposePortable(dst, ld, b, ldb, rows, k)
}

func (s isa) gelu(y, x []float32)          { geluPortable(y, x) }
func (s isa) geluGrad(dx, dy, x []float32) { geluGradPortable(dx, dy, x) }

func (s isa) max(x []float32) float32 { return maxPortable(float32(math.Inf(-1)), x) }

// expSum writes y = exp(scale*x - sub) and returns the sum of y.
func (s isa) expSum(y, x []float32, scale, sub float32) float32 {
	return expSumPortable(y, x, scale, sub)
}

func (s isa) scale(y []float32, a float32)   { scalePortable(y, a) }
func (s isa) add(y, x []float32)             { addPortable(y, x) }
func (s isa) sum(x []float32) float32        { return sumPortable(x) }
func (s isa) dot(x, y []float32) float32     { return dotPortable(x, y) }
func (s isa) sumSquares(x []float32) float64 { return sumSquaresPortable(x) }

// sumSquaresFrom returns the sum of (x - mean)^2.
func (s isa) sumSquaresFrom(x []float32, mean float32) float32 {
	return sumSquaresFromPortable(x, mean)
}

// normalise writes y = (x - mean) rstd (1 + scale) + shift.
func (s isa) normalise(y, x []float32, mean, rstd float32, scale, shift []float32) {
	normalisePortable(y, x, mean, rstd, scale, shift)
}

// normGradSums adds one row to dscale and dshift and returns the two sums that
// normGrad needs: of g = dy (1 + scale), and of g h with h = (x - mean) rstd.
func (s isa) normGradSums(dscale, dshift, dy, x, scale []float32, mean, rstd float32) (g, gh float32) {
	return normGradSumsPortable(dscale, dshift, dy, x, scale, mean, rstd)
}

// normGrad adds rstd (dy (1 + scale) - g - h gh) to dx.
func (s isa) normGrad(dx, dy, x, scale []float32, mean, rstd, g, gh float32) {
	normGradPortable(dx, dy, x, scale, mean, rstd, g, gh)
}

// softmaxGrad writes dx = p (dx - d) scale.
func (s isa) softmaxGrad(dx, p []float32, d, scale float32) {
	softmaxGradPortable(dx, p, d, scale)
}

// rotate turns the pairs (x, y) by the angle of (cos, sin), or back.
func (s isa) rotate(x, y, cos, sin []float32, inverse bool) {
	rotatePortable(x, y, cos, sin, inverse)
}

func (s isa) adamw(w, g, m, v, ema []float32, c *adamFactors) {
	adamwPortable(w, g, m, v, ema, c)
}
