package eval

import (
	"context"
	"fmt"
	"slices"

	"github.com/seed-4c77ef92/textwarp/autoregressive"
	"github.com/seed-4c77ef92/textwarp/internal/generate"
	"github.com/seed-4c77ef92/textwarp/internal/judge"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// predicting is a run of the objective "ar": the baseline, and the second judge.
type predicting struct {
	name      string
	model     *trainer.Trained
	sampler   autoregressive.Sampler
	writer    *generate.Autoregressive
	objective *autoregressive.Objective
	batch     int // windows
}

var _ judge.Scorer = (*predicting)(nil)

func newPredicting(name string, m *trainer.Trained, s autoregressive.Sampler) (*predicting, error) {
	w, err := generate.NewAutoregressive(m, s)
	batch := max(1, batchTokens/m.Config.Data.Length)
	return &predicting{name, m, s, w, m.Model.Autoregressive(m.Config, batch, m.Config.Data.Length), batch}, err
}

// Name implements [judge.Scorer].
func (p *predicting) Name() string { return p.name }

// NLL implements [judge.Scorer].
func (p *predicting) NLL(ctx context.Context, texts [][]int32) ([]float64, error) {
	return p.objective.TextNLL(ctx, texts)
}

// figures implements [subject].
func (p *predicting) figures(ctx context.Context, r *Report, h *heldOut, stage func(string)) error {
	stage("likelihood")
	each := make([]float64, h.Windows)
	rest := make([]judge.Part, h.Windows)
	nll := make([]float32, p.batch*h.Length)
	for first := 0; first < h.Windows; first += p.batch {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(p.batch, h.Windows-first)
		p.objective.NLL(nll[:n*h.Length], h.ids[first*h.Length:(first+n)*h.Length])
		for i := range n {
			window := nll[i*h.Length : (i+1)*h.Length]
			var sum float64
			for _, v := range window {
				sum += float64(v)
			}
			each[first+i] = sum / float64(h.Length)
			rest[first+i] = judge.Part{Sum: sum - float64(window[0]), Base: float64(h.Length - 1)}
		}
	}
	r.Likelihood = newLikelihood(h, each)
	afterFirst := judge.Ratio(rest)
	r.Likelihood.Kind, r.Likelihood.AfterFirst = "exact", &afterFirst
	return nil
}

// write implements [subject].
func (p *predicting) write(ctx context.Context, length, n int) ([]text, Sampling, error) {
	how := Sampling{
		Sampler: trainer.AR, Steps: length, Temperature: p.sampler.Temperature, TopP: p.sampler.TopP, Seed: p.sampler.Seed,
	}
	texts, err := collect(ctx, p.writer, length, n, &how)
	return texts, how, err
}

// fill implements [subject]: one hole after the other, each between what stands
// before it, earlier holes as they were filled, and what stands after it up to the
// next hole. As diffusion does, it knows how many tokens are missing. The suffix
// comes first, so that what is written continues the prefix directly.
func (p *predicting) fill(ctx context.Context, ids []int32, holes []span, window int) (filled []int32, err error) {
	l := p.model.Config.Data.Length
	w := p.model.Model.Writer(p.model.Config, 1, l)
	fim := autoregressive.NewFIM(p.model.Tokenizer.VocabSize())
	filled = slices.Clone(ids)
	for k, h := range holes {
		next := len(ids)
		if k+1 < len(holes) {
			next = holes[k+1].begin
		}
		prefix, suffix := filled[:h.begin], ids[h.end:next]
		// The sentinels take the place of tokens, the farthest ones.
		if over := len(prefix) + len(suffix) + h.end - h.begin + autoregressive.NumSentinels - l; over > 0 {
			cut := min(over, len(prefix))
			prefix, suffix = prefix[cut:], suffix[:len(suffix)-(over-cut)]
		}
		q := []autoregressive.Sequence{{Given: fim.SPM(nil, prefix, suffix), Most: h.end - h.begin}}
		s := p.sampler
		// A hole of a window has the random numbers of a text of its own.
		s.First = uint64(window)<<16 + uint64(k)
		if err := s.Run(ctx, w, q, nil); err != nil {
			return nil, err
		}
		copy(filled[h.begin:h.end], q[0].IDs)
	}
	return filled, nil
}

func (p *predicting) fills() bool { return p.model.Config.Process.FIM > 0 }

// newSecond makes the second judge of a run, with the sampler that it was
// trained as: at temperature 1.
func newSecond(name string, m *trainer.Trained, seed uint64) (*predicting, error) {
	if m.Config.Process.Objective != trainer.AR {
		return nil, fmt.Errorf("judge by %q: its objective is %s, and a judge needs an exact likelihood: train one with --objective %s", name, trainer.CDCD, trainer.AR)
	}
	return newPredicting(name, m, autoregressive.Sampler{Temperature: 1, TopP: 1, Seed: seed})
}
