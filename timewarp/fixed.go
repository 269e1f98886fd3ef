package timewarp

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

// Fixed is a warp that does not learn: F(t) = (g(t) - g(tmin))/(g(tmax) - g(tmin))
// for an increasing function g that names the schedule. Schedules known from
// variance-preserving diffusion are restated for the variance-exploding process
// through t = sqrt((1 - abar)/abar), abar being the share of signal variance.
type Fixed struct {
	schedule
	record
	g0, g1 float64 // g at the ends of the range
}

// schedule is an increasing function of t, its inverse and its derivative.
type schedule struct {
	kind           string
	g, inverse, dg func(float64) float64
}

// karrasRho is the exponent of Karras et al., Elucidating the Design Space of
// Diffusion-Based Generative Models, 2022, equation 5.
const karrasRho = 7

func schedules() []schedule {
	return []schedule{
		{
			kind:    KindUniform,
			g:       func(t float64) float64 { return t },
			inverse: func(y float64) float64 { return y },
			dg:      func(float64) float64 { return 1 },
		},
		{
			kind:    KindLogUniform,
			g:       math.Log,
			inverse: math.Exp,
			dg:      func(t float64) float64 { return 1 / t },
		},
		{
			kind:    KindKarras,
			g:       func(t float64) float64 { return math.Pow(t, 1./karrasRho) },
			inverse: func(y float64) float64 { return math.Pow(y, karrasRho) },
			dg:      func(t float64) float64 { return math.Pow(t, 1./karrasRho-1) / karrasRho },
		},
		{
			// abar = 1 - sqrt(k + s) (Li et al., Diffusion-LM, 2022, appendix A),
			// k uniform. With a = 1 - abar = t^2/(1 + t^2) that is k = a^2 - s:
			// the offset s only moves the ends, which tmin and tmax set here.
			kind: KindSqrt,
			g:    func(t float64) float64 { a := t * t / (1 + t*t); return a * a },
			inverse: func(y float64) float64 {
				a := math.Sqrt(y)
				return math.Sqrt(a / (1 - a))
			},
			dg: func(t float64) float64 { q := 1 + t*t; return 4 * t * t * t / (q * q * q) },
		},
		{
			// abar = cos^2(theta), theta uniform (Nichol and Dhariwal, Improved
			// Denoising Diffusion Probabilistic Models, 2021, equation 17, whose
			// offset again only moves the ends): t = tan(theta).
			kind:    KindCosine,
			g:       math.Atan,
			inverse: math.Tan,
			dg:      func(t float64) float64 { return 1 / (1 + t*t) },
		},
	}
}

// NewFixed makes the schedule named kind: "uniform" and "log-uniform" in t,
// "karras" (rho = 7), "sqrt" or "cosine".
func NewFixed(kind string, tmin, tmax float64) (Warp, error) {
	f, err := newFixed(kind, tmin, tmax)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func newFixed(kind string, tmin, tmax float64) (*Fixed, error) {
	r, err := newRecord(tmin, tmax, 0)
	if err != nil {
		return nil, err
	}
	for _, s := range schedules() {
		if s.kind != kind {
			continue
		}
		f := &Fixed{schedule: s, record: r, g0: s.g(tmin), g1: s.g(tmax)}
		if !(f.g1 > f.g0) {
			return nil, fmt.Errorf("noise range [%v, %v] is too narrow or too far out for the %s schedule", tmin, tmax, kind)
		}
		return f, nil
	}
	return nil, fmt.Errorf("unknown warp %q: want one of %s", kind, strings.Join(Kinds(), ", "))
}

// CDF implements Warp.
func (f *Fixed) CDF(t float64) float64 {
	if !(t > f.TMin) {
		return 0
	}
	if t >= f.TMax {
		return 1
	}
	return min(max(0, (f.g(t)-f.g0)/(f.g1-f.g0)), 1)
}

// Quantile implements Warp.
func (f *Fixed) Quantile(u float64) float64 {
	return f.quantile(u, func(u float64) float64 { return f.inverse(f.g0 + u*(f.g1-f.g0)) })
}

// Density implements Warp.
func (f *Fixed) Density(t float64) float64 {
	if !(t >= f.TMin && t <= f.TMax) {
		return 0
	}
	return f.dg(t) / (f.g1 - f.g0)
}

// Observe implements Warp: it only records.
func (f *Fixed) Observe(batch []Observation) { f.admit(batch) }

// Snapshot implements Warp. The nodes are spaced evenly in ln t, and Height is
// the loss of the highest noise levels seen.
func (f *Fixed) Snapshot() Snapshot {
	s := f.snapshot(f.kind, f, logNodes(f.TMin, f.TMax, gridNodes))
	if n := len(s.Observed); n > 0 {
		s.Height = s.Observed[n-1].Mean
	}
	return s
}

// fixedState is the saved form of a Fixed.
type fixedState struct {
	Kind string `json:"kind"`
	record
}

// MarshalJSON writes the exact state.
func (f *Fixed) MarshalJSON() ([]byte, error) {
	return json.Marshal(fixedState{Kind: f.kind, record: f.record})
}

// UnmarshalJSON restores what MarshalJSON wrote.
func (f *Fixed) UnmarshalJSON(data []byte) error {
	var s fixedState
	err := json.Unmarshal(data, &s)
	if err == nil {
		err = s.check()
	}
	if err != nil {
		return fmt.Errorf("read warp state: %w", err)
	}
	n, err := newFixed(s.Kind, s.TMin, s.TMax)
	if err != nil {
		return fmt.Errorf("read warp state: %w", err)
	}
	n.record = s.record
	*f = *n
	return nil
}

// logNodes are n noise levels from tmin to tmax, evenly spaced in ln t.
func logNodes(tmin, tmax float64, n int) []float64 {
	t := make([]float64, n)
	a, b := math.Log(tmin), math.Log(tmax)
	for i := range t {
		t[i] = math.Exp(a + (b-a)*float64(i)/float64(n-1))
	}
	t[0], t[n-1] = tmin, tmax
	return t
}
