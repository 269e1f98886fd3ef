package trainer

import (
	"context"
	"math"

	"github.com/seed-4c77ef92/textwarp/denoiser"
	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/internal/rng"
	"github.com/seed-4c77ef92/textwarp/pipeline"
)

// diffusing is the objective "cdcd".
type diffusing struct {
	*diffusion.CDCD
	config Config
}

func (d *diffusing) memory() int { return d.Bytes() }

func (d *diffusing) study(average *Model, pass *denoiser.Pass) study {
	return &diffusing{d.Of(average.Table, pass), d.config}
}

// evalWindows are measured while training: a few seconds on two cores for the
// nano preset.
const evalWindows = 32

// evaluate measures the first windows at every octave of the noise axis.
func (d *diffusing) evaluate(s *pipeline.Stream, classes *Classes) (*Evaluation, error) {
	p := d.config.Process
	var levels []float64
	for level := math.Exp2(math.Ceil(math.Log2(p.TMin))); level <= p.TMax; level *= 2 {
		levels = append(levels, level)
	}
	return HeldOut(d.CDCD, s, classes, p.Mask, levels, evalWindows, d.config.Run.Seed)
}

// HeldOut measures the cross-entropy of the first windows of a stream under
// masks of a kind at the given noise levels, and apart by class where classes are
// given. Masks and noise depend on the seed alone.
func HeldOut(m *diffusion.CDCD, s *pipeline.Stream, classes *Classes, mask string, levels []float64, windows int, seed uint64) (*Evaluation, error) {
	l, batch := m.Size()
	e := &Evaluation{Mask: mask, Windows: min(windows, s.Windows()), T: levels}
	ids, masks := make([]int32, batch*l), make([]float32, batch*l)
	ce := make([]float32, batch*l)
	means := make([][]mean, len(levels))
	apart := classes.tally(len(levels))
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
				apart.add(k, ids[i*l:(i+1)*l], ce[i*l:(i+1)*l], masks[i*l:(i+1)*l])
			}
		}
	}
	for k := range levels {
		ce, se := ratio(means[k])
		e.CE, e.SE = append(e.CE, ce), append(e.SE, se)
	}
	e.Classes = apart.losses()
	return e, nil
}

const (
	previewSteps = 50
	frameSteps   = 4 // of the sampler from one frame to the next
)

// preview starts from the same noise each time.
func (d *diffusing) preview() ([]int32, SampleLine, error) {
	l, _ := d.Size()
	st := diffusion.NewState(1, l, d.Table.D)
	ids, prob := make([]int32, l), make([]float32, l)
	var frames []Frame
	err := diffusion.Sampler{
		Schedule: d.Warp, Steps: previewSteps, Method: diffusion.Euler, Guidance: 1, Temperature: previewTemperature, Exact: true,
		InitialNoise: 1, SelfCondition: d.config.Process.SelfConditioning > 0, Seed: previewSeed,
	}.Run(context.Background(), d.CDCD, st, ids, prob, func(s diffusion.Sight) {
		if s.Step%frameSteps == 0 || s.Step == previewSteps {
			best, p := s.Tokens()
			frames = append(frames, newFrame(s.Step, s.T, s.U, best, p))
		}
	})
	return ids, SampleLine{Seed: previewSeed, Steps: previewSteps, Temperature: previewTemperature, Exact: true, Frames: frames}, err
}
