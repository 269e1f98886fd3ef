package trainer

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/seed-4c77ef92/textwarp/embeddings"
	"github.com/seed-4c77ef92/textwarp/timewarp"
)

// MetricsLine is a line of metrics.jsonl: either the means since the line
// before, or a held-out evaluation.
type MetricsLine struct {
	Step     int         `json:"step"`
	Tokens   int         `json:"tokens"`
	Epoch    float64     `json:"epoch,omitempty"`
	Loss     float64     `json:"loss,omitempty"` // mean cross-entropy under the warp, nats a noisy token
	GradNorm float64     `json:"grad_norm,omitempty"`
	LR       float64     `json:"lr,omitempty"`
	Skipped  int         `json:"skipped,omitempty"`
	Eval     *Evaluation `json:"eval,omitempty"`
}

// WarpLine is a line of warp.jsonl.
type WarpLine struct {
	Step int               `json:"step"`
	Warp timewarp.Snapshot `json:"warp"`
}

// TimingLine is a line of timing.jsonl.
type TimingLine struct {
	Step            int     `json:"step"`
	Seconds         float64 `json:"seconds"` // since the program started training
	TokensPerSecond float64 `json:"tokens_per_second"`
	GFLOPS          float64 `json:"gflops"`
}

// EmbeddingsLine is a line of embeddings.jsonl: the state of the table of the
// averaged weights.
type EmbeddingsLine struct {
	Step  int              `json:"step"`
	Stats embeddings.Stats `json:"stats"`
}

// SampleLine is a line of samples.jsonl.
type SampleLine struct {
	Step        int     `json:"step"`
	Seed        uint64  `json:"seed"`
	Steps       int     `json:"steps"` // of the sampler
	Temperature float64 `json:"temperature"`
	Exact       bool    `json:"exact,omitempty"` // diffusion.Sampler.Exact; not in the first versions' lines
	Text        string  `json:"text"`
	Frames      []Frame `json:"frames,omitempty"` // on its way; the last is the text
}

// Frame is a text at one moment of the sampler: the tokens that the network
// thought most probable, and what probability it gave them.
type Frame struct {
	Step int       `json:"step"` // of the sampler
	T    float64   `json:"t,omitempty"`
	U    float64   `json:"u,omitempty"` // place on the clock, from 1 to 0
	IDs  []int32   `json:"ids"`
	P    []float64 `json:"p"` // to three digits
}

// newFrame copies what a sampler shows.
func newFrame(step int, t, u float64, ids []int32, prob []float32) Frame {
	f := Frame{Step: step, T: t, U: u, IDs: slices.Clone(ids), P: make([]float64, len(prob))}
	for i, p := range prob {
		f.P[i] = math.Round(float64(p)*1000) / 1000
	}
	return f
}

// record writes what is due after a step.
func (t *Trainer) record() error {
	step, r := t.state.Step, t.config.Run
	if step%r.LogEvery == 0 {
		if err := t.logStep(); err != nil {
			return err
		}
	}
	if t.warp != nil && (step == 1 || step%r.WarpEvery == 0) {
		if err := t.log(WarpFile, WarpLine{step, t.warp.Snapshot()}); err != nil {
			return err
		}
	}
	if (step == 1 || step%r.EvalEvery == 0) && step < r.Steps {
		if err := t.logEmbeddings(); err != nil {
			return err
		}
	}
	if step == r.Steps {
		return nil // finish writes the rest
	}
	if step%r.EvalEvery == 0 {
		if err := t.logEvaluation(); err != nil {
			return err
		}
	}
	if step%r.SampleEvery == 0 {
		if err := t.logSample(); err != nil {
			return err
		}
	}
	if step%r.SaveEvery == 0 {
		return t.save()
	}
	return nil
}

// finish writes the last records of a run and saves it.
func (t *Trainer) finish() error {
	if !t.state.Finished {
		if err := t.logEvaluation(); err != nil {
			return err
		}
		if err := t.logEmbeddings(); err != nil {
			return err
		}
		if err := t.logSample(); err != nil {
			return err
		}
		t.state.Finished = true
		return t.save()
	}
	return nil
}

func (t *Trainer) logStep() error {
	s := &t.state
	line := MetricsLine{
		Step: s.Step, Tokens: s.Tokens, Epoch: t.epoch(),
		LR: learningRate(t.config.Optim, s.Step, t.config.Run.Steps), Skipped: s.Skipped,
	}
	if s.Recent.Steps > 0 {
		line.Loss = s.Recent.Loss / float64(s.Recent.Steps)
		line.GradNorm = s.Recent.Norm / float64(s.Recent.Steps)
	}
	s.Recent = recent{}
	if err := t.log(MetricsFile, line); err != nil {
		return err
	}
	now := time.Now()
	speed := float64(s.Tokens-t.timing.tokens) / now.Sub(t.timing.last).Seconds()
	t.timing.mark(s.Tokens)
	return t.log(TimingFile, TimingLine{
		Step: s.Step, Seconds: now.Sub(t.timing.began).Seconds(), TokensPerSecond: speed, GFLOPS: speed * t.flops / 1e9,
	})
}

// epoch returns how often the text has been gone through.
func (t *Trainer) epoch() float64 {
	if t.data.Windows == 0 {
		return 0
	}
	c := t.data.Train.Cursor()
	return float64(c.Epoch) + float64(c.Index)/float64(t.data.Windows)
}

func (t *Trainer) logSample() error {
	line, err := t.preview()
	if err != nil {
		return err
	}
	return t.log(SamplesFile, line)
}

// logEmbeddings describes the table. The rows that were never updated, which may
// be most of a large vocabulary at first, are left to inspect.
func (t *Trainer) logEmbeddings() error {
	t.average.Table.Refresh()
	stats, err := t.average.Table.Stats(t.config.Run.Seed)
	if err != nil {
		return fmt.Errorf("step %d: %w", t.state.Step, err)
	}
	stats.NeverUpdated = nil
	return t.log(EmbeddingsFile, EmbeddingsLine{t.state.Step, stats})
}

func (t *Trainer) logEvaluation() error {
	if t.data.HeldOut == nil {
		return nil
	}
	e, err := t.evaluate()
	if err != nil {
		return err
	}
	return t.log(MetricsFile, MetricsLine{Step: t.state.Step, Tokens: t.state.Tokens, Eval: e})
}

// log appends a line to a log and tells of it.
func (t *Trainer) log(name string, line any) error {
	if err := t.logs.write(name, line); err != nil {
		return err
	}
	t.notify(Event{Kind: "line", Step: t.state.Step, Line: line})
	return nil
}
