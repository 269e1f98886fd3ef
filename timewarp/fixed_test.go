package timewarp

import (
	"math"
	"testing"
)

// TestFixedSchedules compares quantiles with the formulas of the papers.
func TestFixedSchedules(t *testing.T) {
	const lo, hi = .2, 80.
	for kind, quantile := range map[string]func(u float64) float64{
		KindUniform:    func(u float64) float64 { return lo + u*(hi-lo) },
		KindLogUniform: func(u float64) float64 { return lo * math.Pow(hi/lo, u) },
		// Karras et al., 2022, equation 5, from the other end.
		KindKarras: func(u float64) float64 {
			return math.Pow(math.Pow(hi, 1./7)+(1-u)*(math.Pow(lo, 1./7)-math.Pow(hi, 1./7)), 7)
		},
		// abar = 1 - sqrt(k), k uniform between the values that lo and hi have.
		KindSqrt: func(u float64) float64 {
			k := func(t float64) float64 { a := t * t / (1 + t*t); return a * a }
			abar := 1 - math.Sqrt(k(lo)+u*(k(hi)-k(lo)))
			return math.Sqrt((1 - abar) / abar)
		},
		// abar = cos^2(theta), theta uniform.
		KindCosine: func(u float64) float64 {
			theta := math.Atan(lo) + u*(math.Atan(hi)-math.Atan(lo))
			abar := math.Cos(theta) * math.Cos(theta)
			return math.Sqrt((1 - abar) / abar)
		},
	} {
		w, err := NewFixed(kind, lo, hi)
		if err != nil {
			t.Fatal(err)
		}
		for i := 1; i < 20; i++ {
			u := float64(i) / 20
			got, want := w.Quantile(u), quantile(u)
			if math.Abs(got/want-1) > 1e-9 {
				t.Errorf("%s: quantile of %v is %v, want %v", kind, u, got, want)
			}
			if f := w.CDF(want); math.Abs(f-u) > 1e-9 {
				t.Errorf("%s: F(%v) = %v, want %v", kind, want, f, u)
			}
		}
	}
}
