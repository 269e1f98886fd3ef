package judge

import (
	"index/suffixarray"
	"math"
	"strings"
	"unicode/utf8"
)

// The shortest stretches that count as repeated within a sample and as copied
// from the training text, in characters. Real text says a name again and shares
// phrases with other text: of 128 characters of held-out Shakespeare, 0.9 % are
// repeated at this length, and 0.4 % stand in the rest of his text.
const (
	RepeatLength = 16
	CopyLength   = 24
)

// MaxDistinct is the longest word n-gram of [Distinct].
const MaxDistinct = 4

// Distinct is the number of different n-grams of whole words, over the number
// of n-grams, in all samples together (Li et al. 2016, arXiv 1510.03055). It
// falls as samples grow in size or number: compare it between sets of equal
// size. No n-gram crosses from one sample to the next. The error is the
// jackknife's: each sample is left out in turn.
func Distinct(samples []string, n int) Estimate {
	const many = -1
	owner := map[string]int{} // the sample that alone has the n-gram
	grams := make([]float64, len(samples))
	for i, text := range samples {
		words := wholeWords(text)
		for end := n; end <= len(words); end++ {
			g := strings.Join(words[end-n:end], " ")
			if first, seen := owner[g]; !seen {
				owner[g] = i
			} else if first != i {
				owner[g] = many
			}
			grams[i]++
		}
	}
	alone := make([]float64, len(samples))
	var total float64
	for _, i := range owner {
		if i != many {
			alone[i]++
		}
	}
	for _, g := range grams {
		total += g
	}
	if total == 0 {
		return Estimate{}
	}
	e := Estimate{Value: float64(len(owner)) / total}
	var sum, squares, k float64
	for i, g := range grams {
		if rest := total - g; rest > 0 {
			without := (float64(len(owner)) - alone[i]) / rest
			sum, squares, k = sum+without, squares+without*without, k+1
		}
	}
	if k > 1 {
		e.StdErr = math.Sqrt(max(0, squares-sum*sum/k) * (k - 1) / k)
	}
	return e
}

// Repeated is the share of characters that lie within a stretch of at least k
// characters that stands more than once in the same sample; the places may
// overlap. A loop has 1. Such a stretch is a run of stretches of exactly k
// that stand more than once, so only those are looked up: O(kn).
func Repeated(samples []string, k int) Estimate {
	parts := make([]Part, len(samples))
	for i, text := range samples {
		pieces := map[string]int{}
		for piece := range stretches(text, k) {
			pieces[piece]++
		}
		parts[i] = covered(text, k, func(piece string) bool { return pieces[piece] > 1 })
	}
	return Ratio(parts)
}

// Copied is the share of characters that lie within a stretch of at least k
// characters that stands in the indexed text as well: O(kn log m) for an index
// of m bytes. What is not UTF-8 is copied byte for byte.
func Copied(samples []string, k int, index *suffixarray.Index) Estimate {
	parts := make([]Part, len(samples))
	for i, text := range samples {
		parts[i] = covered(text, k, func(piece string) bool { return len(index.Lookup([]byte(piece), 1)) > 0 })
	}
	return Ratio(parts)
}

// stretches gives the stretches of exactly k characters of text, one from each
// character on.
func stretches(text string, k int) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		end := 0
		for range k {
			_, size := utf8.DecodeRuneInString(text[end:])
			if size == 0 {
				return
			}
			end += size
		}
		for begin := 0; yield(text[begin:end]) && end < len(text); {
			_, first := utf8.DecodeRuneInString(text[begin:])
			_, next := utf8.DecodeRuneInString(text[end:])
			begin, end = begin+first, end+next
		}
	}
}

// covered counts the characters of text within stretches of k that are found.
func covered(text string, k int, found func(piece string) bool) Part {
	var p Part
	at, until := 0, 0 // characters: where the stretch begins, and up to where all is counted
	for piece := range stretches(text, k) {
		if found(piece) {
			p.Sum += float64(at + k - max(at, until))
			until = at + k
		}
		at++
	}
	p.Base = float64(utf8.RuneCountInString(text))
	return p
}
