package judge

import (
	"context"
	"fmt"
)

// Scorer is a second judge, such as an autoregressive network, which sees text as
// tokens.
type Scorer interface {
	Name() string
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

// Ask lets a second judge score samples, given as it sees them too.
func Ask(ctx context.Context, s Scorer, samples []string, texts [][]int32) (Pair, error) {
	p := Pair{Judge: s.Name()}
	for _, ids := range texts {
		p.Tokens += len(ids)
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
