package diffusion

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func near(a, b, tol float64) bool { return math.Abs(a-b) <= tol*(1+math.Abs(a)+math.Abs(b)) }

func TestExactStepIsEulerAtTemperatureOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rapid.Float64Range(1e-6, 1).Draw(t, "r")
		if a, b := decay(r, 1, true), decay(r, 1, false); !near(a, b, 1e-14) {
			t.Fatalf("exact %v, Euler %v", a, b)
		}
	})
}

// TestExactStepsCompose: two steps equal the one that skips the level between,
// for any temperature, which is what makes the result depend little on their
// number.
func TestExactStepsCompose(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		temperature := rapid.Float64Range(.3, 3).Draw(t, "T")
		from := rapid.Float64Range(1, 50).Draw(t, "from")
		via := from * rapid.Float64Range(.1, 1).Draw(t, "via")
		to := via * rapid.Float64Range(.1, 1).Draw(t, "to")

		if a, b := decay(via/from, temperature, true)*decay(to/via, temperature, true), decay(to/from, temperature, true); !near(a, b, 1e-12) {
			t.Fatalf("two steps keep %v, one keeps %v", a, b)
		}
		k1, s1 := ancestral(from, via, temperature, true)
		k2, s2 := ancestral(via, to, temperature, true)
		k, s := ancestral(from, to, temperature, true)
		if !near(k1*k2, k, 1e-12) || !near(k2*k2*s1*s1+s2*s2, s*s, 1e-9) {
			t.Fatalf("two steps keep %v and add %v, one keeps %v and adds %v", k1*k2, k2*k2*s1*s1+s2*s2, k, s*s)
		}
	})
}

// TestExactStepNeverChangesSign: the case that Euler gets wrong, the first of
// ten warp-spaced steps at T = .8 (r = .128, measured by this project on a
// trained model: factor -.09).
func TestExactStepNeverChangesSign(t *testing.T) {
	if got := decay(.128, .8, false); !near(got, -.09, .005) {
		t.Errorf("Euler keeps %v, expected -.09", got)
	}
	if got := decay(.128, .8, true); !near(got, math.Pow(.128, 1.25), 1e-12) {
		t.Errorf("exact step keeps %v", got)
	}
}

// TestAncestralIsTheForwardPosterior: x at the next level, from x_t of variance
// t² about x0, must have variance t'².
func TestAncestralIsTheForwardPosterior(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.Float64Range(.2, 50).Draw(t, "from")
		to := from * rapid.Float64Range(.01, 1).Draw(t, "r")
		k, s := ancestral(from, to, 1, false)
		if v := k*k*from*from + s*s; !near(v, to*to, 1e-12) {
			t.Fatalf("variance %v after the step, expected %v", v, to*to)
		}
	})
}

// TestAncestralLimits: the formula is continuous at T = 1, where it changes to
// the plain one, and at T = 2, where a = 1.
func TestAncestralLimits(t *testing.T) {
	for _, temperature := range []float64{1, 2} {
		k, s := ancestral(3, 1, temperature, true)
		ke, se := ancestral(3, 1, temperature*(1+1e-9), true)
		if !near(k, ke, 1e-7) || !near(s, se, 1e-7) {
			t.Errorf("T = %v: keeps %v adds %v, beside it %v and %v", temperature, k, s, ke, se)
		}
	}
}
