package diffusion

import (
	"fmt"
	"math"
)

// Phrase is a run of tokens, and the tokens that may not stand right before or
// after it. Beside the ends of a text nothing stands.
type Phrase struct {
	Tokens              []int32
	NotBefore, NotAfter []int32
}

// Wish asks that one of its phrases occurs in a text, or that none does. A token
// or a span at a position is a phrase with one place.
type Wish struct {
	Phrases []Phrase
	At      []int // positions where a phrase may begin; nil for all
	Not     bool  // none is to occur
}

// Control makes a sampler write texts that fulfil wishes, without training for
// them. First it steers: Bayes' rule for the score,
//
//	∇ln p(x | wish) = ∇ln p(x) + ∇ln p(wish | x),
//
// adds t²·∇ln p(wish | x) to x̂0, with p(wish | x) from the network's own
// distributions and its gradient through the network (Gulrajani and Hashimoto
// 2023, "Likelihood-based diffusion language models", arXiv 2305.18619). A phrase
// at a place has the product of its tokens' probabilities, and a wish
// 1 - Π (1 - p) over all places, as if places were independent: what steers
// fades as a wish comes true.
//
// Steering alone leaves some wishes unmet. So, from a level of the clock on, it
// settles: a phrase gets a place, drawn by the probabilities there, and becomes
// given, which suits a network that was trained with given tokens anywhere; and
// where a phrase that must not occur is about to, its most doubtful token is
// forbidden there.
//
// With a guidance γ the gradient is that of the conditional branch and is added
// after γ has acted; temperature acts on the sum.
type Control struct {
	Wishes   []Wish
	Strength float64 // λ, the factor of the gradient; 1 is Bayes' rule
	Settle   float64 // u of the clock at which wishes become facts; 0 for never
}

// Validate tells what is wrong with the options.
func (c Control) Validate() error {
	if !(c.Strength >= 0) || math.IsInf(c.Strength, 0) {
		return fmt.Errorf("control: strength %v is negative or not finite", c.Strength)
	}
	if !(c.Settle >= 0 && c.Settle <= 1) {
		return fmt.Errorf("control: settling at u = %v, want 0 to 1", c.Settle)
	}
	for i, w := range c.Wishes {
		if len(w.Phrases) == 0 {
			return fmt.Errorf("control: wish %d has no phrase", i+1)
		}
		for _, p := range w.Phrases {
			if len(p.Tokens) == 0 {
				return fmt.Errorf("control: wish %d has an empty phrase", i+1)
			}
		}
	}
	return nil
}

// Steerer is a [Denoiser] that can be asked how probable tokens are and be
// differentiated.
type Steerer interface {
	Denoiser
	// Steer writes x̂0 as Denoise does, and ln p(class) of every position to logP
	// [B·L, K], for K classes of tokens. Then it calls weigh, which fills weight
	// [B·L, K], and writes ∇_x Σ weight·ln p(class) of every noisy position to
	// gradient [B, L, D]. A class with no weight at a position costs nothing there.
	Steer(s *State, x0, gradient []float32, classes [][]int32, logP, weight []float32, weigh func())
	// Embedding is the row of a token, [D].
	Embedding(token int32) []float32
}

// condition is one factor of a phrase's probability: that the token of a
// position is one of a class, or is none of it.
type condition struct {
	offset int // from the phrase's first token
	class  int
	not    bool
}

// pattern is a phrase as conditions on classes.
type pattern struct {
	phrase     Phrase
	conditions []condition // those of the tokens first
}

// compile numbers the classes of all wishes.
func (c Control) compile() (classes [][]int32, patterns [][]pattern) {
	single := map[int32]int{}
	sets := map[*int32]int{}
	one := func(token int32) int {
		k, ok := single[token]
		if !ok {
			k = len(classes)
			single[token] = k
			classes = append(classes, []int32{token})
		}
		return k
	}
	set := func(tokens []int32) int {
		k, ok := sets[&tokens[0]] // phrases share their sets
		if !ok {
			k = len(classes)
			sets[&tokens[0]] = k
			classes = append(classes, tokens)
		}
		return k
	}
	for _, w := range c.Wishes {
		var of []pattern
		for _, p := range w.Phrases {
			q := pattern{phrase: p}
			for i, token := range p.Tokens {
				q.conditions = append(q.conditions, condition{offset: i, class: one(token)})
			}
			if len(p.NotBefore) > 0 {
				q.conditions = append(q.conditions, condition{offset: -1, class: set(p.NotBefore), not: true})
			}
			if len(p.NotAfter) > 0 {
				q.conditions = append(q.conditions, condition{offset: len(p.Tokens), class: set(p.NotAfter), not: true})
			}
			of = append(of, q)
		}
		patterns = append(patterns, of)
	}
	return classes, patterns
}

// places calls f with every pattern of a wish and every position where it can
// begin in a text of l tokens.
func (w Wish) places(patterns []pattern, l int, f func(p *pattern, at int)) {
	for i := range patterns {
		p := &patterns[i]
		last := l - len(p.phrase.Tokens)
		if w.At == nil {
			for at := 0; at <= last; at++ {
				f(p, at)
			}
			continue
		}
		for _, at := range w.At {
			if at >= 0 && at <= last {
				f(p, at)
			}
		}
	}
}
