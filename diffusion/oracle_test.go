package diffusion

import (
	"fmt"
	"math"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
	"github.com/seed-4c77ef92/textwarp/timewarp"
)

// The numbers of this file were measured by this project with an independent
// NumPy program: Monte Carlo over the exact posterior of Zipf(1) tokens on
// random embeddings of norm √d.

// TestCrossEntropyOfExactPosterior reproduces the curve CE(t), averaged over
// four tables. Other random embeddings change a value by up to .05. The figures
// for the larger vocabularies came from few samples: a second program of ours,
// in float64 with the full ‖x - e‖², agrees with this one to .04 and is as far
// from them.
func TestCrossEntropyOfExactPosterior(t *testing.T) {
	tests := []struct {
		v, d, n int
		tol     float64
		want    map[float64]float64
	}{
		{27, 16, 4000, .06, map[float64]float64{.5: 0, 1: .161, 1.5: .798, 2: 1.413, 3: 2.025, 5: 2.489, 10: 2.666, 20: 2.747}},
		{27, 32, 4000, .06, map[float64]float64{1: .002, 1.5: .184, 2: .635, 3: 1.500, 5: 2.230, 10: 2.622}},
		{27, 64, 3000, .06, map[float64]float64{1.5: .004, 2: .106, 3: .687, 5: 1.790, 10: 2.459, 20: 2.681}},
		{256, 16, 1500, .15, map[float64]float64{1: .564, 2: 2.644, 5: 4.020}},
		{256, 64, 1000, .15, map[float64]float64{2: .432, 3: 1.659, 5: 3.069, 10: 4.000}},
		{256, 256, 500, .15, map[float64]float64{3: .018, 5: .833, 10: 3.227, 20: 4.031, 50: 4.240}},
		{2048, 64, 500, .15, map[float64]float64{2: .896, 3: 2.77, 5: 4.375}},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("V=%d,d=%d", tt.v, tt.d), func(t *testing.T) {
			const tables = 4
			got := map[float64]float64{}
			for seed := range uint64(tables) {
				z := newToy(tt.v, tt.d, seed)
				for level := range tt.want {
					got[level] += z.ce(level, tt.n, seed) / tables
				}
			}
			for level, want := range tt.want {
				t.Logf("t = %-4v CE %.3f, expected %.3f", level, got[level], want)
				if math.Abs(got[level]-want) > tt.tol {
					t.Errorf("t = %v: CE %.3f, expected %.3f", level, got[level], want)
				}
			}
		})
	}
}

// source is the toy of the sampler tables with its converged warp.
func source(tb testing.TB) (*toy, curve) {
	tb.Helper()
	z := newToy(27, 16, 1)
	return z, newCurve(z, .1, 50)
}

// fixed is a schedule that learns nothing, over the range of source.
func fixed(tb testing.TB, kind string) timewarp.Warp {
	tb.Helper()
	w, err := timewarp.NewFixed(kind, .1, 50)
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

// plain is Euler with every knob at its neutral value.
func plain(schedule Schedule, steps int) Sampler {
	return Sampler{Schedule: schedule, Steps: steps, Method: Euler, Guidance: 1, Temperature: 1, InitialNoise: 1, Seed: 3}
}

// TestStepsAndSpacing reproduces how far samples are from the true distribution
// by the number of Euler steps and their spacing. Counting noise is about .01;
// the tolerances are three standard deviations over ten random tables and that.
func TestStepsAndSpacing(t *testing.T) {
	z, warp := source(t)
	karras := fixed(t, timewarp.KindKarras)
	uniform := fixed(t, timewarp.KindUniform)
	tests := []struct {
		name      string
		schedule  Schedule
		steps     int
		want, tol float64
	}{
		{"warped", warp, 5, .029, .015},
		{"warped", warp, 10, .014, .01},
		{"warped", warp, 20, .011, .01},
		{"karras", karras, 5, .059, .025},
		{"karras", karras, 10, .017, .01},
		{"uniform", uniform, 5, .537, .14},
		{"uniform", uniform, 10, .344, .11},
		{"uniform", uniform, 20, .131, .05},
		{"uniform", uniform, 50, .018, .015},
		{"uniform", uniform, 100, .010, .015},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s/%d", tt.name, tt.steps), func(t *testing.T) {
			n := 20000
			if tt.steps >= 50 {
				n = 8000 // for the sake of time: counting noise .02
			}
			p := draw(t, plain(tt.schedule, tt.steps), z, n)
			got := variation(p, z.prior)
			t.Logf("total variation %.3f, expected %.3f; entropy %.3f", got, tt.want, entropy(p))
			if math.Abs(got-tt.want) > tt.tol {
				t.Errorf("total variation %.3f, expected %.3f", got, tt.want)
			}
		})
	}
}

// TestLearnedWarpSamplesAsWellAsTheTrueOne: the clock that 300 batches of the
// toy's own losses teach gives the total variation of the converged warp.
func TestLearnedWarpSamplesAsWellAsTheTrueOne(t *testing.T) {
	const batch = 64
	z := newToy(27, 16, 1)
	warp, err := timewarp.New(timewarp.KindOnline, .1, 50, batch)
	if err != nil {
		t.Fatal(err)
	}
	u, seen, ce := make([]float64, batch), make([]timewarp.Observation, batch), make([]float32, 20)
	for step := range uint64(300) {
		s := rng.New(1, "offset", step, 0)
		timewarp.LowDiscrepancy(u, s.Float64())
		for i := range u {
			level := timewarp.TrainQuantile(warp, u[i])
			z.CrossEntropy(ce, z.text(len(ce), step*batch+uint64(i)), nil, level, step, uint64(i*len(ce)))
			seen[i] = timewarp.Observation{T: level, Loss: mean(ce), Weight: float64(len(ce))}
		}
		warp.Observe(seen)
	}
	got := variation(draw(t, plain(warp, 5), z, 20000), z.prior)
	t.Logf("5 steps of the learned warp: total variation %.3f, expected .029; quantiles %.2f %.2f %.2f", got, warp.Quantile(.25), warp.Quantile(.5), warp.Quantile(.75))
	if got > .045 {
		t.Errorf("total variation %.3f, expected .029", got)
	}
}

// TestTemperatureAndInitialNoise reproduces the entropy of samples by the
// temperature of the score and by the initial noise, 100 Euler steps. Half a
// temperature leaves little but the most common token. The tolerances are three
// standard deviations over ten random tables, since a sharp distribution hangs
// on which embeddings happen to be near each other.
func TestTemperatureAndInitialNoise(t *testing.T) {
	z, warp := source(t)
	tests := []struct {
		temperature, noise float64
		want, tol          float64
	}{
		{.5, 1, 0, .5},
		{.8, 1, .891, .6},
		{.9, 1, 2.144, .2},
		{.95, 1, 2.522, .08},
		{1, 1, 2.761, .04},
		{1.1, 1, 3.021, .05},
		{1, .5, 1.791, .25},
		{1, .8, 2.534, .07},
		{1, .9, 2.671, .05},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("T=%v,noise=%v", tt.temperature, tt.noise), func(t *testing.T) {
			s := plain(warp, 100)
			s.Temperature, s.InitialNoise = tt.temperature, tt.noise
			got := entropy(draw(t, s, z, 4000))
			t.Logf("entropy %.3f, expected %.3f", got, tt.want)
			if math.Abs(got-tt.want) > tt.tol {
				t.Errorf("entropy %.3f, expected %.3f", got, tt.want)
			}
		})
	}
}
