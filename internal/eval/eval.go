package eval

import (
	"context"

	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/internal/generate"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// Options say what to judge and by what.
type Options struct {
	HeldOut string            // shards of held-out text; "" for the run's own
	Text    string            // file with the training text; "" for the shards that the run learned from
	Windows int               // held-out windows at most
	Samples int               // texts of each source, and windows with holes
	Sampler diffusion.Sampler // how the run writes; its seed is that of the report
}

// Evaluate judges a run. stage, which may be nil, is told what is being done.
func Evaluate(ctx context.Context, run string, m *trainer.Trained, o Options, stage func(string)) (*Report, error) {
	if stage == nil {
		stage = func(string) {}
	}
	w, err := generate.NewDiffusion(m, o.Sampler)
	if err != nil {
		return nil, err
	}
	r := &Report{
		Schema: 1, View: "eval", Run: run, Step: m.Step, Objective: "cdcd", Parameters: len(m.Model.Params), Seed: o.Sampler.Seed,
	}
	stage("held-out text")
	h, err := openHeldOut(ctx, m, o)
	if err != nil {
		return nil, err
	}
	defer h.stream.Close()
	r.HeldOut = h.Text

	stage("training text")
	var p panel
	if p.counting, r.Judges.Training, err = newJudge(ctx, m, o.Text); err != nil {
		return nil, err
	}
	if err := r.diffusionFigures(ctx, m, h, stage); err != nil {
		return nil, err
	}

	stage("samples")
	real, err := p.score(ctx, Source{Name: "real text"}, h.texts[:min(o.Samples, h.Windows)])
	if err != nil {
		return nil, err
	}
	texts, how, err := write(ctx, w, newSampling(o.Sampler), h.Length, o.Samples)
	if err != nil {
		return nil, err
	}
	own, err := p.score(ctx, Source{Name: "this run", Sampling: how}, texts)
	if err != nil {
		return nil, err
	}
	r.Sources = []Source{real, own}

	stage("infilling")
	in, err := infill(ctx, m.Tokenizer, h, o.Samples, r.Seed, fillAtOnce(w))
	if err != nil {
		return nil, err
	}
	in.Source, in.Sampling = "this run", how
	r.Infilling = []Infilling{in}
	return r, nil
}
