package inspect

import (
	"errors"
	"fmt"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// Curves is the view `inspect run`.
type Curves struct {
	Schema int    `json:"schema"`
	View   string `json:"view"`
	Run    string `json:"run"`
	Step   int    `json:"step"`
	Tokens int    `json:"tokens"`

	Training    []trainer.MetricsLine `json:"training"`
	Evaluations []trainer.MetricsLine `json:"evaluations"`
	Timing      []trainer.TimingLine  `json:"timing"`
	Sample      *trainer.SampleLine   `json:"sample"` // the newest

	predicts bool // the next token: the losses know no noise
}

// ReadCurves reads the logs of a run; only metrics.jsonl has to be there.
func ReadCurves(run string) (*Curves, error) {
	v := &Curves{Schema: 1, View: "run", Run: run, Training: []trainer.MetricsLine{}, Evaluations: []trainer.MetricsLine{}, predicts: predicts(run)}
	metrics, err := readLog[trainer.MetricsLine](run, trainer.MetricsFile)
	if err != nil {
		return nil, err
	}
	if len(metrics) == 0 {
		return nil, fmt.Errorf("%s of %q is empty: the run has not logged a step: %w", trainer.MetricsFile, run, safeio.ErrNotFound)
	}
	for i, m := range metrics {
		if i > 0 && m.Step < v.Step {
			return nil, corrupt(run, trainer.MetricsFile, m.Step, "it comes after step %d", v.Step)
		}
		v.Step, v.Tokens = m.Step, max(v.Tokens, m.Tokens)
		if e := m.Eval; e != nil {
			if v.predicts != (e.Likelihood != nil) {
				return nil, corrupt(run, trainer.MetricsFile, m.Step, "the evaluation is not of the objective in %s", trainer.ConfigFile)
			}
			if len(e.CE) != len(e.T) || len(e.SE) != len(e.T) {
				return nil, corrupt(run, trainer.MetricsFile, m.Step, "the evaluation has %d noise levels, %d losses and %d errors", len(e.T), len(e.CE), len(e.SE))
			}
			v.Evaluations = append(v.Evaluations, m)
			continue
		}
		v.Training = append(v.Training, m)
	}
	if v.Timing, err = optionalLog[trainer.TimingLine](run, trainer.TimingFile); err != nil {
		return nil, err
	}
	v.Timing = lastPass(v.Timing)
	samples, err := optionalLog[trainer.SampleLine](run, trainer.SamplesFile)
	if err != nil {
		return nil, err
	}
	if n := len(samples); n > 0 {
		v.Sample = &samples[n-1]
	}
	return v, nil
}

// optionalLog is readLog for a log that need not be there.
func optionalLog[T any](run, name string) ([]T, error) {
	lines, err := readLog[T](run, name)
	if errors.Is(err, safeio.ErrNotFound) {
		return []T{}, nil
	}
	return lines, err
}

// lastPass leaves out the lines of steps that were taken again after a crash:
// timing.jsonl, unlike the other logs, keeps them.
func lastPass(lines []trainer.TimingLine) []trainer.TimingLine {
	out := lines[:0]
	for _, l := range lines {
		for len(out) > 0 && out[len(out)-1].Step >= l.Step {
			out = out[:len(out)-1]
		}
		out = append(out, l)
	}
	return out
}
