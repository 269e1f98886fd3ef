package main

import (
	"fmt"
	"slices"

	"github.com/seed-4c77ef92/textwarp/denoiser"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// workload is a network and the batch that it is trained on.
type workload struct {
	name, about   string
	batch, length int
	net           denoiser.Config
	kinds         []string

	steps    int // of a worker in a round
	rounds   int
	together int // PyTorch workers alive at a time, as memory allows
}

var workloads = []workload{
	{
		"W1", "words", 16, 64,
		denoiser.Config{Vocab: 8192, EmbedDim: 64, Width: 256, Layers: 4, Heads: 4, MLP: 1024},
		[]string{plain, cdcd},
		3, 10, 10,
	},
	{
		"W2", "characters", 64, 128,
		denoiser.Config{Vocab: 65, EmbedDim: 16, Width: 128, Layers: 4, Heads: 4, MLP: 512},
		[]string{plain, cdcd},
		2, 7, 10,
	},
	{
		"W3", "large", 8, 512,
		denoiser.Config{Vocab: 32768, EmbedDim: 64, Width: 512, Layers: 8, Heads: 8, MLP: 2048},
		[]string{plain, cdcd},
		1, 3, 3,
	},
	{
		"W4", "samples of the nano preset", 50, 128,
		denoiser.Config{Vocab: 65, EmbedDim: 16, Width: 128, Layers: 4, Heads: 4, MLP: 512},
		[]string{sampling},
		20, 7, 10,
	},
	{
		"W5", "left to right, cached", 50, 128,
		denoiser.Config{Vocab: 65, EmbedDim: 16, Width: 128, Layers: 4, Heads: 4, MLP: 512, Causal: true},
		[]string{writing},
		128, 7, 10,
	},
	{
		"W6", "nanoGPT's recipe", 12, 64,
		denoiser.Config{Vocab: 65, EmbedDim: 64, Width: 128, Layers: 4, Heads: 4, MLP: 512, Causal: true},
		[]string{recipe},
		recipeRound, recipeSteps / recipeRound, 10,
	},
}

// The kinds of step.
const (
	plain    = "plain"  // given features: forward, loss, backward, clip, AdamW, average
	cdcd     = "cdcd"   // all that a training step of CDCD is
	sampling = "sample" // from noise to tokens: a step is a call of the network
	writing  = "write"  // from left to right: a step is a token of every sequence
	recipe   = "recipe" // a training step of a whole run, whose loss counts as well
)

func (w *workload) tokens() int { return w.batch * w.length }

// trainsWhole tells a workload that is a run from its beginning to its end.
func (w *workload) trainsWhole() bool { return slices.Contains(w.kinds, recipe) }

// made is the number of tokens that a step reads or writes.
func (w *workload) made(step string) int {
	if step == writing {
		return w.batch
	}
	return w.tokens()
}

// flops is the work of a step. In a CDCD step the head works on the noisy
// positions only, (l+1)/2 of l with mixed masks, and half of the sequences have
// a first pass.
func (w *workload) flops(step string) float64 {
	forward := w.net.FLOPs(w.length)
	switch step {
	case plain, recipe:
		return 3 * forward * float64(w.made(step))
	case sampling, writing:
		return forward * float64(w.made(step))
	}
	l := float64(w.length)
	given := 2 * float64(w.net.Width) * float64(w.net.Vocab) * (l - 1) / (2 * l)
	return (3 + w.config().Process.SelfConditioning) * (forward - given) * float64(w.tokens())
}

// config is that of a training run: the process and optimiser of the nano
// preset with the sizes of the workload.
func (w *workload) config() trainer.Config {
	c, err := trainer.Preset("nano")
	if err != nil {
		panic(err) // the preset exists
	}
	c.Data.Length = w.length
	c.Optim.Batch, c.Optim.MicroBatch = w.batch, w.batch
	return c
}

// spec tells a worker what it is. Both kinds get it as JSON in their argument.
type spec struct {
	Workload  string  `json:"workload"`
	File      string  `json:"file"` // weights and batch
	Step      string  `json:"step"`
	Threads   int     `json:"threads"`
	Precision string  `json:"precision"` // fp32 or bf16
	Compile   bool    `json:"compile"`   // torch.compile
	Chunk     int     `json:"chunk"`     // rows of logits at a time in PyTorch; 0 for all
	Batch     int     `json:"batch"`
	Length    int     `json:"length"`
	Vocab     int     `json:"vocab"`
	Embed     int     `json:"embed"`
	Width     int     `json:"width"`
	Layers    int     `json:"layers"`
	Heads     int     `json:"heads"`
	MLP       int     `json:"mlp"`
	TMin      float64 `json:"t_min"`
	TMax      float64 `json:"t_max"`
	LR        float64 `json:"lr"`
	EMA       float64 `json:"ema"`

	// of the recipe
	Steps   int     `json:"steps"`
	Warmup  int     `json:"warmup"`
	FinalLR float64 `json:"final_lr"`
	Decay   float64 `json:"decay"`
}

// trains tells whether a step changes the weights.
func (s spec) trains() bool { return s.Step != sampling && s.Step != writing }

func (w *workload) spec(file, step string, threads int) spec {
	c := w.config()
	lr := learningRate
	if step == recipe {
		lr = recipeRate
	}
	return spec{
		Workload: w.name, File: file, Step: step, Threads: threads, Precision: "fp32",
		Batch: w.batch, Length: w.length,
		Vocab: w.net.Vocab, Embed: w.net.EmbedDim, Width: w.net.Width, Layers: w.net.Layers, Heads: w.net.Heads, MLP: w.net.MLP,
		TMin: c.Process.TMin, TMax: c.Process.TMax, LR: lr, EMA: c.Optim.EMA,
		Steps: recipeSteps, Warmup: recipeWarmup, FinalLR: recipeFinal, Decay: recipeDecay,
	}
}

// learningRate is small, so that a batch seen again and again is not learned by
// heart while the clock runs.
const learningRate = 1e-5

func findWorkload(name string) (*workload, error) {
	for i := range workloads {
		if workloads[i].name == name {
			return &workloads[i], nil
		}
	}
	return nil, fmt.Errorf("unknown workload %q: choose some of W1 to W%d", name, len(workloads))
}
