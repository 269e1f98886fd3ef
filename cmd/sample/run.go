package main

import (
	"context"
	"io"
	"os"

	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/internal/generate"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// run writes n samples, and the trace if one is wanted.
func run(ctx context.Context, out io.Writer, model *trainer.Trained, o options) error {
	if o.n < 1 {
		return cli.Usagef("--n %d: ask for at least one sample", o.n)
	}
	if o.watch && !watchable(os.Stderr) {
		return cli.Usagef("--watch draws on standard error, which is no terminal here: use --trace for a file")
	}
	if o.budgeted {
		var err error
		if o.sampler, err = o.sampler.WithCalls(o.nfe); err != nil {
			return cli.Exit(cli.ExitUsage, err)
		}
	}
	c, err := canvas(model, o)
	if err != nil {
		return cli.Exit(cli.ExitUsage, err)
	}
	writer, err := generate.NewDiffusion(model, o.sampler)
	if err != nil {
		return cli.Exit(cli.ExitUsage, err)
	}
	if o.trace == "" {
		return generateTexts(ctx, out, nil, model, writer, c, o)
	}
	return safeio.FS{}.WriteFile(o.trace, func(w io.Writer) error {
		return generateTexts(ctx, out, &trace{w: w, tok: model.Tokenizer}, model, writer, c, o)
	})
}

func generateTexts(ctx context.Context, out io.Writer, tr *trace, model *trainer.Trained, writer *generate.Diffusion, c generate.Canvas, o options) error {
	d := newDisplay(model.Tokenizer, o)
	defer d.clear()
	writer.Observe = func(m generate.Moment) {
		d.see(m)
		tr.see(m)
	}
	return writer.Write(ctx, c, 0, o.n, func(t generate.Text) error {
		if f, ok := out.(*os.File); ok && cli.IsTerminal(f) {
			d.clear()
		}
		if err := write(out, model.Tokenizer, t, o, t.Number); err != nil {
			return err
		}
		return tr.failed()
	})
}

// canvas lays out the prompt, the text with holes, or nothing at all.
func canvas(model *trainer.Trained, o options) (generate.Canvas, error) {
	if o.infill != "" {
		return generate.Infill(model.Tokenizer, o.infill)
	}
	length := o.length
	if length == 0 {
		length = model.Config.Data.Length
	}
	return generate.Prompt(model.Tokenizer, o.prompt, length)
}
