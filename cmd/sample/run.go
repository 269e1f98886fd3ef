package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/internal/generate"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// job is all that it takes to write the texts that are asked for.
type job struct {
	options
	model  *trainer.Trained
	writer *generate.Diffusion
	search generate.Search
	unmet  map[generate.Constraint]int // texts that do not do what was asked
}

// run writes n samples, and the trace if one is wanted.
func run(ctx context.Context, out io.Writer, model *trainer.Trained, o options) error {
	j, err := newJob(model, o)
	if err != nil {
		return cli.Exit(cli.ExitUsage, err)
	}
	if o.trace == "" {
		return j.write(ctx, out, nil)
	}
	return safeio.FS{}.WriteFile(o.trace, func(w io.Writer) error {
		return j.write(ctx, out, &trace{w: w, tok: model.Tokenizer, candidates: o.candidates})
	})
}

// newJob finds what is wrong with the options.
func newJob(model *trainer.Trained, o options) (*job, error) {
	switch {
	case o.n < 1:
		return nil, fmt.Errorf("--n %d: ask for at least one sample", o.n)
	case o.candidates < 1:
		return nil, fmt.Errorf("--candidates %d: at least one is needed", o.candidates)
	case o.watch && !watchable(os.Stderr):
		return nil, fmt.Errorf("--watch draws on standard error, which is no terminal here: use --trace for a file")
	}
	layouts, err := layouts(model, o)
	if err != nil {
		return nil, err
	}
	j := &job{options: o, model: model, unmet: map[generate.Constraint]int{}}
	if o.sampler.Control, err = o.wanted.Control(model.Tokenizer, o.strength, generate.ControlSettle); err != nil {
		return nil, err
	}
	if j.writer, err = generate.NewDiffusion(model, o.sampler); err != nil {
		return nil, err
	}
	j.search = generate.Search{Writer: j.writer, Layouts: layouts, Candidates: o.candidates}
	if j.search.Rank, err = o.ranker(model, j.writer.Confidence()); err != nil {
		return nil, err
	}
	if o.budgeted {
		return j, j.spend(o.nfe)
	}
	return j, nil
}

// ranker is the one that --rank names.
func (o options) ranker(model *trainer.Trained, confidence generate.Ranker) (generate.Ranker, error) {
	if (o.rank == "judge") != (o.judge != "") {
		return nil, fmt.Errorf("--rank judge and --judge RUN go together")
	}
	switch o.rank {
	case "confidence":
		return confidence, nil
	case "mbr":
		return generate.Consensus{Tokenizer: model.Tokenizer}, nil
	case "judge":
		judge, err := trainer.Load(o.judge, o.pool)
		if err != nil {
			return nil, fmt.Errorf("--judge: %w", err)
		}
		return generate.NewJudge(judge)
	}
	return nil, fmt.Errorf("--rank %s: choose confidence, mbr or judge", o.rank)
}

// spend makes a text with all its candidates cost at most so many network calls.
func (j *job) spend(calls int) (err error) {
	of, ranking := j.search.Of(), 0
	if of > 1 {
		ranking = j.search.Rank.Calls()
	}
	s, err := j.writer.Sampler.WithCalls(calls/of - ranking)
	if err != nil {
		s.Steps = 1
		return fmt.Errorf("--nfe %d: one step, reading the tokens off and ranking take %d network calls with --candidates %d",
			calls, of*(s.Calls()+ranking), j.candidates)
	}
	j.writer.Sampler = s
	return nil
}

// write does the job.
func (j *job) write(ctx context.Context, out io.Writer, tr *trace) error {
	d := newDisplay(j)
	defer d.clear()
	j.writer.Observe = func(m generate.Moment) {
		d.see(m)
		tr.see(m)
	}
	err := j.search.Write(ctx, j.n, func(c generate.Choice) error {
		if f, ok := out.(*os.File); ok && cli.IsTerminal(f) {
			d.clear()
		}
		if err := j.put(out, c); err != nil {
			return err
		}
		return tr.failed()
	})
	if err != nil {
		return err
	}
	for _, c := range j.wanted.List() {
		if n := j.unmet[c]; n > 0 {
			cli.Tell("warning: %d of %d samples not as asked: %s %q", n, j.n, c.Kind, c.Text)
		}
	}
	return nil
}

// layouts of the prompt, of the text with holes, or of nothing at all.
func layouts(model *trainer.Trained, o options) ([]generate.Canvas, error) {
	if o.infill != "" {
		return generate.Infill(model.Tokenizer, o.infill)
	}
	length := o.length
	if length == 0 {
		length = model.Config.Data.Length
	}
	c, err := generate.Between(model.Tokenizer, o.prompt+o.wanted.Starts, o.wanted.Ends, length)
	return []generate.Canvas{c}, err
}
