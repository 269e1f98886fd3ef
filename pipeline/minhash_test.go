package pipeline

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

var wordsOf = sync.OnceValue(newWordTable)

func shinglesOf(text string) []uint64 {
	s := shingler{table: wordsOf()}
	return slices.Clone(s.shingles(text))
}

func TestShingles(t *testing.T) {
	for name, c := range map[string]struct {
		a, b string
		n    int // of a
		same bool
	}{
		"case and punctuation":      {"To be, or not to be: that is", "to be or NOT — to be (that is)", 4, true},
		"a word":                    {"one two three four five six", "one two three four five seven", 2, false},
		"order":                     {"one two three four five", "five four three two one", 1, false},
		"short":                     {"one two", "one, two.", 1, true},
		"short of other length":     {"one", "one one", 1, false},
		"where words end":           {"on etwo three four five", "one two three four five", 1, false},
		"no words":                  {" -- ", "", 0, true},
		"Chinese, without spaces":   {"白日依山尽黄河入海流", "白日依山尽，黄河入海流。", 6, true},
		"Chinese, a character":      {"白日依山尽", "白日依山水", 1, false},
		"Thai":                      {"สวัสดี", "สวัสดี", 2, true},
		"Greek":                     {"ΜΗΝΙΝ ΑΕΙΔΕ ΘΕΑ", "μηνιν αειδε θεα", 1, true},
		"a letter beyond the table": {"𐐀 𐐁", "𐐨 𐐩", 1, true},
		"invalid UTF-8":             {"a\xFFb", "a b", 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := shinglesOf(c.a), shinglesOf(c.b)
			if len(a) != c.n || slices.Equal(a, b) != c.same {
				t.Errorf("%d shingles, want %d; those of the other text are equal: %v, want %v", len(a), c.n, slices.Equal(a, b), c.same)
			}
		})
	}
}

// Of n words a polynomial that rolls must give what one that begins anew gives.
func TestShinglesRoll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "über", "山", "x1"}), 5, 40).Draw(t, "words")
		all := shinglesOf(strings.Join(words, " "))
		if len(all) != len(words)-4 {
			t.Fatalf("%d shingles of %d words", len(all), len(words))
		}
		for i, h := range all {
			if one := shinglesOf(strings.Join(words[i:i+5], ", ")); len(one) != 1 || one[0] != h {
				t.Fatalf("shingle %d is %x by itself and %x in its document", i, one, h)
			}
		}
	})
}

// Sets of known similarity: the mean of the estimates must be it, and their
// spread that of 256 independent bins with four bits each,
// sqrt(R (1-R) / 256) 16/15 with R = (1 + 15 J) / 16.
func TestSimilarityIsUnbiased(t *testing.T) {
	for _, n := range []int{8, 40, 300, 3000} {
		for _, j := range []float64{0, .5, .8, .9, 1} {
			t.Run(fmt.Sprintf("%d shingles, %v", n, j), func(t *testing.T) {
				r := rng.New(1, "sets", uint64(n), uint64(j*100))
				common := int(math.Round(2 * j / (1 + j) * float64(n))) // of n in either set
				truth := float64(common) / float64(2*n-common)
				const trials = 300
				var sum, squares float64
				for range trials {
					var a, b []uint64
					for i := range n {
						x := r.Uint64()
						a = append(a, x)
						if i >= common {
							x = r.Uint64()
						}
						b = append(b, x)
					}
					var s signature
					s.sign(a)
					ka := s.sketch()
					s.sign(b)
					kb := s.sketch()
					e := ka.similarity(&kb)
					sum += e
					squares += (e - truth) * (e - truth)
				}
				match := (1 + 15*truth) / 16
				sigma := math.Sqrt(match*(1-match)/bins) * 16 / 15
				mean, spread := sum/trials, math.Sqrt(squares/trials)
				if math.Abs(mean-truth) > 4*sigma/math.Sqrt(trials) {
					t.Errorf("mean %.4f of %v, want within %.4f", mean, truth, 4*sigma/math.Sqrt(trials))
				}
				if spread > 1.2*sigma {
					t.Errorf("spread %.4f, want at most %.4f", spread, sigma)
				}
			})
		}
	}
}

// Pairs of known similarity become candidates as often as the curve says.
func TestDetectionCurve(t *testing.T) {
	bands, rows := bandsFor(DefaultSimilarity)
	if bands != 18 || rows != 7 {
		t.Fatalf("%d bands of %d bins, the documentation says 18 of 7", bands, rows)
	}
	const n, trials = 200, 400
	r := rng.New(2, "pairs", 0, 0)
	for _, j := range []float64{.5, .7, .8, .9} {
		common := int(math.Round(2 * j / (1 + j) * n))
		truth := float64(common) / float64(2*n-common)
		found := 0
		for range trials {
			var a, b signature
			set := make([]uint64, n)
			for i := range set {
				set[i] = r.Uint64()
			}
			a.sign(set)
			for i := common; i < n; i++ {
				set[i] = r.Uint64()
			}
			b.sign(set)
			for k := range bands {
				if a.bandKey(k, rows) == b.bandKey(k, rows) {
					found++
					break
				}
			}
		}
		p := detection(truth, bands, rows)
		if got, e := float64(found)/trials, 4*math.Sqrt(p*(1-p)/trials)+.01; math.Abs(got-p) > e {
			t.Errorf("similarity %.3f: %v of pairs are candidates, want %.3f ± %.3f", truth, got, p, e)
		}
	}
}

func TestBands(t *testing.T) {
	for _, s := range []float64{.01, .3, .5, .7, .8, .9, .95, .99, 1} {
		bands, rows := bandsFor(s)
		if bands < 1 || rows < 1 || bands*rows > bandBins {
			t.Errorf("similarity %v: %d bands of %d bins", s, bands, rows)
		}
		if p := detection(s, bands, rows); p < bandRecall && rows > 1 {
			t.Errorf("similarity %v: found with probability %v", s, p)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	for _, words := range []int{20, 200, 2000, 20000} {
		r := rng.New(1, "words", 0, 0)
		var text strings.Builder
		for range words {
			fmt.Fprintf(&text, "w%d ", r.IntN(50000))
		}
		b.Run(fmt.Sprintf("%d words", words), func(b *testing.B) {
			s := shingler{table: wordsOf()}
			var sig signature
			b.SetBytes(int64(text.Len()))
			for b.Loop() {
				sig.sign(s.shingles(text.String()))
			}
		})
	}
}
