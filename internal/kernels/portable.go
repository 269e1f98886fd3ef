package kernels

import "math"

// This file holds the portable bodies of the vector primitives. They also
// finish the few elements that an assembly body leaves at the end of a slice.

func sqrt32(x float32) float32 { return float32(math.Sqrt(float64(x))) }

// tilePortable computes a tile of C (+)= A B, 4 x 4 by 4 x 4; see isa.tile. Of
// the levels with assembly only an empty sum (k = 0) comes here.
func tilePortable(s isa, c []float32, ldc, k int, a []float32, rs, cs int, b []float32, accumulate bool) {
	if k == 0 {
		if !accumulate {
			for r := range s.mr() {
				clear(c[r*ldc : r*ldc+s.nr()])
			}
		}
		return
	}
	var c00, c01, c02, c03, c10, c11, c12, c13, c20, c21, c22, c23, c30, c31, c32, c33 float32
	for p := range k {
		b4 := b[p*4 : p*4+4 : p*4+4]
		b0, b1, b2, b3 := b4[0], b4[1], b4[2], b4[3]
		x := a[p*cs]
		c00, c01, c02, c03 = c00+x*b0, c01+x*b1, c02+x*b2, c03+x*b3
		x = a[p*cs+rs]
		c10, c11, c12, c13 = c10+x*b0, c11+x*b1, c12+x*b2, c13+x*b3
		x = a[p*cs+2*rs]
		c20, c21, c22, c23 = c20+x*b0, c21+x*b1, c22+x*b2, c23+x*b3
		x = a[p*cs+3*rs]
		c30, c31, c32, c33 = c30+x*b0, c31+x*b1, c32+x*b2, c33+x*b3
	}
	for r, v := range [4][4]float32{{c00, c01, c02, c03}, {c10, c11, c12, c13}, {c20, c21, c22, c23}, {c30, c31, c32, c33}} {
		to := c[r*ldc : r*ldc+4]
		for i := range to {
			if accumulate {
				to[i] += v[i]
			} else {
				to[i] = v[i]
			}
		}
	}
}

// packPiecesPortable cuts rows of src into pieces of size values and copies them to
// places stride apart.
func packPiecesPortable(dst, src []float32, ld, rows, pieces, size, stride int) {
	for r := range rows {
		for i := range pieces {
			copy(dst[r*size+i*stride:][:size], src[r*ld+i*size:])
		}
	}
}

// transposePortable writes dst[p*ld+i] = b[i*ldb+p] for i < rows, p < k.
func transposePortable(dst []float32, ld int, b []float32, ldb, rows, k int) {
	for i := range rows {
		from := b[i*ldb : i*ldb+k]
		for p, x := range from {
			dst[p*ld+i] = x
		}
	}
}

// exp32 is e^x by the scheme of the assembly: x = n ln 2 + r, |r| <= ln(2)/2, a
// polynomial in r (the one of degree 6 that begins with 1 + r and has the least
// relative error there, 3.1e-9, by Lawson's iteration), and a factor 2^n made from its bits. Results that would be denormal are 0, and those within a
// factor sqrt(2) of the largest float are +Inf.
func exp32(x float32) float32 {
	if x != x {
		return x
	}
	x = max(expMin, min(expMax, x))
	n := float32(math.RoundToEven(float64(x * log2e)))
	r := x - n*ln2Hi - n*ln2Lo
	p := (((expC6*r+expC5)*r+expC4)*r+expC3)*r + expC2
	return ((p*r+1)*r + 1) * math.Float32frombits(uint32(int32(n)+127)<<23)
}

const (
	expMin = -88 // here n = -127, whose bits are those of 0
	expMax = 89  // here n = 128, whose bits are those of +Inf
	log2e  = 1.44269504088896341
	ln2Hi  = 0.693359375 // 9 bits, so n*ln2Hi is exact
	ln2Lo  = -2.12194440e-4
	expC2  = 0.49999993447745505
	expC3  = 0.16666520630984621
	expC4  = 0.041668388052818084
	expC5  = 0.008368716966516993
	expC6  = 0.0013814598591995707

	// x/2 (1 + tanh u) = x sigmoid(2u), 2u = geluA x + geluB x^3
	geluA = 1.5957691216057308
	geluB = 0.07135481282553006

	// with s = sigmoid(2u) and e = e^-2u, 1 - s = e s without cancellation, as
	// long as e is finite
	geluMax = 80
)

func geluPortable(y, x []float32) {
	for i, v := range x {
		y[i] = v / (1 + exp32(-v*(geluA+geluB*v*v)))
	}
}

func geluGradPortable(dx, dy, x []float32) {
	for i, v := range x {
		v2 := v * v
		e := exp32(min(geluMax, -v*(geluA+geluB*v2)))
		s := 1 / (1 + e)
		dx[i] = dy[i] * (s + s*(e*s)*v*(geluA+3*geluB*v2))
	}
}

func maxPortable(top float32, x []float32) float32 {
	for _, v := range x {
		if v > top || v != v {
			top = v
		}
	}
	return top
}

func expSumPortable(y, x []float32, scale, sub float32) float32 {
	var sum float32
	for i, v := range x {
		e := exp32(v*scale - sub)
		y[i] = e
		sum += e
	}
	return sum
}

func scalePortable(y []float32, a float32) {
	for i := range y {
		y[i] *= a
	}
}

func addPortable(y, x []float32) {
	for i, v := range x {
		y[i] += v
	}
}

func sumPortable(x []float32) float32 {
	var sum float32
	for _, v := range x {
		sum += v
	}
	return sum
}

func dotPortable(x, y []float32) float32 {
	var sum float32
	for i, v := range x {
		sum += v * y[i]
	}
	return sum
}

func sumSquaresFromPortable(x []float32, mean float32) float32 {
	var sum float32
	for _, v := range x {
		sum += (v - mean) * (v - mean)
	}
	return sum
}

func sumSquaresPortable(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return sum
}

func normalisePortable(y, x, scale, shift []float32, mean, rstd float32) {
	for i, v := range x {
		y[i] = (v-mean)*rstd*(1+scale[i]) + shift[i]
	}
}

func normGradSumsPortable(dscale, dshift, dy, x, scale []float32, mean, rstd float32) (g, gh float32) {
	for i, v := range x {
		h, d := (v-mean)*rstd, dy[i]
		dscale[i] += d * h
		dshift[i] += d
		d += d * scale[i]
		g += d
		gh += d * h
	}
	return g, gh
}

func normGradPortable(dx, dy, x, scale []float32, mean, rstd, g, gh float32) {
	for i, v := range x {
		h, d := (v-mean)*rstd, dy[i]
		d += d * scale[i]
		dx[i] += rstd * (d - g - h*gh)
	}
}

func softmaxGradPortable(dx, p []float32, d, scale float32) {
	for i, v := range p {
		dx[i] = v * (dx[i] - d) * scale
	}
}

func rotatePortable(x, y, cos, sin []float32, sign float32) {
	for i, c := range cos {
		s := sign * sin[i]
		x[i], y[i] = x[i]*c-y[i]*s, x[i]*s+y[i]*c
	}
}

func adamwPortable(w, g, m, v, ema []float32, c *adamFactors) {
	for i := range w {
		x := g[i] * c.clip
		m[i] = c.b1*m[i] + c.a1*x
		v[i] = c.b2*v[i] + c.a2*(x*x)
		w[i] = c.keep*w[i] - c.rate*m[i]/(sqrt32(v[i])*c.root+c.eps)
		if ema != nil {
			ema[i] = c.decay*ema[i] + c.fresh*w[i]
		}
	}
}
