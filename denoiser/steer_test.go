package denoiser

import (
	"math"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

// classes overlap, and one of them is a single token.
var classes = [][]int32{{3}, {0, 2, 3}, {1, 4}}

func weights(n int) []float32 {
	w, s := make([]float32, n*len(classes)), rng.New(8, "weights", 0, 0)
	s.FillNormal(w)
	clear(w[:len(classes)]) // a position that does not matter
	return w
}

// TestRaiseAgainstFiniteDifferences compares the gradient of Σ w ln p(class)
// with respect to the features with that of the float64 network, and shows that
// a network without gradients of its own gives the same to the bit.
func TestRaiseAgainstFiniteDifferences(t *testing.T) {
	p := newProblem(small, 2, 5)
	params, weight := lively(small), weights(10)
	pool := kernels.NewPool(2)
	defer pool.Close()
	gradient := func(grads []float32) []float32 {
		n, err := New(small, params, grads, pool)
		if err != nil {
			t.Fatal(err)
		}
		pass, d := n.NewPass(2, 5, true), make([]float32, len(p.features))
		pass.chunk = 3
		pass.Forward(2, 5, p.features, p.t)
		pass.Raise(classes, weight)
		pass.Backward(d)
		return d
	}
	got, grads := gradient(nil), make([]float32, small.NumParams())
	for i, v := range gradient(grads) {
		if got[i] != v {
			t.Fatalf("feature %d: gradient %g without parameter gradients, %g with them", i, got[i], v)
		}
	}
	if !anyNonZero(grads) {
		t.Error("a network with gradients got none")
	}
	r, features := newReference(small, params), widen(p.features)
	objective := func() (sum float64) {
		targets := make([]int32, 10)
		// p(class) is put together from single tokens' cross-entropies.
		prob := make([][]float64, small.Vocab)
		for v := range prob {
			for i := range targets {
				targets[i] = int32(v)
			}
			q := p
			q.targets = targets
			prob[v] = r.losses(q, features)
		}
		for i, w := range weight {
			var share float64
			for _, v := range classes[i%len(classes)] {
				share += math.Exp(-prob[v][i/len(classes)])
			}
			sum += float64(w) * math.Log(share)
		}
		return sum
	}
	if e := compare(features, got, objective); !(e < tolerance) {
		t.Errorf("gradient is %.1e from finite differences", e)
	}
}

// TestRaiseOfSingleTokensIsLoss: a class of the target is the cross-entropy with
// the sign turned.
func TestRaiseOfSingleTokensIsLoss(t *testing.T) {
	p := newProblem(small, 2, 5)
	n, _ := open(t, small, 1)
	pass, ce, logs := n.NewPass(2, 5, true), make([]float32, 10), make([]float32, 10)
	for i := range p.targets {
		p.targets[i] = 4
	}
	one := [][]int32{{4}}
	loss, raise := make([]float32, len(p.features)), make([]float32, len(p.features))
	pass.Forward(2, 5, p.features, p.t)
	pass.LogProbs(logs, one)
	pass.CE(ce, p.targets)
	for i := range ce {
		if math.Abs(float64(ce[i]+logs[i])) > 1e-5 {
			t.Errorf("position %d: ln p = %g, cross-entropy %g", i, logs[i], ce[i])
		}
	}
	pass.Loss(ce, p.targets, p.weight)
	pass.Backward(loss)
	pass.Forward(2, 5, p.features, p.t)
	pass.Raise(one, p.weight)
	pass.Backward(raise)
	for i := range loss {
		loss[i] = -loss[i]
	}
	if e := distance(widen(raise), widen(loss)); e > 1e-5 {
		t.Errorf("the gradients differ by %.1e", e)
	}
}

// TestForbid: forbidden tokens have no share and the others keep their ratios,
// until the next Forward.
func TestForbid(t *testing.T) {
	p := newProblem(small, 2, 5)
	n, _ := open(t, small, 1)
	pass := n.NewPass(2, 5, false)
	before, after, again := make([]float32, 30), make([]float32, 30), make([]float32, 30)
	ids, prob := make([]int32, 10), make([]float32, 10)
	pass.Forward(2, 5, p.features, p.t)
	pass.LogProbs(before, classes)
	pass.Predict(ids, prob)
	ban := make([][]int32, 10)
	ban[1], ban[7] = classes[2], []int32{ids[7]}
	first := ids[7]
	pass.Forbid(ban)
	pass.LogProbs(after, classes)
	pass.Predict(ids, prob)
	pass.Forward(2, 5, p.features, p.t)
	pass.LogProbs(again, classes)
	for i := range before {
		if again[i] != before[i] {
			t.Fatalf("after another Forward ln p is %g, was %g", again[i], before[i])
		}
		if r := i / 3; r != 1 && r != 7 && after[i] != before[i] {
			t.Errorf("position %d has nothing forbidden and changed", r)
		}
	}
	rest := float64(before[3]) - math.Log1p(-math.Exp(float64(before[5])))
	if after[5] > -60 || math.Abs(float64(after[3])-rest) > 1e-5 {
		t.Errorf("ln p is %g of the forbidden class and %g of another, want < -60 and %g", after[5], after[3], rest)
	}
	if ids[7] == first {
		t.Error("a forbidden token was predicted")
	}
}
