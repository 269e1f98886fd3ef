package trainer

import (
	"github.com/seed-4c77ef92/textwarp/autoregressive"
	"github.com/seed-4c77ef92/textwarp/denoiser"
	"github.com/seed-4c77ef92/textwarp/pipeline"
	"github.com/seed-4c77ef92/textwarp/timewarp"
)

// The objectives that a run may have, by the names of process.objective.
const (
	CDCD = "cdcd" // continuous diffusion; runs of the first versions name none
	AR   = "ar"   // the next token, from left to right
)

// objective is a Process over a model of the trainer's.
type objective interface {
	Process
	// memory is what it takes beside model and pass, its study included, in bytes.
	memory() int
	// study is the objective of the averaged weights, in the same memory.
	study(average *Model, pass *denoiser.Pass) study
}

// study shows how far training has come.
type study interface {
	// evaluate measures held-out text, also by class.
	evaluate(s *pipeline.Stream, classes *Classes) (*Evaluation, error)
	// preview writes a window of text. The random numbers are the same each time,
	// so that one sees one text sharpen while the model learns; a stopped run must
	// have written what a run that goes on has, so it is not interrupted.
	preview() (ids []int32, how SampleLine, err error)
}

// objective joins the model with a warp, nil where there is none, and a pass.
func (m *Model) objective(c Config, warp timewarp.Warp, pass *denoiser.Pass) objective {
	micro, length := c.Optim.MicroBatch, c.Data.Length
	if c.Process.Objective == AR {
		return &predicting{m.autoregressive(c, pass, micro, length), c}
	}
	return &diffusing{m.process(c, warp, pass, micro, length), c}
}

// warp is the time warp of a new run, nil where the objective knows no noise.
func (c Config) warp() (timewarp.Warp, error) {
	if c.Process.Objective == AR {
		return nil, nil
	}
	return timewarp.New(c.Process.Warp, c.Process.TMin, c.Process.TMax, c.Optim.Batch)
}

// Denoiser is the network of a run whose tokenizer has vocab tokens.
func (c Config) Denoiser(vocab int) denoiser.Config {
	d := c.Model.Denoiser(vocab)
	if c.Process.Objective == AR {
		d.Causal = true
		if c.Process.FIM > 0 {
			d.Vocab += autoregressive.NumSentinels
		}
	}
	return d
}

// StepFLOPs is the work of a training step for one token: forward and backward,
// and a forward pass more for the sequences that see a first guess.
func StepFLOPs(c Config, d denoiser.Config) float64 {
	passes := 3.
	if c.Process.Objective != AR {
		passes += c.Process.SelfConditioning
	}
	return d.FLOPs(c.Data.Length) * passes
}
