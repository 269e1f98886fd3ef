package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/pflag"

	"github.com/seed-4c77ef92/textwarp/autoregressive"
	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/internal/generate"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// predicted is one text of a run of the objective "ar" as JSON.
type predicted struct {
	Text        string  `json:"text"`
	Seed        uint64  `json:"seed"`
	Index       int     `json:"index"`
	Temperature float64 `json:"temperature"`
	TopP        float64 `json:"top_p"`
	Calls       int     `json:"calls"`           // of the network, for this text and its candidates
	Holes       []int   `json:"holes,omitempty"` // tokens that were written into it
	Choice      *choice `json:"choice,omitempty"`
	Tokens      []token `json:"tokens"`
}

// meant are the flags that mean something to a run of the objective "ar".
var meant = []string{"prompt", "infill", "length", "n", "seed", "temperature", "top-p", "candidates", "rank", "judge", "json", "threads"}

// misplaced finds a flag that means nothing to a run of this objective.
func misplaced(objective string, flags *pflag.FlagSet) (err error) {
	flags.Visit(func(f *pflag.Flag) {
		switch {
		case objective != trainer.AR && f.Name == "top-p":
			err = cli.Usagef("--top-p is for runs that predict the next token; this one is of diffusion")
		case objective == trainer.AR && !slices.Contains(meant, f.Name):
			err = cli.Usagef("--%s is for runs of diffusion; this one predicts the next token (process.objective %s)", f.Name, trainer.AR)
		}
	})
	return err
}

// predict writes n samples of a run of the objective "ar".
func predict(ctx context.Context, out io.Writer, model *trainer.Trained, o options) error {
	switch {
	case o.n < 1:
		return cli.Usagef("--n %d: ask for at least one sample", o.n)
	case o.candidates < 1:
		return cli.Usagef("--candidates %d: at least one is needed", o.candidates)
	}
	layouts, err := layouts(model, o)
	if err != nil {
		return cli.Exit(cli.ExitUsage, err)
	}
	if len(layouts) > 1 {
		return cli.Usagef("--infill: a run that predicts the next token decides how long a hole is: write [MASK:n] for n tokens at most")
	}
	s := autoregressive.Sampler{Temperature: o.sampler.Temperature, TopP: o.topP, Seed: o.sampler.Seed}
	w, err := generate.NewAutoregressive(model, s)
	if err != nil {
		return cli.Exit(cli.ExitUsage, err)
	}
	if err := w.Check(layouts[0]); err != nil {
		return cli.Exit(cli.ExitUsage, err)
	}
	search := generate.Search{Writer: w, Layouts: layouts, Candidates: o.candidates}
	if search.Rank, err = o.ranker(model, w.Confidence()); err != nil {
		return cli.Exit(cli.ExitUsage, err)
	}
	return search.Write(ctx, o.n, func(t generate.Choice) error {
		if !o.json {
			return show(out, t.Index, t.Text.Text)
		}
		if err := json.NewEncoder(out).Encode(predicted{
			Text: t.Text.Text, Seed: s.Seed, Index: t.Index, Temperature: s.Temperature, TopP: s.TopP, Calls: t.Calls,
			Holes: t.Canvas.Holes, Choice: o.choice(t), Tokens: tokens(model.Tokenizer, t.Canvas, t.IDs, t.Prob),
		}); err != nil {
			return fmt.Errorf("write sample: %w", err)
		}
		return nil
	})
}
