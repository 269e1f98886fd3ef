package tokenize

import (
	"runtime"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

// suffixArray holds the suffixes of words in order, as far as pieces can reach, and
// how many characters neighbours have in common (an enhanced suffix array: Abouelhoda
// et al. 2004). Words are UTF-8.
type suffixArray struct {
	words  *words
	text   []byte   // the words, wordEnd behind each
	order  []uint32 // where in text the suffixes begin
	common []uint8  // by suffix: the characters that it shares with the one before
	near   []uint32 // by text position / nearBytes: a word that is not behind it
}

const (
	wordEnd   = 0xff // in no UTF-8
	deepest   = maxPieceChars + 1
	deepBytes = deepest * utf8.UTFMax
	nearBytes = 64
)

func newSuffixArray(w *words) *suffixArray {
	a := &suffixArray{words: w, text: make([]byte, 0, len(w.text)+w.len())}
	for i := range w.len() {
		for len(a.near)*nearBytes <= len(a.text) {
			a.near = append(a.near, uint32(i))
		}
		a.text = append(append(a.text, w.at(i)...), wordEnd)
		for len(a.near)*nearBytes < len(a.text) {
			a.near = append(a.near, uint32(i))
		}
	}
	a.sort()
	a.common = make([]uint8, len(a.order)+1) // the last one shares nothing with the end
	for i := 1; i < len(a.order); i++ {
		a.common[i] = a.share(a.order[i-1], a.order[i])
	}
	return a
}

// sort orders the suffixes, a first byte at a time on all cores.
func (a *suffixArray) sort() {
	var starts [257]int
	for _, b := range a.text {
		if utf8.RuneStart(b) && b != wordEnd {
			starts[int(b)+1]++
		}
	}
	for b := range 256 {
		starts[b+1] += starts[b]
	}
	a.order = make([]uint32, starts[256])
	fill := starts
	for i, b := range a.text {
		if utf8.RuneStart(b) && b != wordEnd {
			a.order[fill[b]] = uint32(i)
			fill[b]++
		}
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for b := next.Add(1) - 1; b < 256; b = next.Add(1) - 1 {
				a.sortFrom(a.order[starts[b]:starts[b+1]], 1)
			}
		})
	}
	wg.Wait()
}

// sortFrom sorts suffixes that agree in their first depth bytes, none of which is
// wordEnd: multikey quicksort (Bentley and Sedgewick 1997).
func (a *suffixArray) sortFrom(s []uint32, depth int) {
	for len(s) > 1 && depth < deepBytes {
		at := func(i int) byte { return a.text[int(s[i])+depth] }
		pivot := middle(at(0), at(len(s)/2), at(len(s)-1))
		lo, hi := 0, len(s)
		for i := 0; i < hi; {
			switch b := at(i); {
			case b < pivot:
				s[lo], s[i] = s[i], s[lo]
				lo++
				i++
			case b > pivot:
				hi--
				s[hi], s[i] = s[i], s[hi]
			default:
				i++
			}
		}
		a.sortFrom(s[:lo], depth)
		a.sortFrom(s[hi:], depth)
		if pivot == wordEnd {
			return
		}
		s, depth = s[lo:hi], depth+1
	}
}

func middle(a, b, c byte) byte { return max(min(a, b), min(max(a, b), c)) }

// share returns the number of whole characters that two suffixes begin with alike.
func (a *suffixArray) share(i, j uint32) uint8 {
	s, t := a.text[i:], a.text[j:]
	k := 0
	for k < deepBytes && s[k] == t[k] && s[k] != wordEnd {
		k++
	}
	for !utf8.RuneStart(s[k]) {
		k--
	}
	return uint8(min(utf8.RuneCount(s[:k]), deepest))
}

// substrings calls do for every substring of 2 to 16 characters that occurs twice or
// more, but not for one that only ever stands within the same longer one. These are
// the intervals of the array whose suffixes share more than their neighbours do, and
// whole words that no other word begins with.
func (a *suffixArray) substrings(do func(substring)) {
	type interval struct {
		common uint8
		at     uint32
		before int64 // occurrences of all suffixes before the interval
	}
	stack := []interval{{}}
	sum, last := int64(0), int64(0)
	for i := 0; i <= len(a.order); i++ {
		common, open := a.common[i], interval{before: last}
		if i > 0 {
			open.at = a.order[i-1]
		}
		for top := stack[len(stack)-1]; top.common > common; top = stack[len(stack)-1] {
			stack = stack[:len(stack)-1]
			open.at, open.before = top.at, top.before
			if top.common > 1 && top.common <= maxPieceChars {
				do(substring{sum - top.before, top.at, top.common})
			}
		}
		if common > stack[len(stack)-1].common {
			open.common = common
			stack = append(stack, open)
		}
		if i == len(a.order) {
			return
		}
		word := a.word(a.order[i])
		n := a.words.counts[word]
		if text := a.words.at(word); n > 1 && a.begins(a.order[i]) && len(text) <= maxPieceChars*utf8.UTFMax {
			if chars := utf8.RuneCount(text); chars > 1 && chars <= maxPieceChars && chars > int(max(common, a.common[i+1])) {
				do(substring{n, a.order[i], uint8(chars)})
			}
		}
		last, sum = sum, sum+n
	}
}

// word returns the number of the word that has the position at.
func (a *suffixArray) word(at uint32) int {
	i := int(a.near[at/nearBytes])
	for a.words.ends[i]+uint32(i) < at {
		i++
	}
	return i
}

// begins reports whether a word begins at at.
func (a *suffixArray) begins(at uint32) bool { return at == 0 || a.text[at-1] == wordEnd }

func (a *suffixArray) string(s substring) string {
	text, end := a.text[s.at:], 0
	for range s.chars {
		_, n := utf8.DecodeRune(text[end:])
		end += n
	}
	return string(text[:end])
}
