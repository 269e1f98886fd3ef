package trainer

import (
	"context"

	"github.com/seed-4c77ef92/textwarp/autoregressive"
	"github.com/seed-4c77ef92/textwarp/denoiser"
	"github.com/seed-4c77ef92/textwarp/pipeline"
)

// predicting is the objective "ar".
type predicting struct {
	*autoregressive.Objective
	config Config
}

func (p *predicting) memory() int {
	return p.Bytes() + p.config.Model.Denoiser(p.Table.V).DecodingBytes(1, p.config.Data.Length)
}

func (p *predicting) study(average *Model, pass *denoiser.Pass) study {
	return &reading{
		predicting: predicting{p.Of(average.Table, pass), p.config},
		writer:     average.Writer(p.config, 1, p.config.Data.Length),
	}
}

// reading is the study of a predicting objective.
type reading struct {
	predicting
	writer autoregressive.Writer
}

// likelihoodWindows cost about as much as evalWindows do, which are gone through
// twice at eight noise levels.
const likelihoodWindows = 16 * evalWindows

func (r *reading) evaluate(s *pipeline.Stream, classes *Classes) (*Evaluation, error) {
	return HeldOutLikelihood(r.Objective, s, classes, likelihoodWindows)
}

// HeldOutLikelihood measures the likelihood of the first windows of a stream, and
// apart by class where classes are given.
func HeldOutLikelihood(m *autoregressive.Objective, s *pipeline.Stream, classes *Classes, windows int) (*Evaluation, error) {
	l, batch := m.Size()
	e := &Evaluation{Windows: min(windows, s.Windows()), Likelihood: &Likelihood{}}
	ids, nll := make([]int32, batch*l), make([]float32, batch*l)
	var all, rest []mean
	apart := classes.tally(1)
	for first := 0; first < e.Windows; first += batch {
		n := min(batch, e.Windows-first)
		for i := range n {
			if err := s.Window(ids[i*l:(i+1)*l], 0, first+i); err != nil {
				return nil, err
			}
		}
		m.NLL(nll[:n*l], ids[:n*l])
		for i := range n {
			var sum float64
			for _, v := range nll[i*l+1 : (i+1)*l] {
				sum += float64(v)
			}
			rest = append(rest, mean{sum, float64(l - 1)})
			all = append(all, mean{sum + float64(nll[i*l]), float64(l)})
			apart.add(0, ids[i*l:(i+1)*l], nll[i*l:(i+1)*l], nil)
		}
	}
	e.Likelihood.Nats, e.Likelihood.StdErr = ratio(all)
	e.Likelihood.AfterFirst, e.Likelihood.AfterFirstStdErr = ratio(rest)
	e.Classes = apart.losses()
	return e, nil
}

// preview draws with the same random numbers each time.
func (r *reading) preview() ([]int32, SampleLine, error) {
	text := []autoregressive.Sequence{{Most: r.config.Data.Length}}
	err := autoregressive.Sampler{Temperature: previewTemperature, TopP: 1, Seed: previewSeed}.
		Run(context.Background(), r.writer, text, nil)
	ids := text[0].IDs
	return ids, SampleLine{
		Seed: previewSeed, Steps: len(ids), Temperature: previewTemperature, Frames: []Frame{newFrame(len(ids), 0, 0, ids, text[0].Prob)},
	}, err
}
