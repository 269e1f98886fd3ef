package eval

import (
	"context"

	"github.com/seed-4c77ef92/textwarp/internal/generate"
	"github.com/seed-4c77ef92/textwarp/internal/judge"
)

// examples is how many texts of a source a report shows.
const examples = 3

// text is one that was written or cut out, as it reads and as its model sees it.
type text struct {
	text string
	ids  []int32
}

// collect has n texts of length tokens written, and counts the network calls that
// one of them takes.
func collect(ctx context.Context, w generate.Writer, length, n int, how *Sampling) ([]text, error) {
	var texts []text
	err := w.Write(ctx, generate.Blank(length), 0, n, func(t generate.Text) error {
		texts, how.Calls = append(texts, text{t.Text, t.IDs}), t.Calls
		return nil
	})
	return texts, err
}

// panel is the judges of texts.
type panel struct {
	counting *judge.Judge // nil without a training text
	second   *predicting  // nil if none was named
}

// score lets every judge have its say. The texts are in the tokens of a tokenizer
// with a hash.
func (p panel) score(ctx context.Context, s Source, texts []text, tokenizer string) (Source, error) {
	samples, tokens := make([]string, len(texts)), make([][]int32, len(texts))
	for i, t := range texts {
		samples[i], tokens[i] = t.text, t.ids
	}
	s.Samples, s.Examples = len(texts), samples[:min(examples, len(texts))]
	if p.counting != nil {
		score, err := p.counting.Score(samples)
		if err != nil {
			return s, err
		}
		s.Score = &score
	}
	if p.second != nil {
		// Ends of documents, which are no text, are kept where they can be.
		if tok := p.second.model.Tokenizer; tok.Hash() != tokenizer {
			for i, sample := range samples {
				tokens[i] = tok.Encode(nil, sample)
			}
		}
		pair, err := judge.Ask(ctx, p.second, samples, tokens)
		if err != nil {
			return s, err
		}
		s.Second = &pair
	}
	return s, nil
}
