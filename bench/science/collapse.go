package main

import (
	"context"
	"math"

	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/embeddings"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/timewarp"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// demoPrefix marks settings that the trainer does not have: demo.loss, of
// [diffusion.CDCDOptions], and demo.free, of [embeddings.Table].
const demoPrefix = "demo."

// collapse trains with the losses and the free norms that CDCD's paper warns of,
// and measures what becomes of the embeddings: their norm, as a share of √D, and
// the distance of two of them, as a share of √(2D), what random directions have.
func collapse(ctx context.Context, l *lab, t Trial, pool *kernels.Pool) (values, error) {
	s, err := l.settings(t)
	if err != nil {
		return nil, err
	}
	c := s.Config
	data, err := trainer.OpenData(c, nil)
	if err != nil {
		return nil, err
	}
	defer data.Train.Close()
	m, err := trainer.NewModel(c.Model.Denoiser(data.Tokenizer.VocabSize()), nil, true, pool)
	if err != nil {
		return nil, err
	}
	m.Table.Free, _ = t.Train[demoPrefix+"free"].(bool)
	loss, _ := t.Train[demoPrefix+"loss"].(string)
	m.Init(c.Run.Seed)
	m.Table.Stretch(c.Model.EmbedStd / embeddings.InitStd)
	warp, err := timewarp.New(c.Process.Warp, c.Process.TMin, c.Process.TMax, c.Optim.Batch)
	if err != nil {
		return nil, err
	}
	o := diffusion.CDCDOptions{
		Length: c.Data.Length, Batch: c.Optim.Batch, MicroBatch: c.Optim.MicroBatch, Mask: c.Process.Mask, Loss: loss,
		SelfConditioning: c.Process.SelfConditioning, Seed: c.Run.Seed, Pool: pool,
	}
	process := diffusion.NewCDCD(m.Table, m.Net.NewPass(o.MicroBatch, o.Length, true), warp, o)
	first, second := make([]float32, len(m.Params)), make([]float32, len(m.Params))
	ids := make([]int32, o.Batch*o.Length)
	v := values{}
	v["norm0"], v["distance0"] = spread(m.Table)
	for step := 1; step <= c.Run.Steps; step++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for i := range o.Batch {
			if err := data.Train.Next(ids[i*o.Length : (i+1)*o.Length]); err != nil {
				return nil, err
			}
		}
		clear(m.Grads)
		v["ce"] = process.Gradient(uint64(step), ids).CE
		norm := math.Sqrt(pool.SumSquares(m.Grads))
		pool.AdamW(m.Params, m.Grads, first, second, nil, kernels.AdamOptions{
			LR: float32(c.Optim.LR * min(1, float64(step)/float64(c.Optim.Warmup))), Beta1: float32(c.Optim.Beta1),
			Beta2: float32(c.Optim.Beta2), Eps: 1e-8, ClipScale: float32(min(1, c.Optim.Clip/norm)), Step: step,
		})
		m.Table.Refresh()
		process.Learn()
		if step == 50 {
			_, v["distance50"] = spread(m.Table)
		}
	}
	v["norm"], v["distance"] = spread(m.Table)
	return v, nil
}

// spread is the root mean square norm of the embeddings as they are used, as a
// share of √D, and that of the distance of two of them, as a share of √(2D).
func spread(t *embeddings.Table) (norm, distance float64) {
	var squares float64
	mean := make([]float64, t.D)
	for i, e := range t.E {
		squares += float64(e) * float64(e)
		mean[i%t.D] += float64(e) / float64(t.V)
	}
	// Σ_{i≠j} ‖e_i - e_j‖² = 2V Σ‖e_i‖² - 2‖Σ e_i‖²
	v, d := float64(t.V), float64(t.D)
	pairs := 2 * v * squares
	for _, x := range mean {
		pairs -= 2 * v * v * x * x
	}
	return math.Sqrt(squares / v / d), math.Sqrt(max(0, pairs) / (v * (v - 1)) / (2 * d))
}
