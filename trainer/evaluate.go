package trainer

import (
	"context"
	"math"

	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/internal/rng"
	"github.com/seed-4c77ef92/textwarp/pipeline"
)

// Evaluation is the cross-entropy of held-out text at fixed noise levels, under
// the averaged weights. Unlike the training loss, whose noise levels the warp
// keeps choosing anew, it can be compared between steps and between runs.
type Evaluation struct {
	Mask    string    `json:"mask"`
	Windows int       `json:"windows"`
	T       []float64 `json:"t"`
	CE      []float64 `json:"ce"` // nats a noisy token
	SE      []float64 `json:"se"` // standard error over windows
}

// evalWindows are measured while training: a few seconds on two cores for the
// nano preset.
const evalWindows = 32

// evaluate measures the first windows of the held-out text at every octave of
// the noise axis.
func (t *Trainer) evaluate() (*Evaluation, error) {
	p := t.config.Process
	t.average.Table.Refresh()
	var levels []float64
	for level := math.Exp2(math.Ceil(math.Log2(p.TMin))); level <= p.TMax; level *= 2 {
		levels = append(levels, level)
	}
	return HeldOut(t.study, t.data.HeldOut, p.Mask, levels, evalWindows, t.config.Run.Seed)
}

// HeldOut measures the cross-entropy of the first windows of a stream under
// masks of a kind at the given noise levels. Masks and noise depend on the seed
// alone.
func HeldOut(m *diffusion.CDCD, s *pipeline.Stream, mask string, levels []float64, windows int, seed uint64) (*Evaluation, error) {
	l, batch := m.Size()
	e := &Evaluation{Mask: mask, Windows: min(windows, s.Windows()), T: levels}
	ids, masks := make([]int32, batch*l), make([]float32, batch*l)
	ce := make([]float32, batch*l)
	means := make([][]mean, len(levels))
	for first := 0; first < e.Windows; first += batch {
		n := min(batch, e.Windows-first)
		for i := range n {
			if err := s.Window(ids[i*l:(i+1)*l], 0, first+i); err != nil {
				return nil, err
			}
			r := rng.New(seed, "held-out mask", 0, uint64(first+i))
			diffusion.DrawMask(masks[i*l:(i+1)*l], mask, &r)
		}
		for k, level := range levels {
			m.CrossEntropy(ce[:n*l], ids[:n*l], masks[:n*l], level, uint64(k), uint64(first))
			for i := range n {
				sum, n := diffusion.MaskedSum(ce[i*l:(i+1)*l], masks[i*l:(i+1)*l])
				means[k] = append(means[k], mean{sum, n})
			}
		}
	}
	for k := range levels {
		ce, se := ratio(means[k])
		e.CE, e.SE = append(e.CE, ce), append(e.SE, se)
	}
	return e, nil
}

// mean is a sum over n tokens of one window.
type mean struct{ sum, n float64 }

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

// The sample in the log: always the same noise, so that one sees one text
// sharpen while the model learns.
const (
	previewSeed        = 1
	previewSteps       = 50
	previewTemperature = .8
)

// preview generates one window of text with the averaged weights. It is not
// interrupted: a stopped run must have written what a run that goes on has.
func (t *Trainer) preview() (string, error) {
	l := t.config.Data.Length
	t.average.Table.Refresh()
	st := diffusion.NewState(1, l, t.config.Model.EmbedDim)
	ids, prob := make([]int32, l), make([]float32, l)
	err := diffusion.Sampler{
		Schedule: t.warp, Steps: previewSteps, Method: "euler", Guidance: 1, Temperature: previewTemperature,
		InitialNoise: 1, SelfCondition: t.config.Process.SelfConditioning > 0, Seed: previewSeed,
	}.Run(context.Background(), t.study, st, ids, prob, nil)
	return Text(t.data.Tokenizer, ids), err
}
