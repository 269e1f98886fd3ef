package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed-4c77ef92/textwarp/autoregressive"
	"github.com/seed-4c77ef92/textwarp/internal/judge"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// ask has texts scored by the network that judges, which is trained first if it
// is not there: nats a character.
func (l *lab) ask(ctx context.Context, texts []string, pool *kernels.Pool) (float64, error) {
	t := Trial{Variant: "judge", Seed: 1, Train: over(l.judge, nil)}
	t.Train["run.seed"] = t.Seed
	if l.smoke {
		t.Train["run.steps"] = 12
	}
	dir, err := l.train(ctx, t, pool)
	if err != nil {
		return 0, err
	}
	m, err := trainer.Load(dir, pool)
	if err != nil {
		return 0, err
	}
	if m.Config.Process.Objective != trainer.AR {
		return 0, errors.New("the judge of base.toml is no autoregressive run")
	}
	var sum float64
	characters := 0
	readers := map[int]*autoregressive.Objective{}
	for _, text := range texts {
		ids := m.Tokenizer.Encode(nil, text)
		n := min(len(ids), m.Config.Data.Length)
		if n <= judge.Skipped {
			return 0, fmt.Errorf("the judge reads texts of more than %d characters, not %q", judge.Skipped, text)
		}
		if readers[n] == nil {
			readers[n] = m.Model.Autoregressive(m.Config, 1, n)
		}
		nll := make([]float32, n)
		readers[n].NLL(nll, ids[:n])
		for _, v := range nll[judge.Skipped:] {
			sum += float64(v)
		}
		characters += n - judge.Skipped
	}
	return sum / float64(characters), nil
}
