package generate

import (
	"context"
	"fmt"
)

// Ranker says how good the candidates of a text are.
type Ranker interface {
	// Rank returns a score for each of the texts; higher is better. All texts fill
	// in the same canvas, or layouts of the same text with holes.
	Rank(ctx context.Context, texts []Text) ([]float64, error)
	// Calls is how often ranking has the network run for a text.
	Calls() int
}

// Search writes several candidates of each text and keeps the best: Candidates
// of them in each of the layouts.
type Search struct {
	Writer     Writer
	Layouts    []Canvas
	Candidates int
	Rank       Ranker // not needed for one candidate
}

// Choice is the best of a text's candidates.
type Choice struct {
	Text      // its Calls are those for all candidates
	Index     int
	Candidate int // number of the best, layout after layout
	Of        int // candidates
	Score     float64
}

// Of is the number of candidates of a text.
func (s Search) Of() int { return s.Candidates * len(s.Layouts) }

// Write gives n texts, in order, to each; an error of each ends it.
func (s Search) Write(ctx context.Context, n int, each func(Choice) error) error {
	if s.Of() == 1 {
		return s.Writer.Write(ctx, s.Layouts[0], 0, n, func(t Text) error {
			return each(Choice{Text: t, Index: t.Number, Of: 1})
		})
	}
	longest := 0
	for _, c := range s.Layouts {
		longest = max(longest, len(c.IDs))
	}
	// As many texts at once as fill a batch.
	group := max(1, batchTokens/(longest*s.Candidates))
	for first := 0; first < n; first += group {
		if err := s.group(ctx, first, min(group, n-first), each); err != nil {
			return err
		}
	}
	return nil
}

// group writes n texts.
func (s Search) group(ctx context.Context, first, n int, each func(Choice) error) error {
	candidates := make([][]Text, n)
	for _, c := range s.Layouts {
		texts, err := Collect(ctx, s.Writer, c, first*s.Candidates, n*s.Candidates)
		if err != nil {
			return err
		}
		for i := range candidates {
			candidates[i] = append(candidates[i], texts[i*s.Candidates:(i+1)*s.Candidates]...)
		}
	}
	for i, texts := range candidates {
		scores, err := s.Rank.Rank(ctx, texts)
		if err != nil {
			return fmt.Errorf("rank candidates: %w", err)
		}
		best, calls := 0, 0
		for k, score := range scores {
			calls += texts[k].Calls + s.Rank.Calls()
			if score > scores[best] {
				best = k
			}
		}
		c := Choice{Text: texts[best], Index: first + i, Candidate: best, Of: len(texts), Score: scores[best]}
		c.Calls = calls
		if err := each(c); err != nil {
			return err
		}
	}
	return nil
}
