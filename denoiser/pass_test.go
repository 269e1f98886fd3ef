package denoiser

import (
	"math"
	"slices"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

// open makes a network with lively parameters on a pool of its own.
func open(t testing.TB, c Config, workers int) (n *Net, grads []float32) {
	t.Helper()
	pool := kernels.NewPool(workers)
	t.Cleanup(pool.Close)
	grads = make([]float32, c.NumParams())
	n, err := New(c, lively(c), grads, pool)
	if err != nil {
		t.Fatal(err)
	}
	return n, grads
}

// medium spans several tiles of every kernel.
var medium = Config{Vocab: 9001, EmbedDim: 5, Width: 48, Layers: 2, Heads: 2, MLP: 100}

// outcome is everything that a step yields.
func outcome(t *testing.T, p problem, workers, capB, capL int) []float32 {
	n, grads := open(t, medium, workers)
	rows := p.b * p.l
	pass := n.NewPass(capB, capL, true)
	pass.chunk = 128
	ce, dFeatures, x0 := make([]float32, rows), make([]float32, len(p.features)), make([]float32, rows*n.config.EmbedDim)
	table := make([]float32, n.config.Vocab*n.config.EmbedDim)
	s := rng.New(4, "table", 0, 0)
	s.FillNormal(table)
	ids, prob := make([]int32, rows), make([]float32, rows)

	pass.Forward(p.b, p.l, p.features, p.t)
	pass.Interpolate(x0, table, nil)
	pass.Predict(ids, prob)
	pass.Loss(ce, p.targets, p.weight)
	pass.Backward(dFeatures)
	out := slices.Concat(grads, ce, dFeatures, x0, prob)
	for _, id := range ids {
		out = append(out, float32(id))
	}
	return out
}

func TestResultsDependOnNeitherWorkersNorCapacity(t *testing.T) {
	p := newProblem(medium, 3, 70)
	want := outcome(t, p, 1, 3, 70)
	for name, c := range map[string]struct{ workers, maxB, maxL int }{
		"three workers":   {3, 3, 70},
		"larger pass":     {2, 5, 90},
		"other shape":     {1, 7, 30},
		"again unchanged": {1, 3, 70},
	} {
		t.Run(name, func(t *testing.T) {
			got := outcome(t, p, c.workers, c.maxB, c.maxL)
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("number %d is %g, was %g", i, got[i], want[i])
				}
			}
		})
	}
}

// A pass that only evaluates works in place and must not differ for it.
func TestEvaluationEqualsTraining(t *testing.T) {
	n, _ := open(t, medium, 2)
	p := newProblem(medium, 2, 70)
	for i := range p.weight {
		p.weight[i] = 1
	}
	train, eval := n.NewPass(2, 70, true), n.NewPass(2, 70, false)
	a, b, c := make([]float32, 140), make([]float32, 140), make([]float32, 140)
	train.Forward(2, 70, p.features, p.t)
	train.Loss(a, p.targets, p.weight)
	train.CE(b, p.targets)
	eval.Forward(2, 70, p.features, p.t)
	eval.CE(c, p.targets)
	if !slices.Equal(a, b) || !slices.Equal(a, c) {
		t.Error("Loss, CE, and CE of an evaluating pass differ")
	}
}

// Without training the memory does not grow with depth.
func TestEvaluationKeepsOneBlock(t *testing.T) {
	deep := small
	deep.Layers = 9
	shallow, _ := open(t, small, 1)
	n, _ := open(t, deep, 1)
	if a, b := shallow.NewPass(2, 5, false).Bytes(), n.NewPass(2, 5, false).Bytes(); a != b {
		t.Errorf("2 blocks take %d bytes, 9 blocks %d", a, b)
	}
	defer func() {
		if recover() == nil {
			t.Error("an evaluating pass takes a loss")
		}
	}()
	pass, p := n.NewPass(2, 5, false), newProblem(deep, 2, 5)
	pass.Forward(2, 5, p.features, p.t)
	pass.Loss(make([]float32, 10), p.targets, p.weight)
}

// Running the blocks again gives the same gradients to the bit. Of the
// activations of a block its input is left for each and the rest for one.
func TestRecomputingEqualsKeeping(t *testing.T) {
	c := medium
	c.Layers = 4
	for name, causal := range map[string]bool{"bidirectional": false, "causal": true} {
		t.Run(name, func(t *testing.T) {
			c.Causal = causal
			const b, l, rows = 2, 70, 140
			p := newProblem(c, b, l)
			var outcomes [2][]float32
			var size [2]int
			for i := range outcomes {
				n, grads := open(t, c, 2)
				pass := n.NewPass(b, l, true)
				if i == 1 {
					pass = n.NewRecomputingPass(b, l)
				}
				size[i] = pass.Bytes()
				if want := c.TrainingBytes(b, l, i == 1); size[i] != want {
					t.Errorf("a pass of %d bytes, %d without making it", size[i], want)
				}
				ce, dFeatures := make([]float32, rows), make([]float32, len(p.features))
				for range 2 { // the second time on memory that has been used
					pass.Forward(b, l, p.features, p.t)
					pass.Loss(ce, p.targets, p.weight)
					pass.Backward(dFeatures)
				}
				outcomes[i] = slices.Concat(grads, ce, dFeatures)
			}
			if !slices.Equal(outcomes[0], outcomes[1]) {
				t.Error("losses or gradients differ")
			}
			w := c.Width
			kept := 3*w + w + w + c.MLP + c.Heads + 4 // qkv, attended, mid, up; log-sum-exp; means and deviations
			want := (c.Layers - 1) * 4 * (rows*kept + b*4*w)
			if got := size[0] - size[1]; got != want {
				t.Errorf("%d bytes become %d, %d fewer; want %d", size[0], size[1], got, want)
			}
		})
	}
}

// A pass of another network in the same memory is that network's.
func TestPassOfAnotherNetwork(t *testing.T) {
	n, _ := open(t, medium, 1)
	other, err := New(medium, slices.Clone(lively(medium)), nil, n.pool)
	if err != nil {
		t.Fatal(err)
	}
	other.head.b[3]++
	p := newProblem(medium, 2, 70)
	run := func(pass *Pass) []float32 {
		ce := make([]float32, 140)
		pass.Forward(2, 70, p.features, p.t)
		pass.CE(ce, p.targets)
		return ce
	}
	want, own := run(other.NewPass(2, 70, false)), n.NewPass(2, 70, true)
	first := run(own)
	shared := own.Of(other)
	if !slices.Equal(run(shared), want) {
		t.Error("it gives other losses in shared memory")
	}
	if !slices.Equal(run(own), first) || slices.Equal(first, want) {
		t.Error("the first network does not give what it gave before")
	}
	if shared.Bytes() != 0 {
		t.Errorf("it owns %d bytes", shared.Bytes())
	}
}

// Each sequence is alone in the world: what a batch computes for it is what it
// gets by itself.
func TestSequencesDoNotMix(t *testing.T) {
	n, _ := open(t, medium, 2)
	p := newProblem(medium, 2, 70)
	pass, f := n.NewPass(2, 70, false), medium.Features()
	together, alone := make([]float32, 140), make([]float32, 70)
	pass.Forward(2, 70, p.features, p.t)
	pass.CE(together, p.targets)
	pass.Forward(1, 70, p.features[70*f:], p.t[1:])
	pass.CE(alone, p.targets[70:])
	if !slices.Equal(together[70:], alone) {
		t.Error("the second sequence differs when alone")
	}
}

func TestInterpolateAndPredict(t *testing.T) {
	c, p := small, newProblem(small, 2, 5)
	n, _ := open(t, c, 1)
	pass := n.NewPass(2, 5, false)
	pass.Forward(2, 5, p.features, p.t)

	// With the identity for a table x̂0 is the distribution itself, so that it
	// must agree with the cross-entropies and the predictions.
	v := c.Vocab
	n.config.EmbedDim, pass.chosen.x0 = v, make([]float32, 10*v)
	table, probs := make([]float32, v*v), make([]float32, 10*v)
	for i := range v {
		table[i*v+i] = 1
	}
	pass.Interpolate(probs, table, nil)
	n.config.EmbedDim = c.EmbedDim
	ce, ids, prob := make([]float32, 10), make([]int32, 10), make([]float32, 10)
	pass.CE(ce, p.targets)
	pass.Predict(ids, prob)
	for i := range 10 {
		row := probs[i*v : (i+1)*v]
		if got := -math.Log(float64(row[p.targets[i]])); math.Abs(got-float64(ce[i])) > 1e-5 {
			t.Errorf("position %d: p(target) gives %g nats, CE %g", i, got, ce[i])
		}
		if best := slices.Max(row); math.Abs(float64(best-prob[i])) > 1e-6 || row[ids[i]] != best {
			t.Errorf("position %d: predicted %d at %g, most probable is %g", i, ids[i], prob[i], best)
		}
	}
}

func TestCausalDoesNotLookAhead(t *testing.T) {
	for _, causal := range []bool{true, false} {
		c := small
		c.Causal = causal
		n, _ := open(t, c, 1)
		p := newProblem(c, 1, 9)
		pass := n.NewPass(1, 9, false)
		before, after := make([]float32, 9), make([]float32, 9)
		pass.Forward(1, 9, p.features, p.t)
		pass.CE(before, p.targets)
		const changed = 5
		p.features[changed*c.Features()]++
		pass.Forward(1, 9, p.features, p.t)
		pass.CE(after, p.targets)
		if same := slices.Equal(before[:changed], after[:changed]); same != causal {
			t.Errorf("causal %v: earlier positions unchanged: %v", causal, same)
		}
		if slices.Equal(before[changed:], after[changed:]) {
			t.Errorf("causal %v: the change was not seen at all", causal)
		}
	}
}

// Losses of one Forward add up, and so do gradients of several.
func TestLossesAdd(t *testing.T) {
	p := newProblem(small, 2, 5)
	_, want, wantFeatures, _ := learn(t, small, p)
	n, grads := open(t, small, 2)
	pass := n.NewPass(2, 5, true)
	half, ce, dFeatures := make([]float32, 10), make([]float32, 10), make([]float32, len(p.features))
	for i, w := range p.weight {
		half[i] = w / 2
	}
	pass.Forward(2, 5, p.features, p.t)
	pass.Loss(ce, p.targets, half)
	pass.Loss(ce, p.targets, half)
	pass.Backward(dFeatures)
	compare := func(name string, got, want []float32) {
		if e := distance(widen(got), widen(want)); e > tolerance {
			t.Errorf("%s: %.1e from the gradient of the sum", name, e)
		}
	}
	compare("two halves of a loss, features", dFeatures, wantFeatures)
	headless := want[:len(want)-small.Vocab*(small.Width+1)] // two losses at the head round differently
	compare("two halves of a loss", grads[:len(headless)], headless)

	pass.Forward(2, 5, p.features, p.t)
	pass.Loss(ce, p.targets, p.weight)
	pass.Backward(nil)
	twice := slices.Clone(want)
	for i := range twice {
		twice[i] *= 2
	}
	compare("two passes", grads, twice)
}

// Positions without weight leave no trace in the gradient, wherever the chunks
// of logits end.
func TestWeightlessPositions(t *testing.T) {
	n, grads := open(t, medium, 2)
	p := newProblem(medium, 2, 140)
	clear(p.weight)
	out := make([]float32, len(p.features))
	ce := make([]float32, 280)
	pass := n.NewPass(2, 140, true)
	pass.chunk = 128
	pass.Forward(2, 140, p.features, p.t)
	pass.Loss(ce, p.targets, p.weight)
	pass.Backward(out)
	if anyNonZero(out) || anyNonZero(grads) {
		t.Error("a loss without weights has a gradient")
	}
	if anyNonZero(ce) {
		t.Error("a position without weight has a cross-entropy")
	}
}

func TestStepAllocatesNothing(t *testing.T) {
	n, _ := open(t, small, 2)
	p := newProblem(small, 2, 5)
	pass := n.NewPass(2, 5, true)
	ce, dFeatures, ids := make([]float32, 10), make([]float32, len(p.features)), make([]int32, 10)
	x0, table := make([]float32, 10*small.EmbedDim), make([]float32, small.Vocab*small.EmbedDim)
	logs := make([]float32, 10*len(classes))
	for name, step := range map[string]func(){
		"Forward":     func() { pass.Forward(2, 5, p.features, p.t) },
		"Interpolate": func() { pass.Interpolate(x0, table, nil) },
		"Predict":     func() { pass.Predict(ids, ce) },
		"CE":          func() { pass.CE(ce, p.targets) },
		"Loss and Backward": func() {
			pass.Loss(ce, p.targets, p.weight)
			pass.Backward(dFeatures)
		},
		"LogProbs, Raise and Backward": func() {
			pass.LogProbs(logs, classes)
			pass.Raise(classes, logs)
			pass.Backward(dFeatures)
		},
	} {
		pass.Forward(2, 5, p.features, p.t)
		if a := testing.AllocsPerRun(20, step); a != 0 {
			t.Errorf("%s allocates %g times", name, a)
		}
	}
}

// TestTrainingLearns fits tokens that neighbour a marked position: attention,
// rotation and the time features all have to work for it.
func TestTrainingLearns(t *testing.T) {
	c := Config{Vocab: 8, EmbedDim: 4, Width: 32, Layers: 2, Heads: 4, MLP: 64, LocalHeads: true}
	const b, l, steps = 8, 16, 150
	params, grads := make([]float32, c.NumParams()), make([]float32, c.NumParams())
	m, v := make([]float32, len(params)), make([]float32, len(params))
	pool := kernels.NewPool(2)
	defer pool.Close()
	n, err := New(c, params, grads, pool)
	if err != nil {
		t.Fatal(err)
	}
	n.Init(1)
	pass := n.NewPass(b, l, true)
	p, ce := newProblem(c, b, l), make([]float32, b*l)
	for i := range p.weight {
		p.weight[i] = 1. / (b * l)
	}
	codes := make([]float32, c.Vocab*c.Features())
	s := rng.New(6, "codes", 0, 0)
	s.FillNormal(codes)
	var first, last float64
	for step := 1; step <= steps; step++ {
		for i := range p.targets {
			p.targets[i] = int32(s.IntN(c.Vocab))
		}
		for i := range p.targets { // a position shows the token to its right
			shown := int(p.targets[i/l*l+(i+1)%l])
			copy(p.features[i*c.Features():], codes[shown*c.Features():(shown+1)*c.Features()])
		}
		clear(grads)
		pass.Forward(b, l, p.features, p.t)
		pass.Loss(ce, p.targets, p.weight)
		pass.Backward(nil)
		pool.AdamW(params, grads, m, v, nil, kernels.AdamOptions{
			LR: 3e-3, Beta1: .9, Beta2: .99, Eps: 1e-8, ClipScale: 1, Step: step,
		})
		last = 0
		for _, ce := range ce {
			last += float64(ce) / (b * l)
		}
		if step == 1 {
			first = last
		}
	}
	// At the start the head is zero and every token equally likely. At the end
	// 1 position in 16 has no left neighbour to read its token from.
	if want := math.Log(float64(c.Vocab)); math.Abs(first-want) > 1e-5 {
		t.Errorf("the first loss is %g, want ln 8 = %g", first, want)
	}
	if last > .3*first {
		t.Errorf("the loss fell from %.3f to %.3f only", first, last)
	}
	t.Logf("loss %.3f to %.3f in %d steps", first, last, steps)
}

// Which positions have a weight changes nothing at the others.
func TestLossOfSomePositions(t *testing.T) {
	p := newProblem(medium, 2, 70)
	all, some := make([]float32, 140), make([]float32, 140)
	for i := range p.weight {
		p.weight[i] = 1
	}
	n, _ := open(t, medium, 2)
	pass := n.NewPass(2, 70, true)
	pass.chunk = 48
	pass.Forward(2, 70, p.features, p.t)
	pass.Loss(all, p.targets, p.weight)
	for i := range p.weight {
		p.weight[i] = float32(i % 3)
	}
	pass.Forward(2, 70, p.features, p.t)
	pass.Loss(some, p.targets, p.weight)
	for i, ce := range some {
		if want := all[i] * min(1, p.weight[i]); ce != want {
			t.Fatalf("position %d: %g, want %g", i, ce, want)
		}
	}
}

func anyNonZero(x []float32) bool {
	return slices.ContainsFunc(x, func(v float32) bool { return v != 0 })
}
