package trainer

import (
	"time"

	"github.com/seed-4c77ef92/textwarp/denoiser"
	"github.com/seed-4c77ef92/textwarp/timewarp"
)

// Estimate is what a run takes, before it is begun.
type Estimate struct {
	Embeddings, Denoiser int // parameters
	WeightBytes          int // parameters, gradients, moments and average
	ActivationBytes      int // of training; evaluation and samples use the same memory
	CheckpointBytes      int
	FLOPsPerToken        float64 // of a training step
}

// StepFLOPs is the work of a training step for one token: forward and backward,
// and a forward pass more for the sequences that see a first guess.
func StepFLOPs(c Config, d denoiser.Config) float64 {
	forward := d.FLOPs(c.Data.Length)
	return forward * (3 + c.Process.SelfConditioning)
}

// EstimateRun works out what a run takes. It takes the memory to count it.
func EstimateRun(c Config, data *Data, recompute bool) (Estimate, error) {
	d := c.Model.Denoiser(data.Tokenizer.VocabSize())
	m, err := NewModel(d, nil, true, nil)
	if err != nil {
		return Estimate{}, err
	}
	table := d.Vocab * d.EmbedDim
	n := table + d.NumParams()
	return Estimate{
		Embeddings: table, Denoiser: d.NumParams(),
		WeightBytes:     5 * 4 * n,
		ActivationBytes: m.trainingPass(c.Optim.MicroBatch, c.Data.Length, recompute).Bytes(),
		CheckpointBytes: 4 * 4 * n,
		FLOPsPerToken:   StepFLOPs(c, d),
	}, nil
}

// Measure runs a few steps of a run on a copy that is thrown away and returns
// the speed in tokens a second. The data are left where they were.
func Measure(c Config, data *Data, o Options) (float64, error) {
	warp, err := timewarp.New(c.Process.Warp, c.Process.TMin, c.Process.TMax, c.Optim.Batch)
	if err != nil {
		return 0, err
	}
	m, err := NewModel(c.Model.Denoiser(data.Tokenizer.VocabSize()), nil, true, o.Pool)
	if err != nil {
		return 0, err
	}
	m.Init(c.Run.Seed)
	m.Table.Refresh()
	pass := m.trainingPass(c.Optim.MicroBatch, c.Data.Length, o.Recompute)
	process := m.process(c, warp, pass, c.Optim.MicroBatch, c.Data.Length)
	ids := make([]int32, c.Optim.Batch*c.Data.Length) // any tokens take the same time
	const warmup, least = 2, 2 * time.Second
	var began time.Time
	for step := 0; ; step++ {
		if step == warmup {
			began = time.Now()
		}
		if step > warmup && time.Since(began) > least {
			tokens := float64((step - warmup) * len(ids))
			return tokens / time.Since(began).Seconds(), nil
		}
		process.Gradient(uint64(step), ids)
	}
}

// Parameters counts the trained numbers.
func (t *Trainer) Parameters() int { return len(t.model.Params) }
