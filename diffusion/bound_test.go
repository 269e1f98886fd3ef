package diffusion

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/seed-4c77ef92/textwarp/timewarp"
)

// TestBoundOfExactPosterior: the bound of a perfect model exceeds the entropy
// only by what x at t_max still tells of the token. Expected: 2.757 against
// 2.751, exact-posterior Monte Carlo, measured by this project.
func TestBoundOfExactPosterior(t *testing.T) {
	z := newToy(27, 16, 1)
	if h := entropy(z.prior); math.Abs(h-2.751) > .001 {
		t.Fatalf("entropy of Zipf(1) over 27 is %.4f, expected 2.751", h)
	}
	got, err := EvaluateBound(t.Context(), z, newCurve(z, .3, 50), z.text(20000, 4), BoundOptions{Length: 4, Dim: 16, Batch: 125, Draws: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("bound %.4f ± %.4f, expected 2.757 ± .005 (reconstruction %.4f, diffusion %.4f, prior %.4f)",
		got.Nats, got.StdErr, got.Reconstruction, got.Diffusion, got.Prior)
	if math.Abs(got.Nats-2.757) > .02 {
		t.Errorf("bound %.4f ± %.4f, expected 2.757", got.Nats, got.StdErr)
	}
	if math.Abs(got.Prior-.0032) > 1e-6 {
		t.Errorf("prior %v, expected 16/(2·50²) = .0032", got.Prior)
	}
	if got.Reconstruction > 1e-3 {
		t.Errorf("reconstruction %v, expected about 0", got.Reconstruction)
	}
	if got.Sequences != 5000 || got.Tokens != 20000 {
		t.Errorf("%d sequences, %d tokens; expected 5000 and 20000", got.Sequences, got.Tokens)
	}
}

// step is a density that never draws most levels, as a broken warp might.
type step struct{ tmin, tmax, from, to float64 }

func (s step) Quantile(u float64) float64 {
	switch u {
	case 0:
		return s.tmin
	case 1:
		return s.tmax
	}
	return s.from + u*(s.to-s.from)
}

func (s step) Density(t float64) float64 {
	if t < s.from || t > s.to {
		return 0
	}
	return 1 / (s.to - s.from)
}

// TestBoundDoesNotDependOnTheDensity: where levels are drawn changes the error
// and not the value, even if the density leaves out most of the range.
func TestBoundDoesNotDependOnTheDensity(t *testing.T) {
	z := newToy(27, 16, 1)
	karras, err := timewarp.NewFixed(timewarp.KindKarras, .3, 50)
	if err != nil {
		t.Fatal(err)
	}
	for name, w := range map[string]Density{"karras": karras, "a part of the range": step{.3, 50, 3, 5}} {
		got, err := EvaluateBound(t.Context(), z, w, z.text(10000, 4), BoundOptions{Length: 1, Dim: 16, Batch: 500, Draws: 2})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %.4f ± %.4f", name, got.Nats, got.StdErr)
		if math.Abs(got.Nats-2.757) > 3*got.StdErr {
			t.Errorf("%s: bound %.4f ± %.4f, expected 2.757", name, got.Nats, got.StdErr)
		}
	}
}

// TestBoundFromAnyLevel: of a perfect model of independent tokens the bound is
// the same from every lowest level; what leaves the integral is in the
// cross-entropy.
func TestBoundFromAnyLevel(t *testing.T) {
	z := newToy(27, 16, 1)
	w, err := timewarp.NewFixed(timewarp.KindLogUniform, .3, 50)
	if err != nil {
		t.Fatal(err)
	}
	for _, level := range []float64{.3, 1, 2.5} {
		got, err := EvaluateBound(t.Context(), z, Above(w, level), z.text(10000, 4), BoundOptions{Length: 1, Dim: 16, Batch: 500, Draws: 2})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("from %g: %.4f ± %.4f, of it %.3f at the lowest level", level, got.Nats, got.StdErr, got.Reconstruction)
		if got.From != level || math.Abs(got.Nats-2.757) > 3*got.StdErr {
			t.Errorf("from %g (asked for %g): bound %.4f ± %.4f, expected 2.757", got.From, level, got.Nats, got.StdErr)
		}
	}
}

// TestBoundStandardError: the spread over repetitions is no more than the error
// that one of them states.
func TestBoundStandardError(t *testing.T) {
	z := newToy(27, 16, 1)
	warp := newCurve(z, .3, 50)
	const n = 12
	var sum, square, stated float64
	for seed := range uint64(n) {
		// Tokens without stratification would need another source; these are
		// the same 400 each time, so levels and noise alone vary.
		got, err := EvaluateBound(t.Context(), shifted{z, seed * 1e6}, warp, z.text(400, 4), BoundOptions{Length: 1, Dim: 16, Batch: 100, Draws: 2, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		sum += got.Nats
		square += got.Nats * got.Nats
		stated += got.StdErr / n
	}
	spread := math.Sqrt((square - sum*sum/n) / (n - 1))
	t.Logf("spread %.4f, stated %.4f", spread, stated)
	// The spread of twelve is itself uncertain by a fifth.
	if spread > 1.5*stated || stated == 0 {
		t.Errorf("spread %.4f over seeds, stated error %.4f", spread, stated)
	}
}

// shifted is a toy with other noise.
type shifted struct {
	*toy
	by uint64
}

func (s shifted) CrossEntropy(ce []float32, ids []int32, m []float32, t float64, draw, sequence uint64) {
	s.toy.CrossEntropy(ce, ids, m, t, draw, s.by+sequence)
}

func (s shifted) SquaredError(se []float32, ids []int32, m []float32, t []float64, draw, sequence uint64) {
	s.toy.SquaredError(se, ids, m, t, draw, s.by+sequence)
}

func TestEvaluateBoundRefuses(t *testing.T) {
	z := newToy(3, 2, 1)
	w := step{.3, 50, 1, 2}
	ids := make([]int32, 8)
	good := BoundOptions{Length: 4, Dim: 2, Batch: 2, Draws: 1}
	for name, spoil := range map[string]func(o *BoundOptions, ids *[]int32, w *step){
		"no draws":         func(o *BoundOptions, _ *[]int32, _ *step) { o.Draws = 0 },
		"ragged":           func(o *BoundOptions, _ *[]int32, _ *step) { o.Length = 3 },
		"one sequence":     func(_ *BoundOptions, ids *[]int32, _ *step) { *ids = (*ids)[:4] },
		"no noise range":   func(_ *BoundOptions, _ *[]int32, w *step) { w.tmax = w.tmin },
		"noise level zero": func(_ *BoundOptions, _ *[]int32, w *step) { w.tmin = 0 },
	} {
		o, text, density := good, ids, w
		spoil(&o, &text, &density)
		if _, err := EvaluateBound(t.Context(), z, density, text, o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := EvaluateBound(ctx, z, w, ids, good); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, expected cancellation", err)
	}
}
