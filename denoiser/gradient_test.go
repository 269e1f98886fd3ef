package denoiser

import (
	"math"
	"slices"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

// The explicit float32 gradients may differ from the exact ones by rounding
// only, which lies at 1e-6 to 1e-5 after two blocks of these sizes. A wrong
// formula is off by 1e-2 and more.
const tolerance = 1e-4

var shapes = map[string]Config{
	"bidirectional": small,
	"causal":        {Vocab: 7, EmbedDim: 2, Width: 8, Layers: 1, Heads: 2, MLP: 6, Causal: true},
}

func TestForwardAgreesWithReference(t *testing.T) {
	for name, c := range shapes {
		t.Run(name, func(t *testing.T) {
			p := newProblem(c, 2, 5)
			params, _, _, ce := learn(t, c, p)
			want := newReference(c, params).losses(p, widen(p.features))
			for i, w := range p.weight {
				if w == 0 { // Loss leaves it out
					want[i] = 0
				}
			}
			e := distance(widen(ce), want)
			t.Logf("cross-entropy: relative error %.1e", e)
			if !(e < tolerance) {
				t.Errorf("cross-entropy is %.1e from the float64 network", e)
			}
		})
	}
}

// TestGradientsAgainstFiniteDifferences differentiates the float64 network by
// central differences and compares the explicit float32 gradients of every
// tensor and of the features.
func TestGradientsAgainstFiniteDifferences(t *testing.T) {
	type shape struct {
		Config
		dropout float64
	}
	cases := map[string]shape{"thinned": {small, .3}}
	for name, c := range shapes {
		cases[name] = shape{Config: c}
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := newProblem(c.Config, 2, 5)
			p.thin = c.dropout
			params, grads, dFeatures, _ := learn(t, c.Config, p)
			r, features := newReference(c.Config, params), widen(p.features)
			r.thin = p.thin
			loss := func() float64 { return r.loss(p, features) }
			worst, where := 0., ""
			check := func(name string, x []float64, grad []float32) {
				e := compare(x, grad, loss)
				if e > worst {
					worst, where = e, name
				}
				if !(e < tolerance) {
					t.Errorf("%s: gradient is %.1e from finite differences", name, e)
				}
			}
			check("features", features, dFeatures)
			for _, q := range c.Params() {
				grad := grads[q.Offset : q.Offset+q.Len()]
				if q.Name == "time.frequencies" {
					if anyNonZero(grad) {
						t.Error("the fixed frequencies have a gradient")
					}
					continue
				}
				check(q.Name, r.p[q.Name], grad)
			}
			t.Logf("worst relative error %.1e, of %s", worst, where)
		})
	}
}

// compare is the relative error of grad against central differences of f with
// respect to x: all elements of a small tensor; of a large one some elements,
// and besides them derivatives along random directions through all of them.
func compare(x []float64, grad []float32, f func() float64) float64 {
	const (
		step       = 1e-3 // fourth order: rounding and truncation below 1e-10
		elements   = 48
		directions = 6
	)
	var got, want []float64
	s := rng.New(3, "directions", 0, 0)
	along := func(d []float64) {
		var explicit, difference float64
		at := slices.Clone(x)
		for _, side := range [][2]float64{{-2, 1}, {-1, -8}, {1, 8}, {2, -1}} {
			for i := range x {
				x[i] = at[i] + side[0]*step*d[i]
			}
			difference += side[1] * f() / (12 * step)
		}
		copy(x, at)
		for i := range d {
			explicit += d[i] * float64(grad[i])
		}
		got, want = append(got, explicit), append(want, difference)
	}
	order := make([]int, len(x))
	s.Perm(order)
	for _, i := range order[:min(elements, len(x))] {
		d := make([]float64, len(x))
		d[i] = 1
		along(d)
	}
	if len(x) > elements {
		for range directions {
			d := make([]float64, len(x))
			for i := range d {
				d[i] = s.Normal() / math.Sqrt(float64(len(x)))
			}
			along(d)
		}
	}
	return distance(got, want)
}
