package trainer

import "github.com/seed-4c77ef92/textwarp/denoiser"

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

// Parameters counts the trained numbers.
func (t *Trainer) Parameters() int { return len(t.model.Params) }
