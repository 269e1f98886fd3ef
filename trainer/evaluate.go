package trainer

import "math"

// Evaluation is the loss of held-out text under the averaged weights: of the
// objective "cdcd" the cross-entropy at fixed noise levels, of "ar" the
// likelihood. Unlike the training loss of diffusion, whose noise levels the warp
// keeps choosing anew, it can be compared between steps and between runs.
type Evaluation struct {
	Mask    string    `json:"mask,omitempty"`
	Windows int       `json:"windows"`
	T       []float64 `json:"t,omitempty"`
	CE      []float64 `json:"ce,omitempty"` // nats a noisy token
	SE      []float64 `json:"se,omitempty"` // standard error over windows

	Likelihood *Likelihood `json:"likelihood,omitempty"`

	Classes []ClassLoss `json:"classes,omitempty"` // the same losses apart by kind of token
}

// ClassLoss is the held-out loss of the tokens of one class: at every level T
// or, of a likelihood, the one.
type ClassLoss struct {
	Group  string    `json:"group"`
	Name   string    `json:"name"`
	Tokens int       `json:"tokens"` // scored at each level
	CE     []float64 `json:"ce"`     // nats a token
	SE     []float64 `json:"se"`     // standard error over windows
}

// Likelihood is the exact negative log-likelihood of windows of text, in nats a
// token, with its standard errors over windows: of all tokens, and of all but the
// first of each window, which has nothing before it.
type Likelihood struct {
	Nats             float64 `json:"nats"`
	StdErr           float64 `json:"std_err"`
	AfterFirst       float64 `json:"after_first"`
	AfterFirstStdErr float64 `json:"after_first_std_err"`
}

// evaluate measures the held-out text.
func (t *Trainer) evaluate() (*Evaluation, error) {
	t.average.Table.Refresh()
	if t.classes == nil {
		var err error
		if t.classes, err = NewClasses(t.data.Tokenizer, t.data.HeldOut, t.config.Data.Length, likelihoodWindows); err != nil {
			return nil, err
		}
	}
	return t.study.evaluate(t.data.HeldOut, t.classes)
}

// mean is a sum over n tokens of one window.
type mean struct{ sum, n float64 }

func (m *mean) add(v float32) {
	m.sum += float64(v)
	m.n++
}

// ratio returns the mean a token over windows of unequal counts, and its
// standard error (ratio estimator).
func ratio(windows []mean) (value, standardError float64) {
	var sum, n float64
	for _, w := range windows {
		sum += w.sum
		n += w.n
	}
	value = sum / n
	var squares float64
	for _, w := range windows {
		r := w.sum - value*w.n
		squares += r * r
	}
	k := float64(len(windows))
	return value, math.Sqrt(squares*k/max(1, k-1)) / n
}

// How the sample in the log is drawn.
const (
	previewSeed        = 1
	previewTemperature = .8
)

// preview writes one window of text with the averaged weights.
func (t *Trainer) preview() (SampleLine, error) {
	t.average.Table.Refresh()
	ids, line, err := t.study.preview()
	line.Step, line.Text = t.state.Step, Text(t.data.Tokenizer, ids)
	return line, err
}
