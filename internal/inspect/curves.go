package inspect

import (
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

	Training    []Point               `json:"training"`
	Evaluations []trainer.MetricsLine `json:"evaluations"`
	Timing      []trainer.TimingLine  `json:"timing"`
	Sample      *trainer.SampleLine   `json:"sample"` // the newest

	predicts bool // the next token: the losses know no noise
}

// ReadCurves reads the logs of a run; only metrics.jsonl has to be there.
func ReadCurves(dir string) (*Curves, error) {
	r, err := read(dir)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.Curves()
}

// Curves is the view of a run's curves as of the last Update.
func (r *Run) Curves() (*Curves, error) {
	for _, name := range []string{trainer.MetricsFile, trainer.TimingFile, trainer.SamplesFile} {
		if err := r.log(name); err != nil && (name == trainer.MetricsFile || !absent(err)) {
			return nil, err
		}
	}
	s := r.Summary()
	v := &Curves{
		Schema: 1, View: "run", Run: r.dir, Step: s.Step, Tokens: s.Tokens, predicts: s.Objective == trainer.AR,
		Training: r.Training(maxPoints), Evaluations: r.Evaluations(maxEvaluations), Timing: r.Speed(maxPoints),
	}
	if len(v.Training)+len(v.Evaluations) == 0 {
		return nil, fmt.Errorf("%s of %q is empty: the run has not logged a step: %w", trainer.MetricsFile, r.dir, safeio.ErrNotFound)
	}
	if samples := r.Samples(); len(samples) > 0 {
		newest, err := r.Sample(samples[len(samples)-1].Step)
		if err != nil {
			return nil, err
		}
		v.Sample = &newest
		v.Sample.Frames = nil
	}
	return v, nil
}
