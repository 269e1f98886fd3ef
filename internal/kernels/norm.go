package kernels

// normEps is added to the variance under the root, as is usual for layer norm.
const normEps = 1e-5

// LayerNormMod computes y = LN(x) * (1 + scale) + shift, where LN takes mean and
// variance over a row and has no parameters of its own.
//
// x and y are [b*l, n]; scale and shift are [b, n], one row for each sequence;
// mean and rstd (1/sqrt(variance + 1e-5)) are [b*l] and are kept for the
// backward pass. y may be x.
func (p *Pool) LayerNormMod(y, mean, rstd, x, scale, shift []float32, b, l, n int) {
	need("y", y, b*l, n)
	need("x", x, b*l, n)
	need("mean", mean, b, l)
	need("rstd", rstd, b, l)
	need("scale", scale, b, n)
	need("shift", shift, b, n)
	p.mu.Lock()
	p.norm = normJob{y: y, mean: mean, rstd: rstd, x: x, scale: scale, shift: shift, rows: b * l, l: l, n: n}
	p.call(shape{"layer norm", b * l, n, 0}, 8*b*l*n, 2*b*l*n, ceilDiv(b*l, normRows), &p.norm)
	p.norm = normJob{}
	p.mu.Unlock()
}

const normRows = 16

type normJob struct {
	y, mean, rstd, x, scale, shift []float32
	rows, l, n                     int
}

func (j *normJob) do(w *worker, i int) {
	s, n := w.isa, j.n
	for r := i * normRows; r < min((i+1)*normRows, j.rows); r++ {
		x, seq := j.x[r*n:(r+1)*n], r/j.l
		mean := s.sum(x) / float32(n)
		rstd := 1 / sqrt32(s.sumSquaresFrom(x, mean)/float32(n)+normEps)
		j.mean[r], j.rstd[r] = mean, rstd
		s.normalise(j.y[r*n:(r+1)*n], x, j.scale[seq*n:(seq+1)*n], j.shift[seq*n:(seq+1)*n], mean, rstd)
	}
}

// LayerNormModBackward is the gradient of LayerNormMod. It adds to dx [b*l, n],
// and adds to dscale and dshift [b, n] sums over the l rows of a sequence, in
// order. mean and rstd are those of the forward pass.
func (p *Pool) LayerNormModBackward(dx, dscale, dshift, dy, x, mean, rstd, scale []float32, b, l, n int) {
	need("dx", dx, b*l, n)
	need("dscale", dscale, b, n)
	need("dshift", dshift, b, n)
	need("dy", dy, b*l, n)
	need("x", x, b*l, n)
	need("mean", mean, b, l)
	need("rstd", rstd, b, l)
	need("scale", scale, b, n)
	p.mu.Lock()
	p.normGrad = normGradJob{dx: dx, dscale: dscale, dshift: dshift, dy: dy, x: x, mean: mean, rstd: rstd, scale: scale, l: l, n: n}
	p.call(shape{"layer norm backward", b * l, n, 0}, 16*b*l*n, 4*b*l*n, b, &p.normGrad)
	p.normGrad = normGradJob{}
	p.mu.Unlock()
}

type normGradJob struct {
	dx, dscale, dshift, dy, x, mean, rstd, scale []float32
	l, n                                         int
}

// do handles sequence seq. With h = (x - mean) rstd and g = dy (1 + scale):
// dx = rstd (g - mean(g) - h mean(g h)).
func (j *normGradJob) do(w *worker, seq int) {
	s, n := w.isa, j.n
	scale := j.scale[seq*n : (seq+1)*n]
	dscale, dshift := j.dscale[seq*n:(seq+1)*n], j.dshift[seq*n:(seq+1)*n]
	for r := seq * j.l; r < (seq+1)*j.l; r++ {
		x, dy, dx := j.x[r*n:(r+1)*n], j.dy[r*n:(r+1)*n], j.dx[r*n:(r+1)*n]
		mean, rstd := j.mean[r], j.rstd[r]
		g, gh := s.normGradSums(dscale, dshift, dy, x, scale, mean, rstd)
		s.normGrad(dx, dy, x, scale, mean, rstd, g/float32(n), gh/float32(n))
	}
}
