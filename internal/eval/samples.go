package eval

import (
	"context"

	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/internal/generate"
	"github.com/seed-4c77ef92/textwarp/internal/judge"
)

// examples is how many texts of a source a report shows.
const examples = 3

// panel is the judges of texts.
type panel struct {
	counting *judge.Judge // nil without a training text
	second   judge.Scorer // nil if none was named
}

// score lets every judge have its say.
func (p panel) score(ctx context.Context, s Source, texts []string) (Source, error) {
	s.Samples, s.Examples = len(texts), texts[:min(examples, len(texts))]
	if p.counting != nil {
		score, err := p.counting.Score(texts)
		if err != nil {
			return s, err
		}
		s.Score = &score
	}
	if p.second != nil {
		pair, err := judge.Ask(ctx, p.second, texts)
		if err != nil {
			return s, err
		}
		s.Second = &pair
	}
	return s, nil
}

// write makes n texts of length tokens and says how.
func write(ctx context.Context, w generate.Writer, s Sampling, length, n int) ([]string, *Sampling, error) {
	var texts []string
	err := w.Write(ctx, generate.Blank(length), 0, n, func(t generate.Text) error {
		texts, s.Calls = append(texts, t.Text), t.Calls
		return nil
	})
	return texts, &s, err
}

// newSampling describes a diffusion sampler.
func newSampling(s diffusion.Sampler) Sampling {
	return Sampling{
		Sampler: s.Method, Steps: s.Steps, Temperature: s.Temperature, Exact: s.Exact,
		Guidance: s.Guidance, InitialNoise: s.InitialNoise, Seed: s.Seed,
	}
}
