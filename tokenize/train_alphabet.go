package tokenize

import (
	"cmp"
	"slices"
)

// alphabetOf returns the most frequent characters of words, at most size, in the order
// of their code points. Of equally frequent ones the lower code points are taken.
func alphabetOf(w *words, size int) []rune {
	counts := map[rune]int64{}
	for i, n := range w.counts {
		for _, r := range string(w.at(i)) {
			counts[r] += n
		}
	}
	chars := make([]rune, 0, len(counts))
	for r := range counts {
		chars = append(chars, r)
	}
	slices.SortFunc(chars, func(a, b rune) int {
		if c := cmp.Compare(counts[b], counts[a]); c != 0 {
			return c
		}
		return cmp.Compare(a, b)
	})
	chars = chars[:min(len(chars), size)]
	slices.Sort(chars)
	return chars
}
