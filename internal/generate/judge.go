package generate

import (
	"context"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/seed-4c77ef92/textwarp/autoregressive"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// judgeBatch is the number of windows that a judge reads at a time.
const judgeBatch = 16

// Judge ranks texts by their likelihood to an autoregressive run, in nats a
// character. Characters, because the judge reads the text with its own
// tokenizer, in windows of the length that it was trained on.
type Judge struct {
	model     *trainer.Trained
	objective *autoregressive.Objective
}

// NewJudge makes a judge of a run.
func NewJudge(model *trainer.Trained) (*Judge, error) {
	if model.Config.Process.Objective != trainer.AR {
		return nil, fmt.Errorf("judge texts: the run's objective is not %q, so it has no likelihood to judge by", trainer.AR)
	}
	return &Judge{model, model.Model.Autoregressive(model.Config, judgeBatch, model.Config.Data.Length)}, nil
}

// Calls implements [Ranker]: those of the judge are not the writer's.
func (*Judge) Calls() int { return 0 }

// Rank implements [Ranker].
func (j *Judge) Rank(ctx context.Context, texts []Text) ([]float64, error) {
	l := j.model.Config.Data.Length
	var ids []int32 // whole windows, text after text
	begin, tokens := make([]int, len(texts)), make([]int, len(texts))
	for i, t := range texts {
		begin[i] = len(ids)
		ids = j.model.Tokenizer.Encode(ids, t.Text)
		tokens[i] = len(ids) - begin[i]
		for len(ids)%l != 0 { // nothing before it depends on it
			ids = append(ids, 0)
		}
	}
	nll := make([]float32, len(ids))
	for at := 0; at < len(ids); at += judgeBatch * l {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		end := min(len(ids), at+judgeBatch*l)
		j.objective.NLL(nll[at:end], ids[at:end])
	}
	scores := make([]float64, len(texts))
	for i, t := range texts {
		var sum float64
		for _, v := range nll[begin[i] : begin[i]+tokens[i]] {
			sum -= float64(v)
		}
		scores[i] = perUnit(sum, float64(utf8.RuneCountInString(t.Text)), j.model)
	}
	return scores, nil
}

// perUnit is a mean of ln p; of nothing it is that of a blind guess, so that an
// empty text does not win.
func perUnit(sum, n float64, model *trainer.Trained) float64 {
	if n == 0 {
		return -math.Log(float64(model.Tokenizer.VocabSize()))
	}
	return sum / n
}
