package timewarp_test

import (
	"math"
	"sync"
	"testing"

	"github.com/seed-4c77ef92/textwarp/bench/warp/oracle"
	"github.com/seed-4c77ef92/textwarp/internal/rng"
	"github.com/seed-4c77ef92/textwarp/timewarp"
)

// exact are loss curves of the exact posterior of 27 tokens in 16 dimensions,
// for three draws of the embeddings.
var exact = sync.OnceValue(func() []func(float64) float64 {
	out := make([]func(float64) float64, 3)
	for s := range out {
		out[s] = oracle.NewPosterior(27, 16, uint64(s)).Curve(.02, 400, 1000)
	}
	return out
})

// TestOnlineConverges bounds the distance of the online estimator from the truth
// on the scenarios of the comparison in docs/timewarp.md, over three embedding
// draws. The bounds at step 150, at step 1000 of the drift and on single errors
// under noise are the project's targets (.05, .10, .6); the others are measured
// values with about half as much again.
func TestOnlineConverges(t *testing.T) {
	type bound struct {
		step      int
		mean, max float64
	}
	for _, c := range []struct {
		scenario string
		tmax     float64
		batch    int
		bounds   []bound
	}{
		{"static", 50, 64, []bound{{50, .06, .25}, {150, .05, .15}, {600, .03, .1}}},
		{"static", 300, 64, []bound{{50, .06, .25}, {150, .05, .15}, {600, .03, .1}}},
		{"static", 50, 8, []bound{{150, .1, .4}, {600, .05, .2}}},
		{"noise 50 %", 50, 64, []bound{{50, .15, .6}, {150, .1, .6}, {600, .08, .6}}},
		{"noise 50 %", 300, 64, []bound{{50, .15, .6}, {150, .1, .6}, {600, .08, .6}}},
		{"drift", 50, 64, []bound{{150, .08, .3}, {1000, .1, .25}}},
		{"drift down", 50, 64, []bound{{150, .08, .3}, {1000, .1, .25}}},
		{"drift, noise 50 %", 50, 64, []bound{{1000, .2, .6}}},
		{"flat 300, blend to 1300", 50, 64, []bound{{1000, .06, .3}, {1500, .04, .2}}},
		{"learning", 50, 64, []bound{{100, .15, .4}, {150, .08, .3}, {600, .03, .15}}},
		{"two scales", 50, 64, []bound{{150, .1, .4}, {600, .06, .3}}},
		{"low ceiling", 50, 64, []bound{{150, .05, .15}}},
	} {
		sc := scenario(t, c.scenario, c.tmax)
		steps := make([]int, len(c.bounds))
		for i, b := range c.bounds {
			steps[i] = b.step
		}
		mean, worst := make([]float64, len(steps)), make([]float64, len(steps))
		for seed, final := range exact() {
			w, err := timewarp.NewOnline(timewarp.OnlineOptions{TMin: oracle.TMin, TMax: sc.TMax})
			if err != nil {
				t.Fatal(err)
			}
			for k, e := range sc.Run(w, final, c.batch, uint64(seed), steps) {
				mean[k] += e.Mean() / float64(len(exact()))
				worst[k] = max(worst[k], e.Max())
			}
		}
		for k, b := range c.bounds {
			t.Logf("%s, t_max %g, batch %d, step %d: %.3f (%.2f)", c.scenario, c.tmax, c.batch, b.step, mean[k], worst[k])
			if mean[k] > b.mean || worst[k] > b.max {
				t.Errorf("%s, t_max %g, batch %d, step %d: error %.3f (%.2f), want at most %.2f (%.2f)",
					c.scenario, c.tmax, c.batch, b.step, mean[k], worst[k], b.mean, b.max)
			}
		}
	}
}

// TestPaperConverges bounds the paper's fit. At step 2000, with identity start,
// an independent program of this project found noise levels .83 1.46 2.04 3.08
// 7.60 for the true .97 1.43 1.98 2.99 7.49, a mean error of .05.
func TestPaperConverges(t *testing.T) {
	sc := scenario(t, "static", 50)
	for name, o := range map[string]timewarp.PaperOptions{
		"identity": {},
		"log bins": {LogSpaced: true},
		"averaged": {EMA: .99},
	} {
		o.TMin, o.TMax = oracle.TMin, sc.TMax
		w, err := timewarp.NewPaper(o)
		if err != nil {
			t.Fatal(err)
		}
		e := sc.Run(w, exact()[0], 64, 0, []int{100, 2000})
		t.Logf("%s: %.3f (%.2f), %.3f (%.2f)", name, e[0].Mean(), e[0].Max(), e[1].Mean(), e[1].Max())
		if e[1].Mean() > .15 || e[1].Max() > .5 {
			t.Errorf("%s: error %.3f (%.2f) at step 2000", name, e[1].Mean(), e[1].Max())
		}
	}
}

func scenario(t *testing.T, name string, tmax float64) oracle.Scenario {
	t.Helper()
	for _, sc := range oracle.Scenarios() {
		if sc.Name == name && sc.TMax == tmax {
			return sc
		}
	}
	t.Fatalf("no scenario %q", name)
	panic("unreachable")
}

// TestFlatStart: while the loss says nothing about t, the density stays close to
// log-uniform; in particular it does not crowd at an end.
func TestFlatStart(t *testing.T) {
	for name, noise := range map[string]float64{"no noise": 0, "noise 10 %": .1, "noise 50 %": .5} {
		w, err := timewarp.NewOnline(timewarp.OnlineOptions{TMin: tmin, TMax: tmax})
		if err != nil {
			t.Fatal(err)
		}
		s := rng.New(1, "test.flat", 0, 0)
		u, obs := make([]float64, 64), make([]timewarp.Observation, 64)
		for step := 1; step <= 300; step++ {
			timewarp.LowDiscrepancy(u, s.Float64())
			for i := range obs {
				x := timewarp.TrainQuantile(w, u[i])
				obs[i] = timewarp.Observation{T: x, Loss: 3.3 * max(0, 1+noise*s.Normal()), Weight: 1}
			}
			w.Observe(obs)
			if step%50 != 0 {
				continue
			}
			for _, x := range []float64{.5, 5} { // 26 % and 63 % of the range of ln t
				want := math.Log(x/tmin) / math.Log(tmax/tmin)
				if f := w.CDF(x); math.Abs(f-want) > .35 {
					t.Errorf("%s, step %d: F(%v) = %.3f, log-uniform %.3f", name, step, x, f, want)
				}
			}
			if lo, hi := w.Quantile(.1), w.Quantile(.9); lo < .11 || hi > 48 {
				t.Errorf("%s, step %d: crowds at an end: %.3f to %.3f", name, step, lo, hi)
			}
		}
	}
}

// TestOutliersDoNotMoveTheWarp trains two warps on the same losses, one of them
// with every hundredth replaced by something absurd.
func TestOutliersDoNotMoveTheWarp(t *testing.T) {
	absurd := []float64{math.NaN(), math.Inf(1), 1e30, math.Inf(-1), -5}
	run := func(poison bool) timewarp.Warp {
		w, err := timewarp.NewOnline(timewarp.OnlineOptions{TMin: tmin, TMax: tmax})
		if err != nil {
			t.Fatal(err)
		}
		s := rng.New(1, "test.outliers", 0, 0)
		n := 0
		for range 200 {
			obs := make([]timewarp.Observation, 64)
			for i := range obs {
				x := tmin * math.Pow(tmax/tmin, s.Float64())
				obs[i] = timewarp.Observation{T: x, Loss: curve(x) * (1 + .1*s.Normal()), Weight: 1}
				if n++; poison && n%100 == 0 {
					obs[i].Loss = absurd[n/100%len(absurd)]
				}
			}
			w.Observe(obs)
		}
		return w
	}
	clean, poisoned := run(false), run(true)
	for _, u := range oracle.Levels {
		a, b := clean.Quantile(u), poisoned.Quantile(u)
		t.Logf("u %.2f: %.3f clean, %.3f poisoned", u, a, b)
		if math.Abs(math.Log(a/b)) > .25 {
			t.Errorf("u %.2f: %.3f clean, %.3f poisoned", u, a, b)
		}
	}
}

// TestMeanLossIsHalfTheHeight: under a converged warp entropy is linear in u, so
// that the mean loss is the mean of both ends of the curve.
func TestMeanLossIsHalfTheHeight(t *testing.T) {
	w, err := timewarp.NewOnline(timewarp.OnlineOptions{TMin: tmin, TMax: tmax})
	if err != nil {
		t.Fatal(err)
	}
	train(w, 300, 64, 7)
	mean := 0.
	for i := range 1000 {
		mean += curve(w.Quantile((float64(i)+.5)/1000)) / 1000
	}
	half := (curve(tmin) + curve(tmax)) / 2
	if math.Abs(mean/half-1) > .03 {
		t.Errorf("mean loss %.3f, half of the height %.3f", mean, half)
	}
	if h := w.Snapshot().Height; math.Abs(h-curve(tmax)) > .06 {
		t.Errorf("height %.3f, want %.3f", h, curve(tmax))
	}
}
