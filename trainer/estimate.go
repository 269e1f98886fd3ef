package trainer

import (
	"runtime"

	"github.com/seed-4c77ef92/textwarp/embeddings"
)

// Estimate is what a run takes, before it is begun.
type Estimate struct {
	Embeddings, Denoiser int // parameters
	Memory               Memory
	CheckpointBytes      int
	FLOPsPerToken        float64 // of a training step
}

// Memory is the memory of a run by parts, in bytes.
type Memory struct {
	Weights     int // parameters, gradients, moments and average
	Activations int // of a training step; evaluation and samples use the same memory
	Tables      int // embeddings as they are used, and their gradient, of both models
	Windows     int // a batch of windows, its noise, and the cache of a sample
	Text        int // shards, or a document that is piped in
	Program     int // what is there before the run is: code, tokenizer, scratch of the workers
}

// Total is what the process takes at most.
func (m Memory) Total() int {
	return m.Weights + m.Activations + m.Tables + m.Windows + m.Text + m.Program
}

// programBytes is what the process takes beyond the living part of its heap: code
// (12 MiB of it are used), the runtime, and garbage of the shard that is being
// read. It was measured; see bench/memory.
const programBytes = 16 << 20

// EstimateRun works out what a run takes in this process, which has opened its
// data and its pool of workers and nothing else.
func EstimateRun(c Config, data *Data, recompute bool) Estimate {
	var there runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&there)

	d := c.Denoiser(data.Tokenizer.VocabSize())
	table := d.Vocab * d.EmbedDim
	n := table + d.NumParams()
	unfilled := &Model{Table: &embeddings.Table{V: d.Vocab, D: d.EmbedDim}}
	return Estimate{
		Embeddings: table, Denoiser: d.NumParams(),
		Memory: Memory{
			Weights:     5 * 4 * n,
			Activations: d.TrainingBytes(c.Optim.MicroBatch, c.Data.Length, recompute),
			// Two of E and of the rows' scales, and once the gradient of E with the list
			// of its rows.
			Tables:  3*4*table + (2*8+4+1)*d.Vocab,
			Windows: unfilled.objective(c, nil, nil).memory() + 4*c.Optim.Batch*c.Data.Length,
			Text:    int(data.Bytes),
			Program: int(there.HeapAlloc) + programBytes,
		},
		CheckpointBytes: 4 * 4 * n,
		FLOPsPerToken:   StepFLOPs(c, d),
	}
}

// Parameters counts the trained numbers.
func (t *Trainer) Parameters() int { return len(t.model.Params) }
