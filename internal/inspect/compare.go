package inspect

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/seed-4c77ef92/textwarp/trainer"
)

// Comparison is the view `inspect compare`.
type Comparison struct {
	Schema int    `json:"schema"`
	View   string `json:"view"`

	Runs     []Compared `json:"runs"`
	Settings []Setting  `json:"settings"` // those that differ
}

// Setting is one that is not the same in all runs.
type Setting struct {
	Key    string `json:"key"`
	Values []any  `json:"values"` // by run; null of a run without a configuration
}

// Compared is a run beside others.
type Compared struct {
	Run        string `json:"run"`
	Name       string `json:"name"` // in charts
	Objective  string `json:"objective"`
	State      string `json:"state"`
	Step       int    `json:"step"`
	Steps      int    `json:"steps"` // planned; 0 if not known
	Tokens     int    `json:"tokens"`
	Parameters int    `json:"parameters"`
	Skipped    int    `json:"skipped"` // steps

	Loss            *float64 `json:"loss"` // of training, mean over the last tenth of the steps, nats
	HeldOut         *Held    `json:"held_out"`
	Best            *Held    `json:"best"` // the evaluation with the lowest loss
	TokensPerSecond *float64 `json:"tokens_per_second"`

	training    []Point
	evaluations []trainer.MetricsLine
	speed       []trainer.TimingLine
	warp        *Warp // nil of a run that knows none
}

// Held is a held-out loss: of a run that predicts the next token in nats a token,
// of one that learns to take noise away the mean over the noise levels of the
// evaluation.
type Held struct {
	Step int     `json:"step"`
	Loss float64 `json:"loss"`
}

// ReadComparison reads runs to be laid side by side.
func ReadComparison(dirs []string) (*Comparison, error) {
	c := &Comparison{Schema: 1, View: "compare", Settings: []Setting{}}
	var configs []*trainer.Config
	for _, dir := range dirs {
		one, config, err := readCompared(dir)
		if err != nil {
			return nil, err
		}
		c.Runs, configs = append(c.Runs, one), append(configs, config)
	}
	c.name()
	c.Settings = append(c.Settings, differences(configs)...)
	return c, nil
}

func readCompared(dir string) (Compared, *trainer.Config, error) {
	r, err := read(dir)
	if err != nil {
		return Compared{}, nil, err
	}
	defer r.Close()
	curves, err := r.Curves()
	if err != nil {
		return Compared{}, nil, err
	}
	s := r.Summary()
	c := Compared{
		Run: dir, Objective: s.Objective, State: s.State, Step: s.Step, Steps: s.Steps, Tokens: s.Tokens, Parameters: s.Parameters, Best: r.Best(),
		training: curves.Training, evaluations: curves.Evaluations, speed: curves.Timing,
	}
	c.sum()
	if s.Objective != trainer.AR {
		if c.warp, err = r.Warp(); err != nil && !absent(err) {
			return c, nil, err
		}
	}
	if config, err := r.Config(); err == nil {
		return c, &config, nil
	}
	return c, nil, nil // logs alone can be compared
}

// sum takes the few numbers of the table from the curves.
func (c *Compared) sum() {
	if n := len(c.training); n > 0 {
		c.Skipped = c.training[n-1].Skipped
		sum, count := 0.0, 0
		for _, p := range c.training {
			if float64(p.Step) > .9*float64(c.training[n-1].Step) {
				sum, count = sum+p.Loss, count+1
			}
		}
		mean := sum / float64(count)
		c.Loss = &mean
	}
	for _, m := range c.evaluations {
		h := Held{m.Step, heldOutLoss(m.Eval)}
		c.HeldOut = &h
	}
	if len(c.speed) > 0 {
		var all []float64
		for _, t := range c.speed {
			all = append(all, t.TokensPerSecond)
		}
		slices.Sort(all)
		c.TokensPerSecond = &all[len(all)/2]
	}
}

// heldOutLoss is the one number of an evaluation.
func heldOutLoss(e *trainer.Evaluation) float64 {
	if e.Likelihood != nil {
		return e.Likelihood.Nats
	}
	sum := 0.0
	for _, ce := range e.CE {
		sum += ce
	}
	return sum / max(1, float64(len(e.CE)))
}

// name calls runs by the last part of their path, where that tells them apart.
func (c *Comparison) name() {
	seen := map[string]int{}
	for i := range c.Runs {
		c.Runs[i].Name = filepath.Base(filepath.Clean(c.Runs[i].Run))
		seen[c.Runs[i].Name]++
	}
	for i := range c.Runs {
		if seen[c.Runs[i].Name] > 1 {
			c.Runs[i].Name = c.Runs[i].Run
		}
	}
}

// differences lists the settings that some configurations have not in common.
func differences(configs []*trainer.Config) []Setting {
	var order []string
	values := map[string][]any{}
	for i, c := range configs {
		if c == nil {
			continue
		}
		for key, value := range c.All() {
			if values[key] == nil {
				order, values[key] = append(order, key), make([]any, len(configs))
			}
			values[key][i] = value
		}
	}
	var all []Setting
	for _, key := range order {
		var first any
		for i, c := range configs {
			if c == nil {
				continue
			}
			if first == nil {
				first = values[key][i]
			} else if values[key][i] != first {
				all = append(all, Setting{key, values[key]})
				break
			}
		}
	}
	return all
}

// mixed says whether the runs differ in what they learn.
func (c *Comparison) mixed() bool {
	return slices.ContainsFunc(c.Runs, func(r Compared) bool { return r.Objective != c.Runs[0].Objective })
}

// of are the runs of an objective, by their places.
func (c *Comparison) of(objective string) []int {
	var at []int
	for i, r := range c.Runs {
		if r.Objective == objective {
			at = append(at, i)
		}
	}
	return at
}

// number writes a value that may not be known.
func number(format string, v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf(format, *v)
}
