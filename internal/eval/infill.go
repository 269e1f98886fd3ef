package eval

import (
	"context"

	"github.com/seed-4c77ef92/textwarp/internal/judge"
	"github.com/seed-4c77ef92/textwarp/internal/rng"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// The holes of the infilling test: spans of geometric length, until a share of
// the tokens is gone (SpanBERT, Joshi et al. 2020, arXiv 1907.10529, section
// 3.1, whose spans count words).
const (
	holeShare  = .15
	holeStop   = .2 // chance that a span ends after a token: 3.8 tokens on average
	holeLength = 10 // and this at most
)

// span is tokens from begin to before end.
type span struct{ begin, end int }

// holes cuts spans out of a window of length tokens, never two side by side.
func holes(length int, s *rng.Stream) []span {
	gone := make([]bool, length)
	budget := max(1, int(holeShare*float64(length)))
	for tries := 0; budget > 0 && tries < 100; tries++ {
		n := 1
		for n < holeLength && s.Float64() >= holeStop {
			n++
		}
		n = min(n, budget)
		begin := s.IntN(length - n + 1)
		free := true
		for i := max(0, begin-1); i < min(length, begin+n+1); i++ {
			free = free && !gone[i]
		}
		if !free {
			continue
		}
		for i := begin; i < begin+n; i++ {
			gone[i] = true
		}
		budget -= n
	}
	var out []span
	for i := 0; i < length; i++ {
		if gone[i] {
			begin := i
			for i < length && gone[i] {
				i++
			}
			out = append(out, span{begin, i})
		}
	}
	return out
}

// filler puts tokens into the holes of a window.
type filler func(ctx context.Context, ids []int32, holes []span, window int) (filled []int32, err error)

// infill tries n windows. A span is right if its text is; a character, if the
// same stands at its place in the span. Errors are over windows.
func infill(ctx context.Context, h *heldOut, n int, seed uint64, fill filler) (Infilling, error) {
	r := Infilling{Share: holeShare, Windows: min(n, h.Windows)}
	spans, characters := make([]judge.Part, r.Windows), make([]judge.Part, r.Windows)
	for i := range r.Windows {
		s := rng.New(seed, "infill holes", 0, uint64(i))
		ids := h.window(i)
		cut := holes(len(ids), &s)
		got, err := fill(ctx, ids, cut, i)
		if err != nil {
			return r, err
		}
		for _, c := range cut {
			want, filled := trainer.Text(h.tok, ids[c.begin:c.end]), trainer.Text(h.tok, got[c.begin:c.end])
			spans[i].Base++
			if want == filled {
				spans[i].Sum++
			}
			right, all := matches([]rune(want), []rune(filled))
			characters[i].Sum += right
			characters[i].Base += all
			r.Spans++
			r.Characters += int(all)
		}
	}
	r.Span, r.Character = judge.Ratio(spans), judge.Ratio(characters)
	return r, nil
}

// matches counts the characters of a text that stand at the same place in
// another.
func matches(want, got []rune) (right, all float64) {
	for i, r := range want {
		if i < len(got) && got[i] == r {
			right++
		}
	}
	return right, float64(len(want))
}
