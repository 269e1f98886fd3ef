//go:build !amd64

package kernels

import "math"

func (s isa) supported() bool { return s == generic }

func pause() {}

const spinRounds = 1 << 15

func (s isa) tile(c []float32, ldc, k int, a []float32, rs, cs int, b []float32, accumulate bool) {
	tilePortable(s, c, ldc, k, a, rs, cs, b, accumulate)
}

func (s isa) packPieces(dst, src []float32, ld, rows, pieces, size, stride int) {
	packPiecesPortable(dst, src, ld, rows, pieces, size, stride)
}

func (s isa) transpose(dst []float32, ld int, b []float32, ldb, rows, k int) {
	transposePortable(dst, ld, b, ldb, rows, k)
}

func (s isa) gelu(y, x []float32) {
	geluPortable(y, x)
}

func (s isa) geluGrad(dx, dy, x []float32) {
	geluGradPortable(dx, dy, x)
}

func (s isa) scale(y []float32, a float32) {
	scalePortable(y, a)
}

func (s isa) add(y, x []float32) {
	addPortable(y, x)
}

func (s isa) softmaxGrad(dx, p []float32, d, scale float32) {
	softmaxGradPortable(dx, p, d, scale)
}

func (s isa) normalise(y, x, scale, shift []float32, mean, rstd float32) {
	normalisePortable(y, x, scale, shift, mean, rstd)
}

func (s isa) normGrad(dx, dy, x, scale []float32, mean, rstd, g, gh float32) {
	normGradPortable(dx, dy, x, scale, mean, rstd, g, gh)
}

func (s isa) max(x []float32) float32 {
	return maxPortable(float32(math.Inf(-1)), x)
}

func (s isa) sum(x []float32) float32 {
	return sumPortable(x)
}

func (s isa) dot(x, y []float32) float32 {
	return dotPortable(x, y)
}

func (s isa) sumSquaresFrom(x []float32, mean float32) float32 {
	return sumSquaresFromPortable(x, mean)
}

func (s isa) sumSquares(x []float32) float64 {
	return sumSquaresPortable(x)
}

func (s isa) expSum(y, x []float32, scale, sub float32) float32 {
	return expSumPortable(y, x, scale, sub)
}

func (s isa) normGradSums(dscale, dshift, dy, x, scale []float32, mean, rstd float32) (g, gh float32) {
	return normGradSumsPortable(dscale, dshift, dy, x, scale, mean, rstd)
}

func (s isa) rotate(x, y, cos, sin []float32, inverse bool) {
	sign := float32(1)
	if inverse {
		sign = -1
	}
	rotatePortable(x, y, cos, sin, sign)
}

func (s isa) adamw(w, g, m, v, ema []float32, c *adamFactors) {
	adamwPortable(w, g, m, v, ema, c)
}

func (s isa) peak(int) {}

func (s isa) peakFlops() int { return 0 }
