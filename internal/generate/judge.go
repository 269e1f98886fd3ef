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
	ids := make([][]int32, len(texts))
	for i, t := range texts {
		ids[i] = j.model.Tokenizer.Encode(nil, t.Text)
	}
	nats, err := j.objective.TextNLL(ctx, ids)
	if err != nil {
		return nil, err
	}
	scores := make([]float64, len(texts))
	for i, t := range texts {
		scores[i] = perUnit(-nats[i], float64(utf8.RuneCountInString(t.Text)), j.model)
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
