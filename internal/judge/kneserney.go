package judge

import (
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// MaxOrder is the longest n-gram of this package.
const MaxOrder = 5

// gram is an n-gram, right-aligned: the last character stands at the end and
// unused places before it are blank.
type gram [MaxOrder]rune

const blank = -1

// makeGram takes the last n characters of text.
func makeGram(text []rune, n int) gram {
	g := gram{blank, blank, blank, blank, blank}
	copy(g[MaxOrder-n:], text[len(text)-n:])
	return g
}

// Model is an interpolated Kneser-Ney character model of a fixed order. It is
// safe for concurrent use.
type Model struct {
	order    int
	alphabet []rune
	levels   []level // levels[n-1] belongs to n-grams of length n
}

// level holds the counts of one n-gram length: raw ones for the longest,
// below it the number of different characters seen before the n-gram.
type level struct {
	discount float64
	count    map[gram]float64
	total    map[gram]float64 // by context: sum of counts
	kinds    map[gram]float64 // by context: number of different followers
}

// Train counts the n-grams of text up to the given order, 1 to [MaxOrder].
func Train(text string, order int) (*Model, error) {
	if order < 1 || order > MaxOrder {
		return nil, fmt.Errorf("train n-gram model: order %d is not within 1 to %d", order, MaxOrder)
	}
	chars := []rune(text)
	if len(chars) < order {
		return nil, fmt.Errorf("train n-gram model: text has %d characters, order %d needs at least that many", len(chars), order)
	}
	m := &Model{order: order, levels: make([]level, order)}
	counts := map[gram]float64{}
	for i := order; i <= len(chars); i++ {
		counts[makeGram(chars[:i], order)]++
	}
	for n := order; n >= 1; n-- {
		m.levels[n-1] = newLevel(counts, n)
		counts = continuations(counts, n)
	}
	m.alphabet = slices.Clone(chars)
	slices.Sort(m.alphabet)
	m.alphabet = slices.Compact(m.alphabet)
	return m, nil
}

// continuations counts for each (n-1)-gram how many different characters were
// seen before it.
func continuations(counts map[gram]float64, n int) map[gram]float64 {
	shorter := map[gram]float64{}
	for g := range counts {
		g[MaxOrder-n] = blank
		shorter[g]++
	}
	return shorter
}

func newLevel(counts map[gram]float64, n int) level {
	l := level{count: counts, total: map[gram]float64{}, kinds: map[gram]float64{}}
	var ones, twos float64
	for g, c := range counts {
		context := g
		context[MaxOrder-1] = blank
		l.total[context] += c // whole numbers: any order of summation is exact
		l.kinds[context]++
		switch c {
		case 1:
			ones++
		case 2:
			twos++
		}
	}
	// D = n1/(n1 + 2 n2) (Chen and Goodman, equation 17), kept inside (0, 1)
	// for texts too small or too regular to have such counts.
	l.discount = .5
	if ones > 0 && twos > 0 {
		l.discount = ones / (ones + 2*twos)
	}
	return l
}

// Alphabet lists the characters of the training text in code point order.
func (m *Model) Alphabet() []rune { return slices.Clone(m.alphabet) }

// Prob is the probability that next follows context. All characters outside
// the alphabet share one probability, that of "unknown".
//
//	p_n(w|h) = max(c(hw) - D, 0)/c(h) + D·N(h)/c(h) · p_{n-1}(w|h'),  p_0 = 1/(V+1)
//
// with N(h) the number of different followers of h, and h' = h without its
// first character. A context that was never seen passes the question on.
func (m *Model) Prob(context []rune, next rune) float64 {
	p := 1 / float64(len(m.alphabet)+1)
	window := append(slices.Clone(context[max(0, len(context)-m.order+1):]), next)
	for n := 1; n <= min(m.order, len(window)); n++ {
		l := &m.levels[n-1]
		g := makeGram(window, n)
		h := g
		h[MaxOrder-1] = blank
		total := l.total[h]
		if total == 0 {
			break
		}
		p = max(l.count[g]-l.discount, 0)/total + l.discount*l.kinds[h]/total*p
	}
	return p
}

// Surprise is the negative log-likelihood of text in nats, summed over its
// characters from number skip on, and how many those are. What stands before
// a character in text is its context.
func (m *Model) Surprise(text string, skip int) (nats float64, characters int) {
	chars := []rune(text)
	for i := max(skip, 0); i < len(chars); i++ {
		nats -= math.Log(m.Prob(chars[max(0, i-m.order+1):i], chars[i]))
		characters++
	}
	return nats, characters
}

// CrossEntropy is the mean surprise of text in nats a character, NaN if it is
// empty.
func (m *Model) CrossEntropy(text string) float64 {
	nats, n := m.Surprise(text, 0)
	return nats / float64(n)
}

// characters counts the characters of samples.
func characters(samples []string) int {
	n := 0
	for _, s := range samples {
		n += utf8.RuneCountInString(s)
	}
	return n
}
