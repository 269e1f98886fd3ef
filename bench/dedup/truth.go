package main

import (
	"hash/maphash"
	"slices"
	"strings"
	"unicode"
)

// truth finds for every document the largest Jaccard similarity to an earlier
// one by counting shingles, without sketches and without the code of prep.
type truth struct {
	sets    [][]uint64 // sorted
	holders map[uint64][]int32
}

var seed = maphash.MakeSeed()

func shingles(text string) []uint64 {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
	})
	n := min(5, len(words))
	var set []uint64
	for i := 0; n > 0 && i+n <= len(words); i++ {
		set = append(set, maphash.String(seed, strings.Join(words[i:i+n], " ")))
	}
	slices.Sort(set)
	return slices.Compact(set)
}

func newTruth(docs []document) *truth {
	t := &truth{holders: map[uint64][]int32{}}
	for i, d := range docs {
		set := shingles(d.Text)
		t.sets = append(t.sets, set)
		for _, h := range set {
			t.holders[h] = append(t.holders[h], int32(i))
		}
	}
	return t
}

// best is the largest similarity of document i to one of those before it for
// which ok is true.
func (t *truth) best(i int, ok func(int) bool) float64 {
	common := map[int32]int{}
	for _, h := range t.sets[i] {
		for _, k := range t.holders[h] {
			if int(k) >= i {
				break
			}
			common[k]++
		}
	}
	best := 0.0
	for k, n := range common {
		if ok(int(k)) {
			best = max(best, float64(n)/float64(len(t.sets[i])+len(t.sets[k])-n))
		}
	}
	return best
}
