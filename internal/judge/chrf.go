package judge

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// chrF is measured on n-grams of up to 6 characters, and recall counts twice as
// much as precision: what Popović 2015 recommends, and sacreBLEU has by default.
const (
	chrOrder = 6
	chrBeta  = 2
)

// CharGrams are the character n-grams of a text, white space left out, with the
// number of times that each occurs.
type CharGrams struct {
	counts [chrOrder]map[string]int
	total  [chrOrder]int
}

// NewCharGrams counts the n-grams of a text.
func NewCharGrams(text string) *CharGrams {
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
	starts := make([]int, 0, len(text)+1)
	for i := range text {
		starts = append(starts, i)
	}
	n := utf8.RuneCountInString(text)
	starts = append(starts, len(text))
	g := &CharGrams{}
	for k := range chrOrder {
		g.counts[k] = map[string]int{}
		for i := 0; i+k < n; i++ {
			g.counts[k][text[starts[i]:starts[i+k+1]]]++
			g.total[k]++
		}
	}
	return g
}

// ChrF is the character n-gram F-score of a text against a reference, 0 to 1
// (Popović, "chrF: character n-gram F-score for automatic MT evaluation", 2015):
// precision and recall are means over the orders that both texts have.
func (g *CharGrams) ChrF(reference *CharGrams) float64 {
	var precision, recall, orders float64
	for k := range chrOrder {
		if g.total[k] == 0 || reference.total[k] == 0 {
			continue
		}
		match := 0
		for gram, n := range g.counts[k] {
			match += min(n, reference.counts[k][gram])
		}
		precision += float64(match) / float64(g.total[k])
		recall += float64(match) / float64(reference.total[k])
		orders++
	}
	if precision+recall == 0 {
		return 0
	}
	precision, recall = precision/orders, recall/orders
	const weight = chrBeta * chrBeta
	return (1 + weight) * precision * recall / (weight*precision + recall)
}
