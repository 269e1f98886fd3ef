package diffusion

import (
	"math"
	"slices"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

func TestCorruptAddsNoiseOfTheLevel(t *testing.T) {
	const l, d, level = 4000, 4, 3.0
	x0, x, m := make([]float32, l*d), make([]float32, l*d), make([]float32, l)
	fill(x0, 2)
	fill(m, 1)
	s := rng.New(1, "test", 0, 0)
	Corrupt(x, x0, m, level, &s)
	var sum, square float64
	for _, v := range x {
		n := float64(v) - 2
		sum += n
		square += n * n
	}
	// 16,000 deviates: standard errors .024 of the mean and .017 of the deviation.
	if mean := sum / (l * d); math.Abs(mean) > .1 {
		t.Errorf("mean of the noise %.3f, expected 0", mean)
	}
	if std := math.Sqrt(square / (l * d)); math.Abs(std-level) > .07 {
		t.Errorf("deviation of the noise %.3f, expected %v", std, level)
	}
}

func TestCorruptKeepsNoiseOfAPositionWhateverTheMask(t *testing.T) {
	x0 := []float32{1, 2, 3, 4, 5, 6}
	all, some := make([]float32, 6), slices.Clone(x0)
	s := rng.New(1, "test", 0, 0)
	Corrupt(all, x0, []float32{1, 1, 1}, 2, &s)
	s = rng.New(1, "test", 0, 0)
	Corrupt(some, some, []float32{1, 0, 1}, 2, &s) // in place
	if some[2] != 0 || some[3] != 0 {
		t.Errorf("given position holds %v, expected zeros", some[2:4])
	}
	if !slices.Equal(all[:2], some[:2]) || !slices.Equal(all[4:], some[4:]) {
		t.Errorf("noise %v became %v under another mask", all, some)
	}
}

func TestFeaturesLayout(t *testing.T) {
	s := &State{
		B: 2, L: 1, D: 2,
		X: []float32{2, 4, 0, 0}, C: []float32{0, 0, 7, 8}, P: []float32{5, 6, 0, 0},
		M: []float32{1, 0}, T: []float64{math.Sqrt(3), 1}, // scales 1/2 and 1/√2
	}
	got := make([]float32, 2*7)
	Features(got, s)
	want := []float32{
		1, 2, 0, 0, 1, 5, 6,
		0, 0, 7, 8, 0, 0, 0,
	}
	for i := range want {
		if math.Abs(float64(got[i]-want[i])) > 1e-6 {
			t.Fatalf("features %v, expected %v", got, want)
		}
	}
}

func TestHotPathsDoNotAllocate(t *testing.T) {
	st := NewState(2, 8, 4)
	dst := make([]float32, 16*13)
	n := testing.AllocsPerRun(20, func() {
		for b := range st.B {
			s := rng.New(1, "noise", 0, uint64(b))
			DrawMask(st.M[b*8:(b+1)*8], "mixed", &s)
			Corrupt(st.X[b*32:(b+1)*32], st.C[b*32:(b+1)*32], st.M[b*8:(b+1)*8], 1, &s)
		}
		Features(dst, st)
	})
	if n != 0 {
		t.Errorf("%v allocations a step, expected none", n)
	}
}

func BenchmarkCorrupt(b *testing.B) {
	const l, d = 128, 16
	x, x0, m := make([]float32, l*d), make([]float32, l*d), make([]float32, l)
	fill(m, 1)
	b.SetBytes(l * d * 4)
	for b.Loop() {
		s := rng.New(1, "noise", 0, 0)
		Corrupt(x, x0, m, 2, &s)
	}
}
