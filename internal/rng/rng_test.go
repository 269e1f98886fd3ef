package rng

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// Known answers of philox4x32-10 from the authors' Random123 distribution
// (tests/kat_vectors).
func TestPhiloxKnownAnswers(t *testing.T) {
	const f = 0xffffffff
	for name, c := range map[string]struct {
		ctr  [4]uint32
		key  [2]uint32
		want [4]uint32
	}{
		"zeros":  {[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		"ones":   {[4]uint32{f, f, f, f}, [2]uint32{f, f}, [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		"digits": {[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0}, [4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := philox(c.ctr, c.key); got != c.want {
				t.Errorf("philox = %x, want %x", got, c.want)
			}
		})
	}
}

func TestStreamsAreNamed(t *testing.T) {
	seen := map[uint64]string{}
	for _, purpose := range []string{"noise", "masks"} {
		for seed := range uint64(4) {
			for i := range uint64(8) {
				for j := range uint64(8) {
					s := New(seed, purpose, i, j)
					v := s.Uint64()
					if other, ok := seen[v]; ok {
						t.Fatalf("stream (%d, %s, %d, %d) begins like %s", seed, purpose, i, j, other)
					}
					seen[v] = purpose
					again := New(seed, purpose, i, j)
					if again.Uint64() != v {
						t.Fatal("a stream opened again gives other numbers")
					}
				}
			}
		}
	}
}

func TestMoments(t *testing.T) {
	const n = 200_000
	s := New(1, "moments", 0, 0)
	var u, z1, z2, z4 float64
	for range n {
		u += s.Float64()
		z := s.Normal()
		z1 += z
		z2 += z * z
		z4 += z * z * z * z
	}
	// Five standard errors of each mean: the variances of U, Z, Z² and Z⁴ are
	// 1/12, 1, 2 and 96.
	for name, c := range map[string]struct{ got, want, variance float64 }{
		"uniform mean":    {u / n, .5, 1. / 12},
		"normal mean":     {z1 / n, 0, 1},
		"normal variance": {z2 / n, 1, 2},
		"normal kurtosis": {z4 / n, 3, 96},
	} {
		if e := math.Abs(c.got - c.want); e > 5*math.Sqrt(c.variance/n) {
			t.Errorf("%s = %.4f, want %.4f", name, c.got, c.want)
		}
	}
}

// Filling and skipping are what drawing one by one is, wherever the stream
// stands.
func TestFillAndSkipAreDraws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		one, fast := New(seed, "fill", 1, 2), New(seed, "fill", 1, 2)
		one.block = rapid.SampledFrom([]uint64{0, 1<<32 - 3}).Draw(t, "block")
		fast.block = one.block
		for range rapid.IntRange(1, 5).Draw(t, "calls") {
			n := rapid.IntRange(0, 20).Draw(t, "n")
			switch rapid.IntRange(0, 2).Draw(t, "what") {
			case 0: // one uniform number puts the pairs across two blocks
				if a, b := one.Float64(), fast.Float64(); a != b {
					t.Fatalf("Float64 is %v, want %v", b, a)
				}
			case 1:
				for range n {
					one.Normal()
				}
				fast.SkipNormal(n)
			case 2:
				single, double := make([]float32, n), make([]float64, n)
				copied := fast
				copied.FillNormal(single)
				fast.FillNormal64(double)
				for i := range n {
					if want := one.Normal(); single[i] != float32(want) || double[i] != want {
						t.Fatalf("deviate %d of %d is %v and %v, want %v", i, n, single[i], double[i], want)
					}
				}
			}
		}
		if one.Normal() != fast.Normal() {
			t.Fatal("the streams stand at different places")
		}
	})
}

func TestPermuteIsABijection(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64Range(1, 3000).Draw(t, "n")
		epoch := rapid.Uint64().Draw(t, "epoch")
		seen := make([]bool, n)
		for i := range n {
			j := Permute(7, "order", epoch, n, i)
			if j >= n || seen[j] {
				t.Fatalf("n = %d: %d goes to %d, which is outside or taken", n, i, j)
			}
			seen[j] = true
		}
	})
}

func TestPermIsUniform(t *testing.T) {
	// All 6 orders of 3 items in 6,000 draws: 1,000 ± 5·29 each.
	count := map[[3]int]int{}
	s := New(3, "perm", 0, 0)
	for range 6000 {
		var p [3]int
		s.Perm(p[:])
		count[p]++
	}
	for p, n := range count {
		if n < 855 || n > 1145 {
			t.Errorf("order %v came %d times in 6000", p, n)
		}
	}
	if len(count) != 6 {
		t.Errorf("%d of 6 orders came up", len(count))
	}
}

func BenchmarkFillNormal(b *testing.B) {
	dst := make([]float32, 1<<14)
	s := New(1, "bench", 0, 0)
	b.SetBytes(int64(4 * len(dst)))
	for b.Loop() {
		s.FillNormal(dst)
	}
}
