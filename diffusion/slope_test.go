package diffusion

import (
	"context"
	"errors"
	"math"
	"testing"
)

// TestSlopesOfExactPosterior: for independent tokens and their exact posterior
// slope and squared error are equal at every level, and each is the slope that
// the published curve of this toy has: CE rises from .798 at 1.5 to 1.413 at 2
// (exact-posterior Monte Carlo, measured by this project).
func TestSlopesOfExactPosterior(t *testing.T) {
	z := newToy(27, 16, 1)
	levels := []float64{1, 1.4, 1.73, 2, 2.8, 4, 8}
	s, err := EvaluateSlopes(t.Context(), z, levels, z.text(16000, 4), 1, 400)
	if err != nil {
		t.Fatal(err)
	}
	for k, level := range levels {
		t.Logf("t %.3g: slope %.4f ± %.4f, squared error/t³ %.4f ± %.4f, gap %+.4f ± %.4f",
			level, s.Slope[k], s.SlopeErr[k], s.Squared[k], s.SquaredErr[k], s.Gap[k], s.GapErr[k])
		if math.Abs(s.Gap[k]) > 3*s.GapErr[k]+.01*s.Squared[k] {
			t.Errorf("t %.3g: gap %.4f ± %.4f", level, s.Gap[k], s.GapErr[k])
		}
	}
	// The toy's embeddings are random, hence the width.
	if want := (1.413 - .798) / .5; math.Abs(s.Slope[2]-want) > .1*want {
		t.Errorf("slope %.3f between 1.5 and 2, the curve has %.3f", s.Slope[2], want)
	}
	if s.Sequences != 16000 || s.Below(4) != 0 {
		t.Errorf("%d sequences, %d levels below; want 16000 and none", s.Sequences, s.Below(4))
	}
}

// twins is the perfect denoiser of a source in which every token stands twice,
// side by side: what one of a pair tells, the other lacks.
type twins struct{ *toy }

func (z twins) pair(id int32, t float64, draw, n uint64) (x []float32) {
	x, second := make([]float32, z.d), make([]float32, z.d)
	z.corrupt(x, id, t, draw, 2*n)
	z.corrupt(second, id, t, draw, 2*n+1)
	for k, v := range second {
		x[k] += v
	}
	return x // Σ x·e/t² is what the posterior needs of both
}

func (z twins) CrossEntropy(ce []float32, ids []int32, _ []float32, t float64, draw, sequence uint64) {
	for r := 0; r < len(ids); r += 2 {
		x := z.pair(ids[r], t, draw, sequence+uint64(r/2))
		log := z.posterior(x, t)
		a := float64(z.logPi[ids[r]]) + float64(inner(x, z.row(ids[r])))/(t*t)
		ce[r], ce[r+1] = float32(log-a), float32(log-a)
	}
}

func (z twins) SquaredError(se []float32, ids []int32, _ []float32, t []float64, draw, sequence uint64) {
	x0 := make([]float32, z.d)
	for r := 0; r < len(ids); r += 2 {
		z.posterior(z.pair(ids[r], t[r/2], draw, sequence+uint64(r/2)), t[r/2])
		z.interpolate(x0)
		se[r] = 0
		for k, e := range z.row(ids[r]) {
			se[r] += (e - x0[k]) * (e - x0[k])
		}
		se[r+1] = se[r]
	}
}

// TestContextSteepensTheSlope: the cross-entropy of a twin is that of both
// together, H(X | x1, x2), whose slope is the squared error of two positions.
func TestContextSteepensTheSlope(t *testing.T) {
	z := newToy(27, 16, 1)
	single := z.text(8000, 4)
	ids := make([]int32, 2*len(single))
	for i := range ids {
		ids[i] = single[i/2]
	}
	s, err := EvaluateSlopes(t.Context(), twins{z}, []float64{2, 4, 8}, ids, 2, 100)
	if err != nil {
		t.Fatal(err)
	}
	for k, level := range s.T {
		t.Logf("t %g: slope %.4f ± %.4f, squared error/t³ %.4f ± %.4f", level, s.Slope[k], s.SlopeErr[k], s.Squared[k], s.SquaredErr[k])
		if d := s.Slope[k] - 2*s.Squared[k]; math.Abs(d) > 3*math.Hypot(s.SlopeErr[k], 2*s.SquaredErr[k])+.02*s.Slope[k] {
			t.Errorf("t %g: slope %.4f is not twice %.4f", level, s.Slope[k], s.Squared[k])
		}
	}
}

// sure is a network that puts its first choice far above the rest.
type sure struct{ *toy }

func (z sure) CrossEntropy(ce []float32, ids []int32, m []float32, t float64, draw, sequence uint64) {
	z.toy.CrossEntropy(ce, ids, m, t, draw, sequence)
	for i := range ce {
		ce[i] /= 4
	}
}

func TestNoPosteriorFallsBelow(t *testing.T) {
	z := newToy(27, 16, 1)
	s, err := EvaluateSlopes(t.Context(), sure{z}, []float64{1.5, 2, 3}, z.text(2000, 4), 1, 100)
	if err != nil {
		t.Fatal(err)
	}
	if s.Below(4) != 3 {
		t.Errorf("%d of 3 levels below: gaps %.3v ± %.3v", s.Below(4), s.Gap, s.GapErr)
	}
}

// TestLowest: by hand. From 1 to 2 the bound changes by the gap's area -.5, from
// 2 to 3 by +.5, from 3 to 4 by +1.
func TestLowest(t *testing.T) {
	for name, c := range map[string]struct {
		gap  []float64
		want float64
		ok   bool
	}{
		"falls, then rises":  {[]float64{-1, 0, 1, 1}, 2, true},
		"a posterior":        {[]float64{0, .1, 1, 1}, .5, false},
		"sure everywhere":    {[]float64{-1, -1, -1, -1}, 4, true},
		"a dip too late":     {[]float64{2, 2, -1, -1}, .5, false},
		"a first level only": {[]float64{-1, 9, 9, 9}, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			level, ok := Slopes{T: []float64{1, 2, 3, 4}, Gap: c.gap}.Lowest(.5)
			if level != c.want || ok != c.ok {
				t.Errorf("lowest %v, %v; want %v, %v", level, ok, c.want, c.ok)
			}
		})
	}
}

// TestSlopeErrors: over other noise the gap spreads as it states.
func TestSlopeErrors(t *testing.T) {
	z := newToy(27, 16, 1)
	var values moments
	var stated float64
	const n = 16
	for seed := range uint64(n) {
		s, err := EvaluateSlopes(t.Context(), shifted{z, seed * 1e6}, []float64{2}, z.text(400, seed), 1, 100)
		if err != nil {
			t.Fatal(err)
		}
		values.add(s.Gap[0])
		stated += s.GapErr[0] / n
	}
	_, e := values.mean()
	spread := e * math.Sqrt(n)
	t.Logf("spread %.4f, stated %.4f", spread, stated)
	// The spread of sixteen is itself uncertain by a fifth.
	if spread > 1.6*stated || spread < .5*stated {
		t.Errorf("spread %.4f over noise, stated error %.4f", spread, stated)
	}
}

func TestEvaluateSlopesRefuses(t *testing.T) {
	z := newToy(3, 2, 1)
	ids := make([]int32, 8)
	for name, call := range map[string]func() (Slopes, error){
		"ragged":       func() (Slopes, error) { return EvaluateSlopes(t.Context(), z, []float64{1}, ids, 3, 2) },
		"one sequence": func() (Slopes, error) { return EvaluateSlopes(t.Context(), z, []float64{1}, ids, 8, 2) },
		"no batch":     func() (Slopes, error) { return EvaluateSlopes(t.Context(), z, []float64{1}, ids, 4, 0) },
		"level zero":   func() (Slopes, error) { return EvaluateSlopes(t.Context(), z, []float64{0}, ids, 4, 2) },
	} {
		if _, err := call(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := EvaluateSlopes(ctx, z, []float64{1}, ids, 4, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, expected cancellation", err)
	}
}
