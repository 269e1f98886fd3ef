package denoiser

import (
	"math"
	"slices"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
)

// TestThinning: the share is dropped, the rest keeps the mean, and every place,
// sequence and step has a mask of its own. Below 6 standard errors of a
// binomial of 10⁵.
func TestThinning(t *testing.T) {
	const n, share = 100_000, .3
	mask := func(step, sequence uint64, place int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = 1
		}
		var p Pass
		p.Thin(share, 1, step, sequence)
		p.next.x, p.next.n, p.next.place = x, n, uint64(place)
		p.next.Do(0)
		return x
	}
	first := mask(1, 0, 0)
	var zeros, sum float64
	for _, v := range first {
		sum += float64(v)
		if v == 0 {
			zeros++
		}
	}
	if e := math.Sqrt(share * (1 - share) / n); math.Abs(zeros/n-share) > 6*e || math.Abs(sum/n-1) > 6*e/(1-share) {
		t.Errorf("%v of the units are dropped and the mean is %v, want %v and 1", zeros/n, sum/n, share)
	}
	if !slices.Equal(first, mask(1, 0, 0)) {
		t.Error("the same names give another mask")
	}
	for name, other := range map[string][]float32{"step": mask(2, 0, 0), "sequence": mask(1, 1, 0), "place": mask(1, 0, 1)} {
		same := 0.
		for i, v := range other {
			if v == first[i] {
				same++
			}
		}
		if want := share*share + (1-share)*(1-share); math.Abs(same/n-want) > .02 {
			t.Errorf("masks of another %s agree in %v of the units, independent ones in %v", name, same/n, want)
		}
	}
}

// TestThinIsForOneForward: evaluation after a training step is not thinned, and a
// recomputing pass thins twice alike.
func TestThinIsForOneForward(t *testing.T) {
	p := newProblem(small, 2, 5)
	run := func(back func(n *Net) *Pass, thin float64) (ce, after, grads []float32) {
		params, grads := lively(small), make([]float32, small.NumParams())
		pool := kernels.NewPool(1)
		t.Cleanup(pool.Close)
		n, err := New(small, params, grads, pool)
		if err != nil {
			t.Fatal(err)
		}
		pass := back(n)
		ce, after = make([]float32, p.b*p.l), make([]float32, p.b*p.l)
		pass.Thin(thin, 8, 9, 0)
		pass.Forward(p.b, p.l, p.features, p.t)
		pass.Loss(ce, p.targets, p.weight)
		pass.Backward(nil)
		pass.Forward(p.b, p.l, p.features, p.t)
		pass.CE(after, p.targets)
		return ce, after, grads
	}
	all := func(n *Net) *Pass { return n.NewPass(p.b, p.l, true) }
	plain, want, _ := run(all, 0)
	thinned, after, grads := run(all, .3)
	if slices.Equal(plain, thinned) {
		t.Error("a thinned pass has the losses of the whole network")
	}
	if !slices.Equal(after, want) {
		t.Error("the next Forward is thinned as well")
	}
	if _, _, again := run(func(n *Net) *Pass { return n.NewRecomputingPass(p.b, p.l) }, .3); !slices.Equal(grads, again) {
		t.Error("a recomputing pass has other gradients")
	}
}
