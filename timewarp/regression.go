package timewarp

import "math"

// fitPoints is the number of places, evenly spaced in z, at which the loss
// curve is estimated; it is linear in z in between.
const fitPoints = 48

// leastNeighbours is the effective number of observations a local line needs.
const leastNeighbours = 12

// leastMass is the sum of weights below which a neighbourhood counts as empty:
// long before what has faded away becomes too small to divide by.
const leastMass = 1e-9

// slopePenalty pulls a local line towards a constant where the observations in
// reach lie so close together that they tell nothing about a slope.
const slopePenalty = .05

// biweight is the ratio of the reach of the biweight kernel to its standard
// deviation.
var biweight = math.Sqrt(7)

// straighten fills z with the straightened axis at the nodes s = ln t: the
// share of noise in the total variance, t^2/(t^2 + q^2), averaged over signals
// whose standard deviation q is one of the current quartiles of the noise level.
//
//	CE                          CE          . --
//	 |        .------            |       .
//	 |      /                    |     /
//	 |    _/                     |   /
//	 |---'                       |--'
//	 +------------- ln t         +------------- z
//
// For an ideal denoiser dCE/dt = mmse(t)/t^3 (Guo, Shamai and Verdu, 2005), and
// at high noise mmse is the constant variance of the data: there CE approaches
// its ceiling as 1/t^2, which is a straight line in z. The flat tail that is
// hopeless to measure in t, where a hundredth of the height is a sixth of the
// noise level, becomes a short straight piece between well observed points.
func straighten(z, s []float64, quartiles [2]float64) {
	for i, s := range s {
		z[i] = 0
		for _, q := range quartiles {
			z[i] += .5 / (1 + math.Exp(2*(q-s)))
		}
	}
}

// estimate is a loss curve at the fit points with its variance there.
type estimate struct {
	level, variance []float64
}

// localLines fits, at every point x of the straightened axis, the line that is
// best for the observations of a memory in the neighbourhood, and returns the
// residual variance of the losses about the lines. z are the places of the
// nodes, h the standard deviation of the kernel; it doubles where fewer than
// leastNeighbours observations are in reach. scale is the height of the curve.
//
// A local line estimates E[loss | t] without any importance weights, whatever
// the density of t: what a sloping density does to a local mean, to first
// order, the slope of the line undoes (Fan and Gijbels, Local Polynomial
// Modelling and Its Applications, 1996, section 3.2).
func (m *memory) localLines(dst estimate, x, z []float64, h, scale float64) (residual float64) {
	var spread, mass float64
	from := 0
	for j, c := range x {
		for h := h; ; h *= 2 {
			reach := h * biweight
			for from > 0 && z[from-1] > c-reach {
				from--
			}
			for from < len(z)-1 && z[from] <= c-reach {
				from++
			}
			var s0, s1, s2, y0, y1, q, v0, v1, v2 float64
			for i := from; i < len(z) && z[i] < c+reach; i++ {
				d := z[i] - c
				k := 1 - d/reach*(d/reach)
				k *= k
				w, y, v := k*m.W[i], k*m.Y[i], k*k*m.W2[i]
				s0 += w
				s1 += w * d
				s2 += w * d * d
				y0 += y
				y1 += y * d
				q += k * m.Q[i]
				v0 += v
				v1 += v * d
				v2 += v * d * d
			}
			if h < 1 && !(s0 > leastMass && s0*s0 >= leastNeighbours*v0) { // at 1 a kernel sees the whole axis
				continue
			}
			s2 += slopePenalty * s0 * h * h
			det := s0*s2 - s1*s1
			level, slope := (s2*y0-s1*y1)/det, (s0*y1-s1*y0)/det
			noise := max(0, (q-level*y0-slope*y1)/s0)
			spread += noise * s0
			mass += s0
			noise = max(noise, 1e-8*scale*scale)
			// The level is a weighted sum of the losses; so is its variance.
			dst.level[j] = level
			dst.variance[j] = max(1e-12*scale*scale, noise*(s2*s2*v0-2*s1*s2*v1+s1*s1*v2)/(det*det))
			break
		}
	}
	return spread / mass
}
