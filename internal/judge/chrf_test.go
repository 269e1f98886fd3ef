package judge

import (
	"math"
	"testing"
)

// TestChrF: the figures are those of sacreBLEU 2.6.0, CHRF().sentence_score,
// divided by 100.
func TestChrF(t *testing.T) {
	for _, c := range []struct {
		text, reference string
		want            float64
	}{
		{"The cat sat on the mat.", "The cat is on the mat.", .6717273492330233},
		{"To be, or not to be", "To be, or never to be, that is", .37887527098692765},
		{"abc", "xyz", 0},
		{"ab", "ab cd ef gh ij", .1871657754010695},
		{"Grüße aus Köln", "Grüsse aus Koeln", .32143755850153035},
		{"a", "a", 1},
		{"thethethe", "the", .6149193548387096},
		{"", "a", 0},
	} {
		if got := NewCharGrams(c.text).ChrF(NewCharGrams(c.reference)); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%q against %q: %v, want %v", c.text, c.reference, got, c.want)
		}
	}
}
