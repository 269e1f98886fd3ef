package timewarp

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestLocalLinesReproduceALine: wherever the observations lie, a local line has
// hardly any bias on a curve that is a line in z. At the ends, where all
// neighbours lie on one side, the slope penalty costs up to half of what a local
// mean would.
func TestLocalLinesReproduceALine(t *testing.T) {
	z, x := make([]float64, gridNodes), make([]float64, fitPoints)
	m := newMemory()
	for g := range z {
		z[g] = math.Sqrt(evenly(g))
	}
	for j := range x {
		x[j] = float64(j) / (fitPoints - 1)
	}
	for g, z := range z {
		w := 1 + 50*z*z // a sloping density of observations
		m.W[g], m.W2[g] = w, w
		m.Y[g] = w * (1 + 2*z)
		m.Q[g] = w * (1 + 2*z) * (1 + 2*z)
	}
	dst := estimate{level: make([]float64, fitPoints), variance: make([]float64, fitPoints)}
	m.localLines(dst, x, z, .1, 2)
	for j, x := range x {
		bound := .02
		if x < .25 || x > .75 {
			bound = .1
		}
		if math.Abs(dst.level[j]-(1+2*x)) > bound {
			t.Errorf("at %.3f: %.4f, want %.4f", x, dst.level[j], 1+2*x)
		}
		if !(dst.variance[j] > 0) {
			t.Errorf("at %.3f: variance %v", x, dst.variance[j])
		}
	}
}

// TestStraighten: the axis has unit length and is linear in 1/t^2 at its end.
func TestStraighten(t *testing.T) {
	levels := logNodes(1e-3, 1e4, gridNodes)
	s, z := make([]float64, gridNodes), make([]float64, gridNodes)
	for g, t := range levels {
		s[g] = math.Log(t)
	}
	straighten(z, s, [2]float64{math.Log(1.5), math.Log(3)})
	if z[0] > 1e-5 || z[gridNodes-1] < 1-1e-5 {
		t.Errorf("axis from %v to %v", z[0], z[gridNodes-1])
	}
	for g, x := range levels {
		if x < 30 || x > 300 {
			continue
		}
		want := (1.5*1.5 + 3*3) / 2 / (x * x)
		if got := 1 - z[g]; math.Abs(got/want-1) > .02 {
			t.Errorf("1 - z(%v) = %v, want %v", x, got, want)
		}
	}
}

// TestFollow: a slow curve that differs only by level and height is kept in
// shape; one of another shape is given up for the fast one.
func TestFollow(t *testing.T) {
	const n = 40
	mk := func(f func(x float64) float64, variance float64) estimate {
		e := estimate{level: make([]float64, n), variance: make([]float64, n)}
		for j := range n {
			e.level[j], e.variance[j] = f(float64(j)/(n-1)), variance
		}
		return e
	}
	line := func(x float64) float64 { return x }
	ripple := func(x float64) float64 { return 1 + 2*x + .01*math.Sin(40*x) }
	bend := func(x float64) float64 { return x * x }

	e := mk(line, 1e-6)
	e.follow(mk(ripple, 1e-3)) // the ripple is within the noise
	for j := range n {
		if x := float64(j) / (n - 1); math.Abs(e.level[j]-(1+2*x)) > 2e-3 {
			t.Fatalf("stretched line at %.2f: %v", x, e.level[j])
		}
	}
	e = mk(line, 1e-6)
	e.follow(mk(bend, 1e-6)) // here there is no noise to hide behind
	for j := range n {
		if x := float64(j) / (n - 1); math.Abs(e.level[j]-x*x) > 1e-3 {
			t.Fatalf("bend at %.2f: %v", x, e.level[j])
		}
	}
}

func TestIsotonic(t *testing.T) {
	var p pools
	e := estimate{level: []float64{1, 3, 2, 4, 0}, variance: []float64{1, 1, 1. / 3, 1, 1}}
	e.isotonic(&p)
	// 3 and 2 (weight 3) pool to 2.25, 4 and 0 to 2, all four to (3+6+4+0)/6.
	want := []float64{1, 13. / 6, 13. / 6, 13. / 6, 13. / 6}
	for j := range want {
		if math.Abs(e.level[j]-want[j]) > 1e-12 {
			t.Fatalf("%v, want %v", e.level, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		level := rapid.SliceOfN(rapid.Float64Range(0, 10), 1, 30).Draw(t, "level")
		variance := rapid.SliceOfN(rapid.Float64Range(.01, 10), len(level), len(level)).Draw(t, "variance")
		e := estimate{level: append([]float64(nil), level...), variance: variance}
		e.isotonic(&p)
		before, after := 0., 0.
		for j := range level {
			if j > 0 && e.level[j] < e.level[j-1] {
				t.Fatalf("falls at %d: %v", j, e.level)
			}
			before += level[j] / variance[j]
			after += e.level[j] / variance[j]
		}
		if math.Abs(before-after) > 1e-9*(1+before) {
			t.Fatalf("weighted sum %v became %v", before, after)
		}
	})
}

// TestMemoryAge: after n equal batches, rung k weights batch i as (i/n)^p, so
// that the mean age of what it remembers is n/(p+2).
func TestMemoryAge(t *testing.T) {
	const batches, size = 400, 50 // 20000 observations: below longestMemory
	for k := range memories {
		m := newMemory()
		for i := range batches {
			m.age(k, size, float64((i+1)*size))
			m.add(0, size, float64(i))
		}
		age := batches - m.Y[0]/m.W[0]
		p := math.Exp2(float64(k+1)) - 1
		horizon := longestMemory / math.Exp2(float64(k)) / size
		if p/batches < 1/horizon {
			continue // the horizon rules here
		}
		if want := batches / (p + 2); math.Abs(age/want-1) > .1 {
			t.Errorf("memory %d: mean age %.1f batches, want %.1f", k, age, want)
		}
	}
}

// TestDensityFloor: no noise level is ever given up.
func TestDensityFloor(t *testing.T) {
	w, err := NewOnline(OnlineOptions{TMin: .1, TMax: 50})
	if err != nil {
		t.Fatal(err)
	}
	for range 100 { // a step function: all of the loss lies above t = 5
		var batch []Observation
		for i := range 64 {
			x := w.trainQuantile((float64(i) + .5) / 64)
			loss := 0.
			if x > 5 {
				loss = 3
			}
			batch = append(batch, Observation{T: x, Loss: loss, Weight: 1})
		}
		w.Observe(batch)
	}
	floor := leastSlope / (1 + leastSlope + flatSlope) / math.Log(50/.1) // per unit of ln t
	for i := range 200 {
		x := .1 * math.Pow(500, (float64(i)+.5)/200)
		if d := w.Density(x) * x; d < floor*(1-1e-9) {
			t.Fatalf("density %v per unit of ln t at %v, want at least %v", d, x, floor)
		}
	}
}

// TestTrainDensity: the density is the slope of the inverse of the quantile
// function, for a warp that explores and one that does not.
func TestTrainDensity(t *testing.T) {
	online, err := NewOnline(OnlineOptions{TMin: .2, TMax: 50})
	if err != nil {
		t.Fatal(err)
	}
	for range 40 {
		var batch []Observation
		for i := range 32 {
			level := TrainQuantile(online, (float64(i)+.5)/32)
			batch = append(batch, Observation{T: level, Loss: 3 * level * level / (4 + level*level), Weight: 1})
		}
		online.Observe(batch)
	}
	fixed, err := NewFixed(KindCosine, .2, 50)
	if err != nil {
		t.Fatal(err)
	}
	for name, w := range map[string]Warp{"online": online, "cosine": fixed} {
		wrong := 0
		for i := 1; i < 100; i++ {
			u, h := float64(i)/100, 1e-6
			slope := (TrainQuantile(w, u+h) - TrainQuantile(w, u-h)) / (2 * h)
			if math.Abs(slope*TrainDensity(w, TrainQuantile(w, u))-1) > 1e-3 {
				wrong++ // at a node, where the slope has a step
			}
		}
		if wrong > 1 {
			t.Errorf("%s: the density is wrong at %d of 99 places", name, wrong)
		}
	}
	if d := TrainDensity(online, 51); d != 0 {
		t.Errorf("density %v beyond the range", d)
	}
}
