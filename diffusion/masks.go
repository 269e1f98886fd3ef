package diffusion

import (
	"fmt"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

// CheckMask tells whether DrawMask knows a kind of mask.
func CheckMask(kind string) error {
	switch kind {
	case "mixed", "prefix", "random", "span", "none":
		return nil
	}
	return fmt.Errorf("unknown mask %q: choose mixed, prefix, random, span or none", kind)
}

// DrawMask fills m with a mask of the named kind: 0 given, 1 noisy. "mixed" is
// the mixture of CDCD (section 3.3), a prefix or a random subset with equal
// probability; "none" gives nothing. At least one position is always noisy. It
// panics on a kind that [CheckMask] refuses.
func DrawMask(m []float32, kind string, s *rng.Stream) {
	switch kind {
	case "mixed":
		if s.Uint64()>>63 == 0 {
			PrefixMask(m, s)
		} else {
			RandomMask(m, s)
		}
	case "prefix":
		PrefixMask(m, s)
	case "random":
		RandomMask(m, s)
	case "span":
		SpanMask(m, s)
	case "none":
		fill(m, 1)
	default:
		panic(CheckMask(kind))
	}
}

// PrefixMask gives a prefix of n tokens, n uniform on 0..L-1.
func PrefixMask(m []float32, s *rng.Stream) {
	if len(m) == 0 {
		return
	}
	n := s.IntN(len(m))
	fill(m[:n], 0)
	fill(m[n:], 1)
}

// RandomMask gives a uniformly random subset of n tokens, n uniform on 0..L-1.
func RandomMask(m []float32, s *rng.Stream) {
	if len(m) == 0 {
		return
	}
	choose(m, s.IntN(len(m)), s)
}

// maxSpans is M of [SpanMask].
const maxSpans = 5

// SpanMask cuts the sequence at random into n spans, n uniform on 1..5, that
// are given and noisy in turn; either kind may come first. One span is all
// noisy (Strudel et al. 2022, arXiv 2211.04236, section 3.2).
func SpanMask(m []float32, s *rng.Stream) {
	if len(m) == 0 {
		return
	}
	n := min(1+s.IntN(maxSpans), len(m))
	if n == 1 {
		fill(m, 1)
		return
	}
	// The first position opens the first span; n-1 of the others open another.
	m[0] = 1
	choose(m[1:], n-1, s)
	value := float32(s.Uint64() >> 63)
	for i := range m {
		if i > 0 && m[i] == 0 {
			value = 1 - value
		}
		m[i] = value
	}
}

// choose sets n uniformly chosen entries of m to 0 and the others to 1
// (selection sampling, Knuth, TAOCP vol. 2, algorithm 3.4.2 S).
func choose(m []float32, n int, s *rng.Stream) {
	for i := range m {
		m[i] = 1
		if s.IntN(len(m)-i) < n {
			m[i] = 0
			n--
		}
	}
}

func fill(m []float32, v float32) {
	for i := range m {
		m[i] = v
	}
}
