package oracle

import (
	"math"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
	"github.com/seed-4c77ef92/textwarp/timewarp"
)

// TMin is the lowest noise level of every scenario.
const TMin = .1

// Levels are the warped times at which a fit is compared with the truth.
var Levels = [...]float64{.05, .25, .5, .75, .95}

// Scenario is a training run as a warp sees it: a loss curve that may change
// from step to step, and noise on what is observed of it.
type Scenario struct {
	Name  string
	TMax  float64
	Noise float64 // relative standard deviation of an observed loss
	Gamma bool    // gamma-distributed noise instead of Gaussian
	flat  int     // steps during which the loss does not depend on t at all
	loss  loss
}

// loss is the curve at a step, given the final one and the loss of a network
// that has learned nothing, log V.
type loss func(step int, t float64, final func(float64) float64, untrained float64) float64

// Flat reports whether the curve is constant at a step, so that the warp has no
// true answer.
func (sc Scenario) Flat(step int) bool { return step <= sc.flat }

// Scenarios are those of the comparison in docs/timewarp.md.
func Scenarios() []Scenario {
	return []Scenario{
		{Name: "static", TMax: 50, Noise: .1, loss: static},
		{Name: "noise 50 %", TMax: 50, Noise: .5, Gamma: true, loss: static},
		{Name: "flat 300, blend to 1300", TMax: 50, Noise: .1, flat: 300, loss: flatThenBlend},
		{Name: "drift", TMax: 50, Noise: .1, loss: drift(3)},
		{Name: "drift down", TMax: 50, Noise: .1, loss: drift(1. / 3)},
		{Name: "drift, noise 50 %", TMax: 50, Noise: .5, Gamma: true, loss: drift(3)},
		{Name: "learning", TMax: 50, Noise: .1, loss: learning},
		{Name: "two scales", TMax: 50, Noise: .1, loss: twoScales},
		{Name: "low ceiling", TMax: 50, Noise: .1, loss: lowCeiling},
		{Name: "static", TMax: 300, Noise: .1, loss: static},
		{Name: "noise 50 %", TMax: 300, Noise: .5, Gamma: true, loss: static},
		{Name: "learning", TMax: 300, Noise: .1, loss: learning},
	}
}

func static(_ int, t float64, final func(float64) float64, _ float64) float64 { return final(t) }

// flatThenBlend learns nothing for 300 steps and everything in the next 1000.
func flatThenBlend(step int, t float64, final func(float64) float64, untrained float64) float64 {
	learned := min(max(float64(step-300)/1000, 0), 1)
	return untrained + learned*(final(t)-untrained)
}

// learning learns from the first step on, with a time constant of 150 steps.
func learning(step int, t float64, final func(float64) float64, untrained float64) float64 {
	learned := 1 - math.Exp(-float64(step)/150)
	return untrained + learned*(final(t)-untrained)
}

// drift multiplies the scale of t by a factor over the first 1000 steps, as
// embeddings that move apart do.
func drift(factor float64) loss {
	return func(step int, t float64, final func(float64) float64, _ float64) float64 {
		return final(t * math.Pow(factor, 1-min(float64(step)/1000, 1)))
	}
}

// twoScales is a curve with a step at a quarter of the usual noise level and
// another at four times it.
func twoScales(_ int, t float64, final func(float64) float64, _ float64) float64 {
	return .5*final(4*t) + .5*final(t/4)
}

// lowCeiling stops rising at 2.3 nats, which no ideal denoiser does.
func lowCeiling(_ int, t float64, final func(float64) float64, _ float64) float64 {
	return min(final(t), 2.3)
}

// Errors are the |ln t_fit - ln t_true| at Levels after a step.
type Errors [len(Levels)]float64

// Mean and Max summarise them.
func (e Errors) Mean() float64 {
	sum := 0.
	for _, x := range e {
		sum += x
	}
	return sum / float64(len(e))
}

// Max is the largest single error.
func (e Errors) Max() float64 {
	top := 0.
	for _, x := range e {
		top = max(top, x)
	}
	return top
}

// Run feeds a warp with batches of the given size, drawn by the warp itself,
// and reports its errors at the given steps, which must increase.
func (sc Scenario) Run(w timewarp.Warp, final func(float64) float64, batch int, seed uint64, at []int) []Errors {
	untrained := math.Log(27)
	s := rng.New(seed, "oracle.run", 0, 0)
	u := make([]float64, batch)
	obs := make([]timewarp.Observation, batch)
	var out []Errors
	for step := 1; len(out) < len(at); step++ {
		timewarp.LowDiscrepancy(u, s.Float64())
		for i := range obs {
			t := timewarp.TrainQuantile(w, u[i])
			loss := sc.loss(step, t, final, untrained)
			obs[i] = timewarp.Observation{T: t, Loss: max(0, loss*sc.noise(&s)), Weight: 1}
		}
		w.Observe(obs)
		if step == at[len(out)] {
			out = append(out, sc.errors(w, step, final, untrained))
		}
	}
	return out
}

// noise draws a factor of mean 1 and standard deviation sc.Noise.
func (sc Scenario) noise(s *rng.Stream) float64 {
	if !sc.Gamma {
		return 1 + sc.Noise*s.Normal()
	}
	// Gamma of integer shape k = 1/noise^2 as a sum of exponentials.
	k := int(math.Round(1 / (sc.Noise * sc.Noise)))
	sum := 0.
	for range k {
		sum -= math.Log(1 - s.Float64())
	}
	return sum / float64(k)
}

// errors inverts the true curve by bisection and compares.
func (sc Scenario) errors(w timewarp.Warp, step int, final func(float64) float64, untrained float64) Errors {
	var e Errors
	loss := func(t float64) float64 { return sc.loss(step, t, final, untrained) }
	bottom, height := loss(TMin), loss(sc.TMax)-loss(TMin)
	for i, u := range Levels {
		lo, hi := TMin, sc.TMax
		for range 60 {
			mid := math.Sqrt(lo * hi)
			if loss(mid)-bottom < u*height {
				lo = mid
			} else {
				hi = mid
			}
		}
		e[i] = math.Abs(math.Log(w.Quantile(u) / lo))
	}
	return e
}
