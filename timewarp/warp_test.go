package timewarp_test

import (
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
	"github.com/seed-4c77ef92/textwarp/timewarp"
)

const tmin, tmax = .1, 50

// warps makes one of every kind, and the paper's with all its options in use.
func warps(t testing.TB) map[string]timewarp.Warp {
	t.Helper()
	out := map[string]timewarp.Warp{}
	for _, kind := range timewarp.Kinds() {
		w, err := timewarp.New(kind, tmin, tmax, 16)
		if err != nil {
			t.Fatal(err)
		}
		out[kind] = w
	}
	w, err := timewarp.NewPaper(timewarp.PaperOptions{
		TMin: tmin, TMax: tmax, Bins: 40, LogSpaced: true, MinBatch: 10, EMA: .9,
		Temperature: 1.5, Uniform: .1, ShapeA: 2, ShapeB: 1.5,
	})
	if err != nil {
		t.Fatal(err)
	}
	out["paper, all options"] = w
	return out
}

// curve is a loss curve that needs no oracle: a logistic function of ln t.
func curve(t float64) float64 { return 3 / (1 + math.Pow(2/t, 3)) }

// train shows a warp noisy losses of curve at noise levels that it draws.
func train(w timewarp.Warp, steps, batch int, seed uint64) {
	s := rng.New(seed, "test.train", 0, 0)
	u := make([]float64, batch)
	obs := make([]timewarp.Observation, batch)
	for range steps {
		timewarp.LowDiscrepancy(u, s.Float64())
		for i := range obs {
			t := timewarp.TrainQuantile(w, u[i])
			loss := curve(t) * (1 + .2*s.Normal())
			obs[i] = timewarp.Observation{T: t, Loss: loss, Weight: float64(1 + s.IntN(64))}
		}
		w.Observe(obs)
	}
}

// checkInvariants fails unless w is a distribution that can be sampled.
func checkInvariants(t rapid.TB, name string, w timewarp.Warp) {
	t.Helper()
	if f := w.CDF(tmin); f != 0 {
		t.Fatalf("%s: F(tmin) = %v", name, f)
	}
	if f := w.CDF(tmax); f != 1 {
		t.Fatalf("%s: F(tmax) = %v", name, f)
	}
	for _, outside := range []float64{0, -1, tmin / 2, math.NaN(), math.Inf(-1)} {
		if f, d := w.CDF(outside), w.Density(outside); f != 0 || d != 0 {
			t.Fatalf("%s: F(%v) = %v, density %v", name, outside, f, d)
		}
	}
	if f := w.CDF(math.Inf(1)); f != 1 {
		t.Fatalf("%s: F(+Inf) = %v", name, f)
	}
	last := 0.
	for i := range 400 {
		x := tmin * math.Pow(tmax/tmin, float64(i+1)/400)
		f, d := w.CDF(x), w.Density(x)
		if i < 399 && !(f > last) {
			t.Fatalf("%s: F(%v) = %v does not rise above %v", name, x, f, last)
		}
		if i < 399 && !(d > 0 && d <= math.MaxFloat64) {
			t.Fatalf("%s: density %v at %v", name, d, x)
		}
		last = f
	}
	last = 0
	for i := range 401 {
		u := float64(i) / 400
		for _, x := range []float64{w.Quantile(u), timewarp.TrainQuantile(w, u)} {
			if !(x >= tmin && x <= tmax) {
				t.Fatalf("%s: quantile %v of %v", name, x, u)
			}
		}
		x := w.Quantile(u)
		if x < last {
			t.Fatalf("%s: quantile %v of %v falls below %v", name, x, u, last)
		}
		last = x
		if f := w.CDF(x); math.Abs(f-u) > 1e-6 {
			t.Fatalf("%s: F(Quantile(%v)) = %v", name, u, f)
		}
	}
	if lo, hi := w.Quantile(-1), w.Quantile(2); lo != tmin || hi != tmax {
		t.Fatalf("%s: clamped quantiles %v %v", name, lo, hi)
	}
	if x := w.Quantile(math.NaN()); x != tmin {
		t.Fatalf("%s: quantile of NaN is %v", name, x)
	}
}

func TestInvariantsOfFreshAndTrainedWarps(t *testing.T) {
	for name, w := range warps(t) {
		checkInvariants(t, name, w)
		train(w, 200, 16, 1)
		checkInvariants(t, name, w)
	}
}

// hostile draws batches of anything that a broken trainer could report.
func hostile() *rapid.Generator[[]timewarp.Observation] {
	number := rapid.OneOf(
		rapid.Float64(),
		rapid.Float64Range(0, 5),
		rapid.SampledFrom([]float64{
			math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1), -1, math.MaxFloat64,
			math.SmallestNonzeroFloat64, 1e300, 1e-300, tmin, tmax,
		}),
	)
	level := rapid.OneOf(number, rapid.Float64Range(tmin, tmax), rapid.Just(1.))
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) timewarp.Observation {
		return timewarp.Observation{T: level.Draw(t, "t"), Loss: number.Draw(t, "loss"), Weight: number.Draw(t, "weight")}
	}), 0, 40)
}

func TestHostileObservations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		batches := rapid.SliceOfN(hostile(), 1, 12).Draw(t, "batches")
		repeat := rapid.IntRange(1, 5).Draw(t, "repeat")
		for _, kind := range []string{timewarp.KindOnline, timewarp.KindPaper, timewarp.KindKarras} {
			w, err := timewarp.New(kind, tmin, tmax, 0)
			if err != nil {
				t.Fatal(err)
			}
			for range repeat {
				for _, b := range batches {
					w.Observe(b)
				}
			}
			checkInvariants(t, kind, w)
			if _, err := json.Marshal(w); err != nil {
				t.Fatalf("%s: save: %v", kind, err)
			}
			if _, err := json.Marshal(w.Snapshot()); err != nil {
				t.Fatalf("%s: snapshot: %v", kind, err)
			}
		}
	})
}

func TestObserveLeavesTheBatchAlone(t *testing.T) {
	batch := []timewarp.Observation{{T: 1, Loss: 1e9, Weight: 3}, {T: 2, Loss: -1, Weight: 1}, {T: math.NaN()}}
	for name, w := range warps(t) {
		mine := append([]timewarp.Observation(nil), batch...)
		w.Observe(mine)
		for i := range batch {
			if mine[i] != batch[i] && !math.IsNaN(batch[i].T) {
				t.Errorf("%s: observation %d became %v", name, i, mine[i])
			}
		}
	}
}

// TestSampledLevelsFollowTheWarp is a Kolmogorov-Smirnov test of noise levels
// drawn with independent uniform u.
func TestSampledLevelsFollowTheWarp(t *testing.T) {
	const n = 4000
	critical := 1.95 / math.Sqrt(n) // one test in 1000 exceeds it
	for name, w := range warps(t) {
		train(w, 150, 16, 2)
		s := rng.New(3, "test.ks", 0, 0)
		levels, training := make([]float64, n), make([]float64, n)
		for i := range levels {
			u := s.Float64()
			levels[i], training[i] = w.Quantile(u), timewarp.TrainQuantile(w, u)
		}
		if d := distance(levels, w.CDF); d > critical {
			t.Errorf("%s: distance %.4f > %.4f", name, d, critical)
		}
		train := w.CDF
		if name == timewarp.KindOnline {
			train = func(t float64) float64 {
				return (1-timewarp.DefaultExplore)*w.CDF(t) + timewarp.DefaultExplore*math.Log(t/tmin)/math.Log(tmax/tmin)
			}
		}
		if d := distance(training, train); d > critical {
			t.Errorf("%s: training distance %.4f > %.4f", name, d, critical)
		}
	}
}

// distance is the largest between the empirical distribution of x and f.
func distance(x []float64, f func(float64) float64) float64 {
	sort.Float64s(x)
	d := 0.
	for i, x0 := range x {
		n := float64(len(x))
		d = max(d, math.Abs(f(x0)-float64(i)/n), math.Abs(f(x0)-float64(i+1)/n))
	}
	return d
}

func TestDensityIsTheDerivativeOfCDF(t *testing.T) {
	for name, w := range warps(t) {
		train(w, 100, 16, 4)
		bad := 0
		for i := range 200 {
			x := .101 * math.Pow(49.9/.101, float64(i)/200)
			h := 1e-6 * x
			d := (w.CDF(x+h) - w.CDF(x-h)) / (2 * h)
			if math.Abs(d-w.Density(x)) > 1e-4*d+1e-9 {
				bad++ // the difference may straddle a node
			}
		}
		if bad > 2 {
			t.Errorf("%s: %d of 200 densities differ from the difference quotient", name, bad)
		}
	}
}

func TestLowDiscrepancy(t *testing.T) {
	for _, n := range []int{1, 2, 7, 64} {
		for _, offset := range []float64{0, .25, .999999999999, 1, -1e-18, -.5, 3.75} {
			u := make([]float64, n)
			timewarp.LowDiscrepancy(u, offset)
			seen := make([]bool, n)
			for _, x := range u {
				if !(x >= 0 && x < 1) {
					t.Fatalf("n %d, offset %v: %v outside [0, 1)", n, offset, x)
				}
				seen[min(int(x*float64(n)+1e-13), n-1)] = true
			}
			for i, ok := range seen {
				if !ok {
					t.Errorf("n %d, offset %v: interval %d is empty: %v", n, offset, i, u)
				}
			}
		}
	}
	u := []float64{-1}
	timewarp.LowDiscrepancy(u, math.NaN())
	if u[0] != 0 {
		t.Errorf("offset NaN: %v", u[0])
	}
	timewarp.LowDiscrepancy(nil, .5)
}

func TestNewRefuses(t *testing.T) {
	for name, make := range map[string]func() error{
		"unknown kind": func() error { _, err := timewarp.New("exponential", tmin, tmax, 8); return err },
		"zero tmin":    func() error { _, err := timewarp.New("online", 0, tmax, 8); return err },
		"empty range":  func() error { _, err := timewarp.New("paper", 2, 2, 8); return err },
		"NaN":          func() error { _, err := timewarp.New("karras", tmin, math.NaN(), 8); return err },
		"infinite":     func() error { _, err := timewarp.New("uniform", tmin, math.Inf(1), 8); return err },
		"saturated":    func() error { _, err := timewarp.New("cosine", 1e20, 1e21, 8); return err },
		"batch":        func() error { _, err := timewarp.New("online", tmin, tmax, -1); return err },
		"explore": func() error {
			_, err := timewarp.NewOnline(timewarp.OnlineOptions{TMin: tmin, TMax: tmax, Explore: 1.5})
			return err
		},
		"bins": func() error {
			_, err := timewarp.NewPaper(timewarp.PaperOptions{TMin: tmin, TMax: tmax, Bins: 1})
			return err
		},
		"ema": func() error {
			_, err := timewarp.NewPaper(timewarp.PaperOptions{TMin: tmin, TMax: tmax, EMA: 1})
			return err
		},
		"temperature": func() error {
			_, err := timewarp.NewPaper(timewarp.PaperOptions{TMin: tmin, TMax: tmax, Temperature: math.NaN()})
			return err
		},
	} {
		if err := make(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func BenchmarkObserve(b *testing.B) {
	for _, kind := range []string{timewarp.KindOnline, timewarp.KindPaper} {
		for _, n := range []int{8, 64} {
			b.Run(fmt.Sprintf("%s/batch=%d", kind, n), func(b *testing.B) {
				w, err := timewarp.New(kind, tmin, tmax, n)
				if err != nil {
					b.Fatal(err)
				}
				train(w, 100, n, 1)
				batch := make([]timewarp.Observation, n)
				for i := range batch {
					t := timewarp.TrainQuantile(w, (float64(i)+.5)/float64(n))
					batch[i] = timewarp.Observation{T: t, Loss: curve(t), Weight: 1}
				}
				b.ReportAllocs()
				for b.Loop() {
					w.Observe(batch)
				}
			})
		}
	}
}

func TestObserveDoesNotAllocate(t *testing.T) {
	for name, w := range warps(t) {
		train(w, 20, 16, 5)
		batch := make([]timewarp.Observation, 16)
		for i := range batch {
			x := timewarp.TrainQuantile(w, (float64(i)+.5)/16)
			batch[i] = timewarp.Observation{T: x, Loss: curve(x), Weight: 1}
		}
		if n := testing.AllocsPerRun(50, func() { w.Observe(batch) }); n != 0 {
			t.Errorf("%s: %v allocations a step", name, n)
		}
	}
}
