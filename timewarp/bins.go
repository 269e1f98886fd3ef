package timewarp

import (
	"math"
	"sort"

	"gonum.org/v1/gonum/mathext"
)

// bins are the parameters of the paper's fit: logits A of the bin widths on the
// t axis and logits B of the bin heights.
type bins struct {
	A []float64 `json:"t_logits"`
	B []float64 `json:"u_logits"`
}

func newBins(n int) bins { return bins{A: make([]float64, n), B: make([]float64, n)} }

func (b bins) set(from bins) {
	copy(b.A, from.A)
	copy(b.B, from.B)
}

// approach moves a moving average towards its target.
func (b bins) approach(target bins, decay float64) {
	for i := range b.A {
		b.A[i] = decay*b.A[i] + (1-decay)*target.A[i]
		b.B[i] = decay*b.B[i] + (1-decay)*target.B[i]
	}
}

// spaceEvenlyInLog chooses the logits whose bins are as wide as possible to
// equal width in ln t; the floor keeps the first ones wider.
func (b bins) spaceEvenlyInLog(tmin, tmax, floor float64) {
	n := len(b.A)
	t := logNodes(tmin, tmax, n+1)
	for i := range b.A {
		width := (t[i+1] - t[i]) / (tmax - tmin)
		b.A[i] = math.Log(max(width*(1+float64(n)*floor)-floor, 1e-3*floor))
	}
}

// curve is the piecewise linear function F~ that bins stand for, on [0, 1], and
// what is needed to differentiate it.
type curve struct {
	wt, wu []float64 // widths on the t axis, sum 1; heights
	et, eu []float64 // edges: cumulative sums of the above
	soft   []float64 // softmax(A)

	// Gradient of the loss, as coefficients from which that of bin j follows
	// by summing over all bins above it.
	own   []float64 // with respect to the height of the bin itself
	above []float64 // with respect to the height of every bin below
	width []float64 // with respect to the width of the bin itself
	shift []float64 // with respect to the width of every bin below
	all   float64   // with respect to the height of every bin
	tmp   []float64
}

func newCurve(n int) curve {
	mk := func(n int) []float64 { return make([]float64, n) }
	return curve{
		wt: mk(n), wu: mk(n), et: mk(n + 1), eu: mk(n + 1), soft: mk(n),
		own: mk(n), above: mk(n), width: mk(n), shift: mk(n), tmp: mk(n),
	}
}

// build computes widths (softmax(A) + floor)/(1 + N floor) and heights
// exp(B) + floor. The floor on the heights is part of F~, so that the warp is
// exactly F~ / F~(1).
func (c *curve) build(b bins, floor float64) {
	top := math.Inf(-1)
	for _, a := range b.A {
		top = max(top, a)
	}
	sum := 0.
	for i, a := range b.A {
		c.soft[i] = math.Exp(a - top)
		sum += c.soft[i]
	}
	n := float64(len(b.A))
	for i := range c.soft {
		c.soft[i] /= sum
		c.wt[i] = (c.soft[i] + floor) / (1 + n*floor)
		c.wu[i] = math.Exp(b.B[i]) + floor
		c.et[i+1] = c.et[i] + c.wt[i]
		c.eu[i+1] = c.eu[i] + c.wu[i]
	}
}

// height is F~(1).
func (c *curve) height() float64 { return c.eu[len(c.wu)] }

// at evaluates F~ at x in [0, 1] and names the bin.
func (c *curve) at(x float64) (k int, y float64) {
	k = min(max(sort.SearchFloat64s(c.et, x)-1, 0), len(c.wt)-1)
	return k, c.eu[k] + c.wu[k]/c.wt[k]*(x-c.et[k])
}

func (c *curve) clear() {
	for i := range c.own {
		c.own[i], c.above[i], c.width[i], c.shift[i] = 0, 0, 0, 0
	}
	c.all = 0
}

// accumulate adds g times the gradient of F~(x), x in bin k, and h times that
// of F~(1). With r = x - e_k, wu the heights and wt the widths,
//
//	dF~/dwu_j = 1 (j < k), r/wt_k (j = k), 0 (j > k)
//	dF~/dwt_j = -wu_k/wt_k (j < k), -r wu_k/wt_k^2 (j = k), 0 (j > k).
func (c *curve) accumulate(k int, x, g, h float64) {
	r := x - c.et[k]
	c.own[k] += g * r / c.wt[k]
	c.above[k] += g
	c.width[k] -= g * r * c.wu[k] / (c.wt[k] * c.wt[k])
	c.shift[k] -= g * c.wu[k] / c.wt[k]
	c.all += h
}

// gradient carries what was accumulated through the floor, the exponential and
// the softmax.
func (c *curve) gradient(dst *bins, b bins, floor float64) {
	n := len(c.wt)
	above, shift, dot := 0., 0., 0.
	for j := n - 1; j >= 0; j-- {
		dst.B[j] = (c.own[j] + above + c.all) * math.Exp(b.B[j])
		c.tmp[j] = (c.width[j] + shift) / (1 + float64(n)*floor)
		dot += c.tmp[j] * c.soft[j]
		above += c.above[j]
		shift += c.shift[j]
	}
	for j := range c.soft {
		dst.A[j] = c.soft[j] * (c.tmp[j] - dot)
	}
}

// leastShare is the mass of a bin beside that of the heaviest one.
const leastShare = 1e-9

// warp writes the edges on the t axis, scaled to [0, 1], and the CDF there,
// after the temperature, wu ~ wu (wu/wt)^(1/T - 1), and the uniform share.
func (c *curve) warp(t, cdf []float64, temperature, uniform float64) {
	top := math.Inf(-1)
	for i, w := range c.wu {
		c.tmp[i] = math.Log(w) + (1/temperature-1)*math.Log(w/c.wt[i])
		top = max(top, c.tmp[i])
	}
	sum := 0.
	for i, l := range c.tmp {
		c.tmp[i] = math.Exp(l-top) + leastShare // strictly increasing at any temperature
		sum += c.tmp[i]
	}
	t[0], cdf[0] = 0, 0
	for i, w := range c.tmp {
		t[i+1] = t[i] + c.wt[i]
		cdf[i+1] = cdf[i] + (1-uniform)*w/sum + uniform*c.wt[i]
	}
	n := len(c.wt)
	for i := range t { // rounding must not leave the last edge beside 1
		t[i] /= t[n]
		cdf[i] /= cdf[n]
	}
}

// shape is S(u) and S'(u), the CDF and density of a Beta distribution.
func (o PaperOptions) shape(u float64) (s, ds float64) {
	if o.ShapeA == 1 && o.ShapeB == 1 {
		return u, 1
	}
	const edge = 1e-6 // the density may be infinite at the ends
	u = min(max(u, edge), 1-edge)
	a, b := o.ShapeA, o.ShapeB
	return mathext.RegIncBeta(a, b, u), math.Exp((a-1)*math.Log(u) + (b-1)*math.Log1p(-u) - mathext.Lbeta(a, b))
}

// adam keeps the moments of Kingma and Ba, Adam, 2015, for the t logits and
// then the u logits.
type adam struct {
	M     []float64 `json:"m"`
	V     []float64 `json:"v"`
	Steps int       `json:"steps"`
}

func newAdam(n int) adam { return adam{M: make([]float64, n), V: make([]float64, n)} }

// maxLogit keeps exp of a logit far from overflow.
const maxLogit = 40

func (a *adam) step(w, g bins, o PaperOptions) {
	a.Steps++
	n := len(w.A)
	c1 := 1 - math.Pow(o.Beta1, float64(a.Steps))
	c2 := 1 - math.Pow(o.Beta2, float64(a.Steps))
	for i := range a.M {
		x, d := &w.A[i%n], g.A[i%n]
		if i >= n {
			x, d = &w.B[i-n], g.B[i-n]
		}
		a.M[i] = o.Beta1*a.M[i] + (1-o.Beta1)*d
		a.V[i] = o.Beta2*a.V[i] + (1-o.Beta2)*d*d
		*x -= o.LearningRate * (a.M[i] / c1) / (math.Sqrt(a.V[i]/c2) + 1e-8)
		*x = min(max(*x, -maxLogit), maxLogit)
	}
}
