package diffusion

import (
	"math"
	"slices"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

// settle turns wishes into facts, by the probabilities of the last predict: each
// phrase that is to occur gets a place and becomes given, and one that must not
// loses a token where it is more than unlikely. first is the number of the
// state's first sequence among all.
func (s *steering) settle(seed, first uint64) {
	const unlikely = .1
	for b := range s.st.B {
		for i, w := range s.Wishes {
			done := &s.settled[b*len(s.Wishes)+i]
			if w.Not || *done {
				continue
			}
			if s.look(b, i); len(s.placed) == 0 {
				continue
			}
			stream := rng.New(seed, "settle", first+uint64(b), uint64(i))
			s.give(b, s.drawPlace(&stream))
			*done = true
		}
		for i, w := range s.Wishes {
			if !w.Not {
				continue
			}
			s.look(b, i)
			for _, p := range s.placed {
				if p.logP > math.Log(unlikely) {
					s.forbid(b, p, func(r, k int) float32 { return s.logP[r*len(s.classes)+k] })
				}
			}
		}
	}
}

// drawPlace draws one of the places by their probabilities.
func (s *steering) drawPlace(stream *rng.Stream) placed {
	top, sum := math.Inf(-1), 0.
	for _, p := range s.placed {
		top = max(top, p.logP)
	}
	for _, p := range s.placed {
		sum += math.Exp(p.logP - top)
	}
	left := stream.Float64() * sum
	for _, p := range s.placed {
		if left -= math.Exp(p.logP - top); left < 0 {
			return p
		}
	}
	return s.placed[len(s.placed)-1]
}

// give makes a phrase given at its place, and forbids beside it what may not
// stand there.
func (s *steering) give(b int, p placed) {
	st := s.st
	for i, token := range p.pattern.phrase.Tokens {
		r := b*st.L + p.at + i
		if st.M[r] == 0 {
			continue
		}
		st.M[r], s.ids[r], st.Ban[r] = 0, token, nil
		lo, hi := r*st.D, (r+1)*st.D
		clear(st.X[lo:hi])
		clear(st.P[lo:hi])
		copy(st.C[lo:hi], s.d.Embedding(token))
		s.knowAt(r)
	}
	s.ban(b, p.at-1, p.pattern.phrase.NotBefore)
	s.ban(b, p.at+len(p.pattern.phrase.Tokens), p.pattern.phrase.NotAfter)
}

// ban forbids tokens at a position that is not given.
func (s *steering) ban(b, at int, tokens []int32) {
	if at < 0 || at >= s.st.L || s.st.M[b*s.st.L+at] == 0 {
		return
	}
	r := b*s.st.L + at
	s.st.Ban[r] = append(slices.Clip(s.st.Ban[r]), tokens...)
}

// forbid takes from a phrase the token of which confidence is lowest and that is
// not given, and tells whether there is one.
func (s *steering) forbid(b int, p placed, confidence func(r, class int) float32) bool {
	best, worst := -1, float32(math.Inf(1))
	for i := range p.pattern.phrase.Tokens {
		r := b*s.st.L + p.at + i
		if s.st.M[r] == 0 {
			continue
		}
		if c := confidence(r, p.pattern.conditions[i].class); c < worst {
			best, worst = i, c
		}
	}
	if best < 0 {
		return false
	}
	token := p.pattern.phrase.Tokens[best]
	s.ban(b, p.at+best, []int32{token})
	// Places that overlap are not to lose a token more.
	r := b*s.st.L + p.at + best
	s.logP[r*len(s.classes)+p.pattern.conditions[best].class] = never
	return true
}

// mend forbids a token of every phrase that must not occur and does, in the
// tokens read off, and tells whether there was one.
func (s *steering) mend(best []int32, prob []float32) (found bool) {
	for b := range s.st.B {
		for i, w := range s.Wishes {
			if !w.Not {
				continue
			}
			w.places(s.patterns[i], s.st.L, func(p *pattern, at int) {
				if !s.occurs(b, p, at, best) {
					return
				}
				confidence := func(r, _ int) float32 { return prob[r] }
				found = s.forbid(b, placed{pattern: p, at: at}, confidence) || found
			})
		}
	}
	return found
}

// occurs tells whether the tokens read off have a phrase at a place.
func (s *steering) occurs(b int, p *pattern, at int, best []int32) bool {
	for _, c := range p.conditions {
		i := at + c.offset
		if i < 0 || i >= s.st.L {
			continue
		}
		r := b*s.st.L + i
		token := best[r]
		if s.st.M[r] == 0 {
			token = s.ids[r]
		}
		if slices.Contains(s.classes[c.class], token) == c.not {
			return false
		}
	}
	return true
}
