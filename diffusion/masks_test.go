package diffusion

import (
	"math"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
	"pgregory.net/rapid"
)

func TestMasksLeaveSomethingToDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]string{"mixed", "prefix", "random", "span", "none"}).Draw(t, "kind")
		m := make([]float32, rapid.IntRange(1, 40).Draw(t, "length"))
		fill(m, 7)
		s := rng.New(rapid.Uint64().Draw(t, "seed"), "mask", 0, 0)
		DrawMask(m, kind, &s)
		noisy, changes := 0, 0
		for i, v := range m {
			if v != 0 && v != 1 {
				t.Fatalf("mask value %v", v)
			}
			noisy += int(v)
			if i > 0 && v != m[i-1] {
				changes++
			}
		}
		if noisy == 0 {
			t.Fatalf("%s mask of %d positions has no noisy one", kind, len(m))
		}
		switch kind {
		case "prefix":
			if changes > 1 || m[len(m)-1] != 1 {
				t.Fatalf("not a prefix: %v", m)
			}
		case "span":
			if changes > maxSpans-1 {
				t.Fatalf("%d spans, at most %d expected: %v", changes+1, maxSpans, m)
			}
		case "none":
			if noisy != len(m) {
				t.Fatalf("%d of %d noisy, expected all", noisy, len(m))
			}
		}
	})
}

// TestMaskLaws: the clean count is uniform on 0..L-1 (section 3.3 of the paper,
// less the empty sequence) and a random subset favours no position.
func TestMaskLaws(t *testing.T) {
	const l, n = 8, 40000
	for _, kind := range []string{"prefix", "random", "mixed"} {
		t.Run(kind, func(t *testing.T) {
			var count, given [l]float64
			m := make([]float32, l)
			for i := range uint64(n) {
				s := rng.New(1, "mask", i, 0)
				DrawMask(m, kind, &s)
				clean := 0
				for k, v := range m {
					if v == 0 {
						clean++
						given[k]++
					}
				}
				count[clean]++
			}
			// Binomial standard error √(p(1-p)/n) ≈ .0017 for the counts and .0025
			// for the positions: five of them.
			for c, v := range count {
				if math.Abs(v/n-1./l) > .009 {
					t.Errorf("%d clean in a share of %.4f, expected %.4f", c, v/n, 1./l)
				}
			}
			if kind != "random" {
				return
			}
			for k, v := range given {
				if want := (l - 1.) / 2 / l; math.Abs(v/n-want) > .0125 {
					t.Errorf("position %d given in a share of %.4f, expected %.4f", k, v/n, want)
				}
			}
		})
	}
}

func TestSpanMaskIsUnconditionalOnceInFive(t *testing.T) {
	const n = 20000
	m := make([]float32, 32)
	var all, first float64
	for i := range uint64(n) {
		s := rng.New(1, "mask", i, 0)
		SpanMask(m, &s)
		noisy := 0
		for _, v := range m {
			noisy += int(v)
		}
		if noisy == len(m) {
			all++
		}
		first += float64(m[0])
	}
	// Five standard errors of a share of a fifth (.0028) and of .6 (.0035).
	if math.Abs(all/n-.2) > .014 {
		t.Errorf("all noisy in a share of %.4f, expected 1/5", all/n)
	}
	if math.Abs(first/n-.6) > .0175 {
		t.Errorf("first span noisy in a share of %.4f, expected 1/5 + 4/5·1/2", first/n)
	}
}

func TestCheckMask(t *testing.T) {
	if err := CheckMask("mixed"); err != nil {
		t.Error(err)
	}
	if err := CheckMask("spam"); err == nil {
		t.Error("unknown mask accepted")
	}
}
