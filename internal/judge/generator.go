package judge

import (
	"fmt"
	"slices"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

// Generator writes text in which every n-gram occurs in its training text, as
// often as there.
type Generator struct {
	order     int
	chars     []rune
	followers map[gram][]rune // with repetition: a uniform pick has the right odds
}

// NewGenerator makes a generator of the given order, 1 to [MaxOrder].
func NewGenerator(text string, order int) (*Generator, error) {
	chars := []rune(text)
	if order < 1 || order > MaxOrder || len(chars) <= order {
		return nil, fmt.Errorf("make n-gram generator: order %d for a text of %d characters", order, len(chars))
	}
	g := &Generator{order: order, chars: chars, followers: map[gram][]rune{}}
	for i := order - 1; i < len(chars); i++ {
		h := makeGram(chars[:i], order-1)
		g.followers[h] = append(g.followers[h], chars[i])
	}
	return g, nil
}

// Sample writes length characters. It begins, and where the training text
// ends begins again, with a random piece of order-1 characters of that text.
func (g *Generator) Sample(s *rng.Stream, length int) string {
	n := g.order - 1
	out := make([]rune, 0, length+n)
	for len(out) < length {
		if len(out) >= n {
			if next := g.followers[makeGram(out, n)]; len(next) > 0 {
				out = append(out, next[s.IntN(len(next))])
				continue
			}
		}
		at := s.IntN(len(g.chars) - n)
		out = slices.Concat(out, g.chars[at:at+n])
	}
	return string(out[:length])
}
