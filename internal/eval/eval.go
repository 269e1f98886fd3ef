package eval

import (
	"context"

	"github.com/seed-4c77ef92/textwarp/autoregressive"
	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// Options say what to judge and by what.
type Options struct {
	HeldOut string            // shards of held-out text; "" for the run's own
	Text    string            // file with the training text; "" for the shards that the run learned from
	Windows int               // held-out windows at most
	Samples int               // texts of each source, and windows with holes
	Sampler diffusion.Sampler // how a run of diffusion writes; its temperature is that of next-token prediction too
	Second  *Run              // of the objective "ar", the second judge; may be nil
}

// Run is a trained run by its name.
type Run struct {
	Name  string
	Model *trainer.Trained
}

// subject is a run as it is tried.
type subject interface {
	// figures fills in what held-out text tells of the run.
	figures(ctx context.Context, r *Report, h *heldOut, stage func(string)) error
	// write writes n texts of length tokens and says how.
	write(ctx context.Context, length, n int) ([]text, Sampling, error)
	// fills tells whether the run has learned to fill holes; fill does.
	fills() bool
	fill(ctx context.Context, ids []int32, holes []span, window int) (filled []int32, err error)
}

// Evaluate judges a run. stage, which may be nil, is told what is being done.
func Evaluate(ctx context.Context, run Run, o Options, stage func(string)) (*Report, error) {
	if stage == nil {
		stage = func(string) {}
	}
	m, seed := run.Model, o.Sampler.Seed
	r := &Report{
		Schema: 1, View: "eval", Run: run.Name, Step: m.Step, Objective: trainer.CDCD, Parameters: len(m.Model.Params), Seed: seed,
	}
	var own subject
	var err error
	if m.Config.Process.Objective == trainer.AR {
		r.Objective = trainer.AR
		own, err = newPredicting(run.Name, m, autoregressive.Sampler{Temperature: o.Sampler.Temperature, TopP: 1, Seed: seed})
	} else {
		own, err = newDiffusing(m, o.Sampler)
	}
	if err != nil {
		return nil, err
	}
	var p panel
	if o.Second != nil {
		if p.second, err = newSecond(o.Second.Name, o.Second.Model, seed); err != nil {
			return nil, err
		}
		r.Judges.Second = o.Second.Name
	}

	stage("held-out text")
	h, err := openHeldOut(ctx, m, o)
	if err != nil {
		return nil, err
	}
	defer h.stream.Close()
	r.HeldOut = h.Text
	stage("training text")
	if p.counting, r.Judges.Training, err = newJudge(ctx, m, o.Text); err != nil {
		return nil, err
	}
	if err := own.figures(ctx, r, h, stage); err != nil {
		return nil, err
	}

	stage("real text")
	tokenizer := m.Tokenizer.Hash()
	real, err := p.score(ctx, Source{Name: "real text"}, h.texts[:min(o.Samples, h.Windows)], tokenizer)
	if err != nil {
		return nil, err
	}
	r.Sources = []Source{real}
	if err := r.try(ctx, "this run", own, m, h, p, o.Samples, stage); err != nil {
		return nil, err
	}
	if p.second != nil {
		err = r.try(ctx, "AR", p.second, p.second.model, h, p, o.Samples, stage)
	}
	return r, err
}

// try has a run write and fill holes. A run of other tokens, or of shorter
// windows, writes texts of its own length, and fills none.
func (r *Report) try(ctx context.Context, name string, s subject, m *trainer.Trained, h *heldOut, p panel, n int, stage func(string)) error {
	stage("samples of " + name)
	length := h.Length
	same := m.Tokenizer.Hash() == h.tok.Hash() && m.Config.Data.Length >= length
	if !same {
		length = m.Config.Data.Length
	}
	texts, how, err := s.write(ctx, length, n)
	if err != nil {
		return err
	}
	source, err := p.score(ctx, Source{Name: name, Sampling: &how}, texts, m.Tokenizer.Hash())
	if err != nil {
		return err
	}
	r.Sources = append(r.Sources, source)
	if !same || !s.fills() {
		return nil
	}
	stage("infilling by " + name)
	in, err := infill(ctx, h, n, r.Seed, s.fill)
	if err != nil {
		return err
	}
	in.Source, in.Sampling = name, &how
	r.Infilling = append(r.Infilling, in)
	return nil
}
