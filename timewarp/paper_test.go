package timewarp

import (
	"math"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

// TestPaperGradient proves the hand-written gradient by central differences, for
// the straight shape and a Beta shape. The bins move with the logits, so
// observations that a step would carry over an edge are left out.
func TestPaperGradient(t *testing.T) {
	for name, o := range map[string]PaperOptions{
		"straight":     {Bins: 12},
		"shaped":       {Bins: 12, ShapeA: 2, ShapeB: 3},
		"coarse floor": {Bins: 9, Floor: .05},
	} {
		o.TMin, o.TMax = .1, 50
		p, err := NewPaper(o)
		if err != nil {
			t.Fatal(err)
		}
		s := rng.New(1, "test.gradient", 0, 0)
		for i := range p.fit.A {
			p.fit.A[i], p.fit.B[i] = s.Normal()-2, s.Normal()-1
		}
		p.curve.build(p.fit, p.o.Floor)
		var batch []Observation
		var omega []float64
		for len(batch) < 40 {
			x := s.Float64()
			k, _ := p.curve.at(x)
			if margin := 1e-3 * p.curve.wt[k]; x-p.curve.et[k] < margin || p.curve.et[k+1]-x < margin {
				continue
			}
			batch = append(batch, Observation{T: p.TMin + (p.TMax-p.TMin)*x, Loss: 3 * s.Float64(), Weight: 1})
			omega = append(omega, .5+s.Float64())
		}
		g := newBins(p.o.Bins)
		p.loss(batch, omega, &g)
		scratch := newBins(p.o.Bins)
		worst := 0.
		check := func(logits, gradient []float64, label string) {
			for i := range logits {
				const h = 1e-5
				at := logits[i]
				logits[i] = at + h
				up := p.loss(batch, omega, &scratch)
				logits[i] = at - h
				down := p.loss(batch, omega, &scratch)
				logits[i] = at
				want := (up - down) / (2 * h)
				e := math.Abs(gradient[i]-want) / (math.Abs(want) + 1e-3)
				worst = max(worst, e)
				if e > 1e-6 {
					t.Errorf("%s, %s logit %d: gradient %v, difference %v", name, label, i, gradient[i], want)
				}
			}
		}
		check(p.fit.A, g.A, "t")
		check(p.fit.B, g.B, "u")
		t.Logf("%s: worst relative error %.1e", name, worst)
	}
}

// TestPaperStart: the identity in t, or log-uniform on request.
func TestPaperStart(t *testing.T) {
	p, err := NewPaper(PaperOptions{TMin: 1, TMax: 300})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range []float64{.1, .5, .9} {
		if got, want := p.Quantile(u), 1+299*u; math.Abs(got-want) > 1e-9 {
			t.Errorf("identity: quantile of %v is %v, want %v", u, got, want)
		}
	}
	p, err = NewPaper(PaperOptions{TMin: 1, TMax: 300, LogSpaced: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range []float64{.1, .5, .9} {
		if got, want := p.Quantile(u), math.Pow(300, u); math.Abs(got/want-1) > .02 {
			t.Errorf("log bins: quantile of %v is %v, want %v", u, got, want)
		}
	}
}

// TestPaperWarpIsNormalisedCurve: with the floor inside F~, the warp is
// F~ divided by its height, up to the least mass of a bin.
func TestPaperWarpIsNormalisedCurve(t *testing.T) {
	p, err := NewPaper(PaperOptions{TMin: .1, TMax: 50, MinBatch: 1})
	if err != nil {
		t.Fatal(err)
	}
	s := rng.New(2, "test.paper", 0, 0)
	for range 300 {
		x := p.Quantile(s.Float64())
		p.Observe([]Observation{{T: x, Loss: 3 / (1 + math.Pow(2/x, 3)), Weight: 1}})
	}
	snap := p.Snapshot()
	for i, f := range snap.CDF {
		if math.Abs(f-snap.Loss[i]/snap.Height) > 1e-7 {
			t.Fatalf("node %d: F %v, loss share %v", i, f, snap.Loss[i]/snap.Height)
		}
	}
}

// TestPaperDensityOptions checks temperature and uniform share against their
// formulas on a warp of two bins.
func TestPaperDensityOptions(t *testing.T) {
	c := newCurve(2)
	b := bins{A: []float64{math.Log(.2), math.Log(.8)}, B: []float64{math.Log(3), math.Log(1)}}
	const tiny = 1e-15 // no floor worth the name
	c.build(b, tiny)
	x, f := make([]float64, 3), make([]float64, 3)
	for _, o := range []struct{ temperature, uniform, want float64 }{
		{1, 0, .75},
		{1, .5, .5*.75 + .5*.2},
		// w ~ wu (wu/wt)^(1/T - 1): T = 2 gives sqrt(wu wt).
		{2, 0, math.Sqrt(3*.2) / (math.Sqrt(3*.2) + math.Sqrt(1*.8))},
		{1e9, 0, .2}, // flat in t
	} {
		c.warp(x, f, o.temperature, o.uniform)
		if math.Abs(x[1]-.2) > 1e-12 || math.Abs(f[1]-o.want) > 1e-8 {
			t.Errorf("temperature %v, uniform %v: edge %v, F %v, want %v", o.temperature, o.uniform, x[1], f[1], o.want)
		}
	}
}

// TestPaperShape: with a Beta shape the loss follows S(u) along the warp.
func TestPaperShape(t *testing.T) {
	p, err := NewPaper(PaperOptions{TMin: .1, TMax: 20, LogSpaced: true, LearningRate: .03, EMA: .97, ShapeA: 2, ShapeB: 1})
	if err != nil {
		t.Fatal(err)
	}
	loss := func(x float64) float64 { return 3 / (1 + math.Pow(2/x, 3)) }
	s := rng.New(3, "test.shape", 0, 0)
	u := make([]float64, 64)
	obs := make([]Observation, 64)
	for range 2000 {
		LowDiscrepancy(u, s.Float64())
		for i := range obs {
			x := p.Quantile(u[i])
			obs[i] = Observation{T: x, Loss: loss(x), Weight: 1}
		}
		p.Observe(obs)
	}
	for _, u := range []float64{.3, .5, .7, .9} {
		got, want := loss(p.Quantile(u)), u*u*loss(20) // Beta(2, 1) has the CDF u^2
		if math.Abs(got-want) > .12 {
			t.Errorf("u %v: loss %.3f, want %.3f", u, got, want)
		}
	}
}

func TestPaperWaitsForABatch(t *testing.T) {
	p, err := NewPaper(PaperOptions{TMin: .1, TMax: 50, MinBatch: 10})
	if err != nil {
		t.Fatal(err)
	}
	before := p.Quantile(.5)
	for i := range 3 {
		p.Observe([]Observation{{T: 1, Loss: 1, Weight: 1}, {T: 2, Loss: 2, Weight: 1}, {T: 3, Loss: 3, Weight: 1}})
		if p.Quantile(.5) != before {
			t.Fatalf("moved after %d observations", 3*(i+1))
		}
	}
	p.Observe([]Observation{{T: 1, Loss: 1, Weight: 1}})
	if p.Quantile(.5) == before || len(p.pending) != 0 {
		t.Errorf("did not move after 10 observations; %d wait", len(p.pending))
	}
}
