package eval

import (
	"context"
	"math"
	"slices"

	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/internal/generate"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// Sizes of what is measured on a window.
const (
	boundDraws  = 8    // noise levels of the bound
	batchTokens = 2048 // positions in the network at a time
)

// diffusing is a run of the objective "cdcd".
type diffusing struct {
	model  *trainer.Trained
	writer *generate.Diffusion
}

func newDiffusing(m *trainer.Trained, s diffusion.Sampler) (*diffusing, error) {
	w, err := generate.NewDiffusion(m, s)
	return &diffusing{m, w}, err
}

// figures implements [subject].
func (d *diffusing) figures(ctx context.Context, r *Report, h *heldOut, stage func(string)) error {
	m := d.model
	batch := max(1, min(h.Windows, batchTokens/h.Length))
	p := m.Model.Process(m.Config, m.Warp, batch, h.Length)

	stage("cross-entropy by noise level")
	masks := []string{m.Config.Process.Mask, "none"}
	if masks[0] == masks[1] {
		masks = masks[:1]
	}
	levels := halfOctaves(m.Config.Process.TMin, m.Config.Process.TMax)
	for _, mask := range masks {
		e, err := trainer.HeldOut(p, h.stream, nil, mask, levels, h.Windows, r.Seed)
		if err != nil {
			return err
		}
		r.CrossEntropy = append(r.CrossEntropy, e)
		if err := ctx.Err(); err != nil {
			return err
		}
	}

	stage("slope and squared error")
	slopes, err := diffusion.EvaluateSlopes(ctx, p, levels[1:len(levels)-1], h.ids, h.Length, batch)
	if err != nil {
		return err
	}

	stage("likelihood bound")
	var clock diffusion.Density = m.Warp
	lowest, raised := slopes.Lowest(levels[0])
	if raised {
		clock = diffusion.Above(m.Warp, lowest)
	}
	b, err := diffusion.EvaluateBound(ctx, p, clock, h.ids, diffusion.BoundOptions{
		Length: h.Length, Dim: m.Config.Model.EmbedDim, Batch: batch, Draws: boundDraws, Seed: r.Seed,
	})
	if err != nil {
		return err
	}
	r.Likelihood = newLikelihood(h, b.Each)
	r.Likelihood.Kind, r.Likelihood.Bound, r.Likelihood.Draws = "bound", &b, boundDraws

	ce := r.CrossEntropy[len(r.CrossEntropy)-1].CE // nothing given, as in the bound
	const errors = 3
	r.Consistency = &Consistency{
		Slopes: slopes, Below: slopes.Below(errors), Context: ce[len(ce)-1] - ce[slices.Index(levels, lowest)] - b.Diffusion,
	}
	return nil
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

// write implements [subject].
func (d *diffusing) write(ctx context.Context, length, n int) ([]text, Sampling, error) {
	s := d.writer.Sampler
	how := Sampling{
		Sampler: s.Method, Steps: s.Steps, Temperature: s.Temperature, Exact: s.Exact,
		Guidance: s.Guidance, InitialNoise: s.InitialNoise, Seed: s.Seed,
	}
	texts, err := collect(ctx, d.writer, length, n, &how)
	return texts, how, err
}

// fill implements [subject]: all holes of a window at once.
func (d *diffusing) fill(ctx context.Context, ids []int32, holes []span, window int) (filled []int32, err error) {
	c := generate.Canvas{IDs: slices.Clone(ids), Noisy: make([]bool, len(ids))}
	for _, h := range holes {
		for i := h.begin; i < h.end; i++ {
			c.IDs[i], c.Noisy[i] = 0, true
		}
	}
	err = d.writer.Write(ctx, c, window, 1, func(t generate.Text) error {
		filled = t.IDs
		return nil
	})
	return filled, err
}

func (d *diffusing) fills() bool { return true }
