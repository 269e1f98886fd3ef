package judge

import (
	"context"
	"fmt"
)

// Scorer is a second judge, such as an autoregressive network, with tokens of
// its own.
type Scorer interface {
	Name() string
	// Encode gives the tokens that the judge sees of a text.
	Encode(text string) []int32
	// NLL gives the negative log-likelihood in nats of each of some texts.
	NLL(ctx context.Context, texts [][]int32) ([]float64, error)
}

// Pair is a likelihood and the entropy that it must be read with: a low NLL at
// a low entropy is repetition (Dieleman et al. 2022, arXiv 2211.15089, section
// 6). Both are in nats.
type Pair struct {
	Judge   string   `json:"judge"`
	Tokens  int      `json:"tokens"`
	NLL     Estimate `json:"nll"`           // a token
	PerChar Estimate `json:"nll_character"` // a character: comparable between judges of other tokens
	Entropy Estimate `json:"entropy"`       // of the tokens of all samples together
}

// Ask lets a second judge score samples.
func Ask(ctx context.Context, s Scorer, samples []string) (Pair, error) {
	p := Pair{Judge: s.Name()}
	texts := make([][]int32, len(samples))
	for i, text := range samples {
		texts[i] = s.Encode(text)
		p.Tokens += len(texts[i])
	}
	if p.Tokens == 0 {
		return p, fmt.Errorf("score samples: %d samples have no token", len(samples))
	}
	nats, err := s.NLL(ctx, texts)
	if err != nil {
		return p, err
	}
	tokens, chars := make([]Part, len(samples)), make([]Part, len(samples))
	for i := range samples {
		tokens[i] = Part{nats[i], float64(len(texts[i]))}
		chars[i] = Part{nats[i], float64(characters(samples[i : i+1]))}
	}
	p.NLL, p.PerChar, p.Entropy = Ratio(tokens), Ratio(chars), entropy(texts)
	return p, nil
}
