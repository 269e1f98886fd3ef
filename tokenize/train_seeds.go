package tokenize

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

const (
	maxPieceChars = 16      // SentencePiece's and Hugging Face's
	maxSeeds      = 1 << 20 // theirs is 1,000,000
)

// substring is one that words have: how often, a place in a suffixArray's text where it
// stands, and its length in characters.
type substring struct {
	n     int64
	at    uint32
	chars uint8
}

// score is by what substrings are chosen: the characters of the text that they cover.
func (s substring) score() int64 { return s.n * int64(s.chars) }

// seedPieces returns the strings that a Unigram vocabulary is pruned down from, with
// how often each occurs: the characters, in order, then the substrings of 2 to 16
// characters that cover most of the text. Of those that cover equally little, all or
// none are taken.
func seedPieces(w *words) (pieces []string, numbers []float64) {
	chars := map[rune]int64{}
	for i, n := range w.counts {
		for _, r := range string(w.at(i)) {
			chars[r] += n
		}
	}
	for _, r := range slices.Sorted(maps.Keys(chars)) {
		pieces, numbers = append(pieces, string(r)), append(numbers, float64(chars[r]))
	}
	a := newSuffixArray(w)
	covered := map[int64]int{} // how many substrings have each score
	a.substrings(func(s substring) { covered[s.score()]++ })
	least, room := int64(math.MaxInt64), maxSeeds-len(pieces)
	for _, score := range slices.Backward(slices.Sorted(maps.Keys(covered))) {
		if room -= covered[score]; room < 0 {
			break
		}
		least = score
	}
	var found []substring
	a.substrings(func(s substring) {
		if s.score() >= least {
			found = append(found, s)
		}
	})
	slices.SortFunc(found, func(s, t substring) int {
		if c := cmp.Compare(t.score(), s.score()); c != 0 {
			return c
		}
		return cmp.Compare(a.string(s), a.string(t))
	})
	for _, s := range found {
		pieces, numbers = append(pieces, a.string(s)), append(numbers, float64(s.score()))
	}
	return pieces, numbers
}
