package main

import (
	"context"
	"errors"

	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/embeddings"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// measure takes figures of a run, or, if ofText, of what a trial writes by it.
type measure struct {
	take   func(context.Context, *subject, Trial) (values, error)
	ofText bool

	// alone is for what needs no training run by the trainer.
	alone func(context.Context, *lab, Trial, *kernels.Pool) (values, error)
}

// measures by the names that experiments call them.
var measures = map[string]measure{
	"held-out":   {take: heldOut},
	"tasks":      {take: tasks},
	"embeddings": {take: directions},
	"samples":    {take: samples, ofText: true},
	"network":    {take: network, ofText: true},
	"size":       {take: size},
	"infilling":  {take: infilling, ofText: true},
	"collapse":   {alone: collapse},
	"break-even": {alone: breakEven},
}

// Sizes of what is measured: enough that the spread between seeds is the
// larger part of an interval.
const (
	studyWindows = 128
	boundDraws   = 8
)

// errDiffusion is for measures of what an autoregressive run does not have.
var errDiffusion = errors.New("this is measured of diffusion runs alone")

// heldOut takes the cross-entropy at three noise levels under the run's masks,
// and the likelihood bound with all positions noisy, both in nats a character
// and both of the same windows for all runs. The levels of the bound come from a
// warp that fits the network, so that no schedule is favoured. Of an
// autoregressive run it takes the likelihood, which is exact.
func heldOut(ctx context.Context, s *subject, _ Trial) (values, error) {
	windows := min(s.lab.windows(studyWindows), s.data.HeldOut.Windows())
	if s.reader != nil {
		e, err := trainer.HeldOutLikelihood(s.reader, s.data.HeldOut, nil, windows)
		if err != nil {
			return nil, err
		}
		return values{"bound": e.Likelihood.Nats, "bound_se": e.Likelihood.StdErr}, nil
	}
	e, err := trainer.HeldOut(s.process, s.data.HeldOut, nil, "mixed", []float64{1, 2, 4}, windows, 1)
	if err != nil {
		return nil, err
	}
	w, err := s.learned()
	if err != nil {
		return nil, err
	}
	l := s.model.Config.Data.Length
	ids := make([]int32, windows*l)
	for i := range windows {
		if err := s.data.HeldOut.Window(ids[i*l:(i+1)*l], 0, i); err != nil {
			return nil, err
		}
	}
	b, err := diffusion.EvaluateBound(ctx, s.process, w, ids, diffusion.BoundOptions{
		Length: l, Dim: s.model.Config.Model.EmbedDim, Batch: studyBatch, Draws: boundDraws, Seed: 1,
	})
	if err != nil {
		return nil, err
	}
	return values{
		"ce1": e.CE[0], "ce2": e.CE[1], "ce4": e.CE[2], "bound": b.Nats, "bound_se": b.StdErr,
		"reconstruction": b.Reconstruction, "warp_median": s.model.Warp.Quantile(.5),
	}, nil
}

// tasks takes the cross-entropy at one noise level under each kind of mask.
func tasks(_ context.Context, s *subject, _ Trial) (values, error) {
	if s.process == nil {
		return nil, errDiffusion
	}
	v := values{}
	for _, mask := range []string{"prefix", "random", "span", "none"} {
		e, err := trainer.HeldOut(s.process, s.data.HeldOut, nil, mask, []float64{2}, s.lab.windows(studyWindows), 1)
		if err != nil {
			return nil, err
		}
		v[mask] = e.CE[0]
	}
	return v, nil
}

// directions takes how alike the embeddings are, and how much each is like what
// it began as: cosines, over pairs and over tokens.
func directions(_ context.Context, s *subject, _ Trial) (values, error) {
	table, seed := s.model.Model.Table, s.model.Config.Run.Seed
	stats, err := table.Stats(seed)
	if err != nil {
		return nil, err
	}
	first, err := embeddings.New(table.V, table.D, make([]float32, table.V*table.D), nil)
	if err != nil {
		return nil, err
	}
	first.Init(seed)
	var kept float64
	for i, e := range table.E {
		kept += float64(e) * float64(first.E[i]) / float64(len(table.E))
	}
	return values{"cosine": stats.MeanCosine, "nearest": stats.MaxCosine, "kept": kept}, nil
}

// samples scores what is written.
func samples(ctx context.Context, s *subject, t Trial) (values, error) {
	texts, err := s.write(ctx, t)
	if err != nil {
		return nil, err
	}
	score, err := s.lab.corpus.judge.Score(texts)
	if err != nil {
		return nil, err
	}
	return values{
		"judge": score.NLL.Value, "entropy": score.Entropy.Value, "words": score.Known.Value, "long_words": score.KnownLong.Value,
		"repeated": score.Repeated.Value,
	}, nil
}

// size takes what the training cost: parameters, tokens, and the operations of
// all matrix products.
func size(_ context.Context, s *subject, _ Trial) (values, error) {
	c := s.model.Config
	d := c.Denoiser(s.model.Tokenizer.VocabSize())
	tokens := float64(c.Run.Steps * c.Optim.Batch * c.Data.Length)
	return values{
		"parameters": float64(len(s.model.Model.Params)), "tokens": tokens,
		"teraflops": tokens * trainer.StepFLOPs(c, d) / 1e12,
	}, nil
}

// network scores what is written by an autoregressive network that learned from
// the same text: nats a character, of the characters that the counting judge
// scores.
func network(ctx context.Context, s *subject, t Trial) (values, error) {
	texts, err := s.write(ctx, t)
	if err != nil {
		return nil, err
	}
	nats, err := s.lab.ask(ctx, texts, s.pool)
	return values{"judge": nats}, err
}
