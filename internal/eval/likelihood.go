package eval

import (
	"context"
	"math"

	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/internal/judge"
	"github.com/seed-4c77ef92/textwarp/tokenize"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// Sizes of what is measured on a window.
const (
	boundDraws  = 8    // noise levels of the bound
	batchTokens = 2048 // positions in the network at a time
)

// diffusionFigures fills in what held-out text tells of a diffusion run.
func (r *Report) diffusionFigures(ctx context.Context, m *trainer.Trained, h *heldOut, stage func(string)) error {
	batch := max(1, min(h.Windows, batchTokens/h.Length))
	p := m.Model.Process(m.Config, m.Warp, batch, h.Length)

	stage("cross-entropy by noise level")
	masks := []string{m.Config.Process.Mask, "none"}
	if masks[0] == masks[1] {
		masks = masks[:1]
	}
	levels := halfOctaves(m.Config.Process.TMin, m.Config.Process.TMax)
	for _, mask := range masks {
		e, err := trainer.HeldOut(p, h.stream, mask, levels, h.Windows, r.Seed)
		if err != nil {
			return err
		}
		r.CrossEntropy = append(r.CrossEntropy, e)
		if err := ctx.Err(); err != nil {
			return err
		}
	}

	stage("likelihood bound")
	b, err := diffusion.EvaluateBound(ctx, p, m.Warp, h.ids, diffusion.BoundOptions{
		Length: h.Length, Dim: m.Config.Model.EmbedDim, Batch: batch, Draws: boundDraws, Seed: r.Seed,
	})
	if err != nil {
		return err
	}
	r.Likelihood = newLikelihood(m.Tokenizer, h, b.Each)
	r.Likelihood.Kind, r.Likelihood.Bound, r.Likelihood.Draws = "bound", &b, boundDraws

	stage("slope and squared error")
	s, err := diffusion.EvaluateSlopes(ctx, p, levels[1:len(levels)-1], h.ids, h.Length, batch)
	if err != nil {
		return err
	}
	ce := r.CrossEntropy[len(r.CrossEntropy)-1].CE // nothing given, as in the bound
	const errors = 3
	r.Consistency = &Consistency{Slopes: s, Below: s.Below(errors), Context: ce[len(ce)-1] - ce[0] - b.Diffusion}
	return nil
}

// newLikelihood takes the nats a token of every window to other units.
func newLikelihood(tok *tokenize.Tokenizer, h *heldOut, each []float64) Likelihood {
	tokens, characters, bytes := make([]judge.Part, len(each)), make([]judge.Part, len(each)), make([]judge.Part, len(each))
	for i, nats := range each {
		sum := nats * float64(h.Length)
		b, c := size(tok, h.window(i))
		tokens[i] = judge.Part{Sum: sum, Base: float64(h.Length)}
		characters[i] = judge.Part{Sum: sum, Base: c}
		bytes[i] = judge.Part{Sum: sum / math.Ln2, Base: b}
	}
	return Likelihood{Token: judge.Ratio(tokens), Character: judge.Ratio(characters), Byte: judge.Ratio(bytes)}
}

// halfOctaves are the powers of √2 between two noise levels, and both.
func halfOctaves(low, high float64) []float64 {
	levels := []float64{low}
	for k := math.Ceil(2*math.Log2(low) + .1); ; k++ {
		level := math.Exp2(k / 2)
		if level > high*.96 { // no two levels all but the same
			return append(levels, high)
		}
		levels = append(levels, level)
	}
}
