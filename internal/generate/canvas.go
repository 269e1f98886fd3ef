package generate

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/seed-4c77ef92/textwarp/tokenize"
)

const (
	maxLength  = 1 << 16 // positions of a canvas
	maxLayouts = 32      // of a text with holes of variable length
)

// Canvas is what is known of a text before it is written: the tokens that are
// given, and noisy positions between them.
type Canvas struct {
	IDs    []int32 // [L], 0 at noisy positions
	Noisy  []bool  // [L]
	Holes  []int   // lengths of the holes of a text that is filled in
	Layout int     // its number among the layouts of that text
}

// Blank is a canvas of which nothing is known.
func Blank(length int) Canvas {
	var c Canvas
	c.leave(length)
	return c
}

// Prompt lays out a text that is to be continued, over length tokens in all.
func Prompt(tok *tokenize.Tokenizer, text string, length int) (Canvas, error) {
	return Between(tok, text, "", length)
}

// Between lays out the start and the end of a text, over length tokens in all.
// An end that begins with a word has a space before it.
func Between(tok *tokenize.Tokenizer, start, end string, length int) (Canvas, error) {
	if length < 1 || length > maxLength {
		return Canvas{}, fmt.Errorf("lay out text: %d tokens, want 1 to %d", length, maxLength)
	}
	var c Canvas
	if beginsInWord(end) {
		end = " " + end
	}
	c.give(tok, start)
	given := len(c.IDs) + len(tok.Encode(nil, end))
	if given >= length {
		return c, fmt.Errorf("lay out text: what is given has %d tokens, which leaves none of %d to write: shorten it or write more", given, length)
	}
	c.leave(length - given)
	c.give(tok, end)
	return c, c.known(tok)
}

// holePattern matches [MASK:n] and [MASK:n-m].
var holePattern = regexp.MustCompile(`\[MASK:(\d+)(?:-(\d+))?\]`)

// Infill lays out a text with holes: [MASK:n] for n tokens, [MASK:n-m] for n to m
// of them. There is a layout for every combination of lengths; where these are
// more than 32, the hole with the most lengths gets fewer, evenly spaced from n
// to m, until they are not.
func Infill(tok *tokenize.Tokenizer, text string) ([]Canvas, error) {
	at := holePattern.FindAllStringSubmatchIndex(text, -1)
	if at == nil {
		return nil, fmt.Errorf("lay out text: %q has no hole: write [MASK:n] or [MASK:n-m] for n, or n to m, tokens to be filled in", text)
	}
	var holes []span
	for _, m := range at {
		h := span{number(text, m[2], m[3]), number(text, m[2], m[3])}
		if m[4] >= 0 {
			h.to = number(text, m[4], m[5])
		}
		if h.from < 1 || h.to < h.from || h.to > maxLength {
			return nil, fmt.Errorf("lay out text: hole %s: want [MASK:n] or [MASK:n-m] with 1 <= n <= m <= %d", text[m[0]:m[1]], maxLength)
		}
		holes = append(holes, h)
	}
	var layouts []Canvas
	for _, lengths := range combinations(holes) {
		c := Canvas{Holes: lengths, Layout: len(layouts)}
		end := 0
		for i, m := range at {
			c.give(tok, text[end:m[0]])
			c.leave(lengths[i])
			end = m[1]
		}
		c.give(tok, text[end:])
		if err := c.known(tok); err != nil {
			return nil, err
		}
		if len(c.IDs) > maxLength {
			return nil, fmt.Errorf("lay out text: %d tokens, want at most %d", len(c.IDs), maxLength)
		}
		layouts = append(layouts, c)
	}
	return layouts, nil
}

// number reads digits; what is too large for a canvas stays so.
func number(text string, from, to int) int {
	n, err := strconv.Atoi(text[from:to])
	if err != nil {
		return maxLength + 1
	}
	return n
}

// span is the range of lengths of a hole.
type span struct{ from, to int }

// take returns n of the lengths, evenly spaced.
func (s span) take(n int) []int {
	if n == 1 {
		return []int{(s.from + s.to) / 2}
	}
	out := make([]int, n)
	for k := range out {
		out[k] = s.from + (k*(s.to-s.from)+(n-1)/2)/(n-1)
	}
	return out
}

// combinations are those of the holes' lengths, at most maxLayouts of them.
func combinations(holes []span) [][]int {
	counts := make([]int, len(holes))
	for i, h := range holes {
		counts[i] = min(h.to-h.from+1, maxLayouts)
	}
	for product(counts) > maxLayouts {
		most := 0
		for i, n := range counts {
			if n > counts[most] {
				most = i
			}
		}
		counts[most]--
	}
	out := [][]int{nil}
	for i, h := range holes {
		var longer [][]int
		for _, head := range out {
			for _, n := range h.take(counts[i]) {
				longer = append(longer, append(head[:i:i], n))
			}
		}
		out = longer
	}
	return out
}

// product is that of the counts, or something beyond maxLayouts.
func product(counts []int) int {
	p := 1
	for _, n := range counts {
		p = min(p*n, maxLayouts*maxLayouts)
	}
	return p
}

func (c *Canvas) give(tok *tokenize.Tokenizer, text string) {
	c.IDs = tok.Encode(c.IDs, text)
	c.Noisy = append(c.Noisy, make([]bool, len(c.IDs)-len(c.Noisy))...)
}

func (c *Canvas) leave(n int) {
	for range n {
		c.IDs, c.Noisy = append(c.IDs, 0), append(c.Noisy, true)
	}
}

// known refuses given text that the vocabulary has no token for: the model has
// never seen it.
func (c *Canvas) known(tok *tokenize.Tokenizer) error {
	for i, id := range c.IDs {
		if !c.Noisy[i] && id == tok.UNK() {
			return fmt.Errorf("lay out text: the given text has a character at token %d that this model's vocabulary lacks", i+1)
		}
	}
	return nil
}
