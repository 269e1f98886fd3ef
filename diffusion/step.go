package diffusion

import "math"

// decay is the factor by which one step from t to t' = r·t shrinks x - x̂0.
//
// The flow dx/dt = (x - x̂0)/(tT), for T the temperature of the score, has for a
// constant x̂0 the solution x' - x̂0 = r^{1/T} (x - x̂0): the exact step. Euler's
// factor 1 - (1-r)/T agrees with it at T = 1 and otherwise only for short
// steps: for T < 1 and r near 0 it is negative, a cut of the noise that nobody
// asked for.
func decay(r, temperature float64, exact bool) float64 {
	if exact {
		return math.Pow(r, 1/temperature)
	}
	return 1 - (1-r)/temperature
}

// ancestral is the factor for x - x̂0 and the deviation of the fresh noise in a
// step of the reverse diffusion dx = 2(x - x̂0)/(tT) dt + √(2t) dW.
//
// At T = 1 it is the posterior q(x_t' | x_t, x̂0) of the forward process: factor
// r², variance t'²(1 - r²). The exact step is the solution for a constant x̂0
// at any T: with a = 2/T, factor r^a and variance t'² (1 - r^{2a-2})/(a - 1).
func ancestral(t, next, temperature float64, exact bool) (keep, sigma float64) {
	r := next / t
	if !exact || temperature == 1 {
		return 1 - (1-r*r)/temperature, next * math.Sqrt(1-r*r)
	}
	a := 2 / temperature
	// (1 - r^{2(a-1)})/(a-1) by expm1, whose limit at a = 1 is -2 ln r.
	variance := -2 * math.Log(r)
	if a != 1 {
		variance = -math.Expm1(2*(a-1)*math.Log(r)) / (a - 1)
	}
	return math.Pow(r, a), next * math.Sqrt(variance)
}

// blend writes dst = x̂0 + keep·(x - x̂0), the convex form of a step.
func blend(dst, x, x0 []float32, keep float64) {
	k := float32(keep)
	for i := range dst {
		dst[i] = x0[i] + k*(x[i]-x0[i])
	}
}
