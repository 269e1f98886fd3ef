package generate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/seed-4c77ef92/textwarp/autoregressive"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// textsAtOnce is where more texts beside one another no longer make a position
// of one cheaper: the products of matrices are then busy.
const textsAtOnce = 32

// Autoregressive writes with a run of the objective "ar", a token of each text
// at a time. What is to be written must be the end of a text or, where the run
// has learned to fill holes, one hole in it; the run decides how many of the
// hole's tokens it writes.
type Autoregressive struct {
	model   *trainer.Trained
	sampler autoregressive.Sampler

	writer autoregressive.Writer
	texts  int // that writer has room for
	length int // of these
}

// NewAutoregressive makes a writer that follows s.
func NewAutoregressive(model *trainer.Trained, s autoregressive.Sampler) (*Autoregressive, error) {
	if model.Config.Process.Objective != trainer.AR {
		return nil, fmt.Errorf("write with an autoregressive sampler: the run is of another objective, %q", model.Config.Process.Objective)
	}
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return &Autoregressive{model: model, sampler: s}, nil
}

// Write implements [Writer]. The canvas of a text is that of what was written:
// its hole may be shorter than the one that was to be filled.
func (a *Autoregressive) Write(ctx context.Context, c Canvas, first, n int, each func(Text) error) error {
	blank, err := a.sequence(c)
	if err != nil {
		return err
	}
	batch := a.prepare(autoregressive.Positions([]autoregressive.Sequence{blank}), n)
	for end := first + n; first < end; first += batch {
		sequences := slices.Repeat([]autoregressive.Sequence{blank}, min(batch, end-first))
		s := a.sampler
		s.First = uint64(first)
		if err := s.Run(ctx, a.writer, sequences, nil); err != nil {
			return err
		}
		for i, q := range sequences {
			t := c.filled(q.IDs, q.Prob)
			t.Number = first + i
			t.Text = trainer.Text(a.model.Tokenizer, t.IDs)
			t.Calls = len(q.Given) + len(q.IDs)
			if q.Ended {
				t.Calls++
			}
			if err := each(t); err != nil {
				return err
			}
		}
	}
	return nil
}

// Check tells what of a canvas the run cannot fill in.
func (a *Autoregressive) Check(c Canvas) error {
	_, err := a.sequence(c)
	return err
}

// prepare makes room for up to n texts of l positions and says for how many.
func (a *Autoregressive) prepare(l, n int) int {
	if a.length < l || a.texts < min(n, textsAtOnce) {
		a.texts, a.length = max(1, min(n, textsAtOnce, maxLength/l)), l
		a.writer = a.model.Model.Writer(a.model.Config, a.texts, l)
	}
	return a.texts
}

// sequence is what is given of a canvas in the order in which the run reads it.
func (a *Autoregressive) sequence(c Canvas) (autoregressive.Sequence, error) {
	from, to := c.gap()
	switch {
	case slices.Contains(c.Noisy[from:to], false):
		return autoregressive.Sequence{}, errors.New("fill in text: more than one hole: a run of the objective ar fills one")
	case to == len(c.IDs):
		return autoregressive.Sequence{Given: c.IDs[:from], Most: to - from}, nil
	case a.model.Config.Process.FIM == 0:
		return autoregressive.Sequence{}, errors.New("fill in text: this run has not learned to fill holes: train one with --objective ar --set process.fim=0.5")
	}
	f := autoregressive.NewFIM(a.model.Tokenizer.VocabSize())
	// Suffix first: the middle then follows its prefix, as text does, and small
	// networks fill three times as many characters right.
	return autoregressive.Sequence{Given: f.SPM(nil, c.IDs[:from], c.IDs[to:]), Most: to - from, Hole: true}, nil
}

// gap is where the first noisy position is and where those after the last one
// begin.
func (c Canvas) gap() (from, to int) {
	from, to = slices.Index(c.Noisy, true), len(c.Noisy)
	for to > 0 && !c.Noisy[to-1] {
		to--
	}
	return max(0, from), to
}

// filled is the canvas with its gap taken by tokens.
func (c Canvas) filled(ids []int32, prob []float32) Text {
	from, to := c.gap()
	t := Text{IDs: slices.Concat(c.IDs[:from], ids, c.IDs[to:])}
	t.Canvas.IDs, t.Canvas.Noisy = slices.Clone(t.IDs), make([]bool, len(t.IDs))
	t.Prob = slices.Repeat([]float32{1}, len(t.IDs))
	copy(t.Prob[from:], prob)
	for i := range ids {
		t.Canvas.IDs[from+i], t.Canvas.Noisy[from+i] = 0, true
	}
	if c.Holes != nil {
		t.Canvas.Holes = []int{len(ids)}
	}
	return t
}

// Confidence ranks by what the model itself thought of a text: the mean of ln p
// of the tokens that it wrote, in nats a token.
func (a *Autoregressive) Confidence() Ranker { return drawn{a.model} }

type drawn struct{ model *trainer.Trained }

// Calls implements [Ranker].
func (drawn) Calls() int { return 0 }

// Rank implements [Ranker].
func (d drawn) Rank(_ context.Context, texts []Text) ([]float64, error) {
	scores := make([]float64, len(texts))
	for i, t := range texts {
		var sum, n float64
		for k, noisy := range t.Canvas.Noisy {
			if noisy {
				sum += math.Log(float64(t.Prob[k]))
				n++
			}
		}
		scores[i] = perUnit(sum, n, d.model)
	}
	return scores, nil
}
