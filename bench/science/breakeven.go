package main

import (
	"context"
	"time"

	"github.com/seed-4c77ef92/textwarp/autoregressive"
	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// breakEvenRounds is how often each kind is timed, in turn; the shortest time
// stands.
const breakEvenRounds = 3

// breakEven times how long one text of a length takes, for the shape of network
// that the trial's settings say: an autoregressive one over its cache, a token
// after the other, and a call of a diffusion network for all positions at once.
// The calls that take as long as the text are where the two break even. Weights
// do not matter to time, so they are as drawn.
func breakEven(ctx context.Context, l *lab, t Trial, pool *kernels.Pool) (values, error) {
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
	length, vocab := c.Data.Length, data.Tokenizer.VocabSize()

	both, err := trainer.NewModel(c.Denoiser(vocab), nil, false, pool)
	if err != nil {
		return nil, err
	}
	both.Init(1)
	process := both.Process(c, nil, 1, length)
	st := diffusion.NewState(1, length, c.Model.EmbedDim)
	st.T[0] = 1
	x0 := make([]float32, len(st.X))

	c.Process.Objective = trainer.AR
	left, err := trainer.NewModel(c.Denoiser(vocab), nil, false, pool)
	if err != nil {
		return nil, err
	}
	left.Init(1)
	writer := left.Writer(c, 1, length)

	text, call := time.Duration(1<<62), time.Duration(1<<62)
	for range breakEvenRounds {
		begun := time.Now()
		sampler := autoregressive.Sampler{Temperature: 1, TopP: 1}
		if err := sampler.Run(ctx, writer, []autoregressive.Sequence{{Most: length}}, nil); err != nil {
			return nil, err
		}
		text = min(text, time.Since(begun))

		const calls = 5
		begun = time.Now()
		for range calls {
			process.Denoise(st, x0)
		}
		call = min(call, time.Since(begun)/calls)
	}
	calls := text.Seconds() / call.Seconds()
	return values{
		"text_ms": 1e3 * text.Seconds(), "call_ms": 1e3 * call.Seconds(), "calls": calls, "share": calls / float64(length),
	}, nil
}
