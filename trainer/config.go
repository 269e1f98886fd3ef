package trainer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed-4c77ef92/textwarp/autoregressive"
	"github.com/seed-4c77ef92/textwarp/denoiser"
	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/embeddings"
	"github.com/seed-4c77ef92/textwarp/timewarp"
)

// Config holds everything that decides a run. It is written, with every value
// resolved, to the run's config.toml, and a run started from that file is the
// same run.
type Config struct {
	Data    DataConfig    `toml:"data"`
	Model   ModelConfig   `toml:"model"`
	Process ProcessConfig `toml:"process"`
	Optim   OptimConfig   `toml:"optim"`
	Run     RunConfig     `toml:"run"`
}

// DataConfig says where tokens come from.
type DataConfig struct {
	Stream    string `toml:"stream" help:"directory or address of shards, or - for text on standard input"`
	Follow    bool   `toml:"follow" help:"take the shards up as they are made"`
	HeldOut   string `toml:"held_out" help:"directory of shards for held-out losses (default: the val split of stream)"`
	Tokenizer string `toml:"tokenizer" help:"tokenizer of text on standard input: a tokenizer.json or byte (shards bring their own)"`
	Length    int    `toml:"length" help:"tokens a window"`
}

// ModelConfig is the size of the denoiser.
type ModelConfig struct {
	EmbedDim   int     `toml:"embed_dim" help:"embedding size d"`
	EmbedStd   float64 `toml:"embed_std" help:"standard deviation of the raw embeddings at the start"`
	Width      int     `toml:"width" help:"width of the residual stream"`
	Layers     int     `toml:"layers" help:"transformer blocks"`
	Heads      int     `toml:"heads" help:"attention heads"`
	MLP        int     `toml:"mlp" help:"hidden units of a block's MLP"`
	LocalHeads bool    `toml:"local_heads" help:"start attention heads on the neighbouring positions"`
	Freeze     bool    `toml:"freeze_embeddings" help:"leave the embedding table as it is at the start"`
}

// Denoiser gives the network's configuration for a vocabulary.
func (m ModelConfig) Denoiser(vocab int) denoiser.Config {
	return denoiser.Config{
		Vocab: vocab, EmbedDim: m.EmbedDim, Width: m.Width, Layers: m.Layers, Heads: m.Heads, MLP: m.MLP,
		LocalHeads: m.LocalHeads,
	}
}

// ProcessConfig is what the model learns: the diffusion process or, with the
// objective "ar", to predict the next token. FIM concerns that one alone, all
// others but Objective diffusion alone.
type ProcessConfig struct {
	Objective        string  `toml:"objective" help:"cdcd: continuous diffusion, or ar: the next token, from left to right"`
	TMin             float64 `toml:"t_min" help:"lowest noise level"`
	TMax             float64 `toml:"t_max" help:"highest noise level"`
	Loss             string  `toml:"loss" help:"ce: cross-entropy; likelihood: the likelihood bound"`
	Warp             string  `toml:"warp" help:"online, paper, or a fixed schedule: uniform, log-uniform, karras, sqrt, cosine"`
	Mask             string  `toml:"mask" help:"what is given: mixed, prefix, random, span, none"`
	SelfConditioning float64 `toml:"self_conditioning" help:"share of sequences trained with a first guess"`
	ConditionDrop    float64 `toml:"condition_drop" help:"share of sequences whose given tokens are blanked"`
	FIM              float64 `toml:"fim" help:"ar: share of windows rearranged to learn to fill holes"`
}

// OptimConfig is AdamW and its schedule.
type OptimConfig struct {
	Batch       int     `toml:"batch" help:"windows a step"`
	MicroBatch  int     `toml:"micro_batch" help:"windows the network takes at a time; gradients are accumulated"`
	LR          float64 `toml:"lr" help:"peak learning rate"`
	Warmup      int     `toml:"warmup" help:"steps of linear warm-up"`
	FinalLR     float64 `toml:"final_lr" help:"end of the cosine decay, as a share of lr"`
	Beta1       float64 `toml:"beta1"`
	Beta2       float64 `toml:"beta2"`
	WeightDecay float64 `toml:"weight_decay" help:"decoupled decay of the network's matrices"`
	Dropout     float64 `toml:"dropout" help:"share of the network's hidden units that a step does without"`
	Clip        float64 `toml:"clip" help:"largest gradient norm"`
	EMA         float64 `toml:"ema" help:"decay of the averaged weights"`
	Precision   string  `toml:"precision" help:"inputs of matrix products: fp32, or bf16 where the processor has AVX512_BF16"`
}

// RunConfig is the length of the run and its records.
type RunConfig struct {
	Steps       int    `toml:"steps"`
	Seed        uint64 `toml:"seed"`
	LogEvery    int    `toml:"log_every" help:"steps between lines of metrics.jsonl"`
	WarpEvery   int    `toml:"warp_every" help:"steps between snapshots of the warp"`
	EvalEvery   int    `toml:"eval_every" help:"steps between held-out losses"`
	SampleEvery int    `toml:"sample_every" help:"steps between samples"`
	SaveEvery   int    `toml:"save_every" help:"steps between checkpoints"`
	Keep        int    `toml:"keep" help:"checkpoints kept"`
	MaxSkips    int    `toml:"max_skips" help:"non-finite steps in a row before rolling back, then stopping"`
}

// Presets names the configurations that Preset knows.
func Presets() []string { return []string{"nano", "nano-ar", "small", "base"} }

// Preset returns a named configuration.
func Preset(name string) (Config, error) {
	c := Config{
		Data:  DataConfig{Tokenizer: "byte", Length: 128},
		Model: ModelConfig{EmbedDim: 16, EmbedStd: embeddings.InitStd, Width: 128, Layers: 4, Heads: 4, MLP: 512, LocalHeads: true},
		Process: ProcessConfig{
			Objective: CDCD, TMin: .2, TMax: 50, Loss: diffusion.LossCE, Warp: "online", Mask: "mixed", SelfConditioning: .5, ConditionDrop: .1,
		},
		Optim: OptimConfig{
			Batch: 8, MicroBatch: 8, LR: 3e-3, Warmup: 100, FinalLR: .05,
			Beta1: .9, Beta2: .99, Clip: 1, EMA: .998, Precision: "fp32",
		},
		Run: RunConfig{
			Steps: 4000, Seed: 1, LogEvery: 10, WarpEvery: 50, EvalEvery: 500, SampleEvery: 500, SaveEvery: 500,
			Keep: 2, MaxSkips: 10,
		},
	}
	switch name {
	case "nano": // minutes on two cores
	case "nano-ar": // nanoGPT's recipe for a CPU: contexts of 64 tokens, each with the one that follows
		c.Data.Length = 65
		c.Process.Objective = AR
		c.Optim.Batch, c.Optim.MicroBatch, c.Optim.LR, c.Optim.FinalLR, c.Optim.WeightDecay = 12, 12, 1e-3, .1, .1
		c.Run.Steps = 2000
	case "small": // hours on two cores
		c.Model = ModelConfig{EmbedDim: 64, EmbedStd: embeddings.InitStd, Width: 384, Layers: 6, Heads: 6, MLP: 1536, LocalHeads: true}
		c.Process.TMin, c.Process.TMax = .5, 100
		c.Optim.Batch, c.Optim.MicroBatch, c.Optim.LR, c.Optim.Warmup, c.Optim.EMA = 32, 8, 1e-3, 500, .9995
		c.Run.Steps = 20_000
	case "base": // the sizes of Dieleman et al. 2022, section 5 and appendix C
		c.Data.Length = 64
		c.Model = ModelConfig{EmbedDim: 256, EmbedStd: embeddings.InitStd, Width: 1024, Layers: 8, Heads: 16, MLP: 4096}
		c.Process.TMin, c.Process.TMax = 1, 300
		c.Optim.Batch, c.Optim.MicroBatch, c.Optim.LR, c.Optim.Warmup, c.Optim.EMA = 1024, 16, 1e-4, 2000, .9999
		c.Run.Steps, c.Run.SaveEvery, c.Run.EvalEvery, c.Run.SampleEvery = 1_000_000, 1000, 2000, 2000
	default:
		return Config{}, fmt.Errorf("unknown preset %q: choose one of %s", name, strings.Join(Presets(), ", "))
	}
	return c, nil
}

// Validate reports the first value that cannot work, by its key.
func (c Config) Validate() error {
	for _, v := range []struct {
		key  string
		ok   bool
		rule string
	}{
		{"data.length", c.Data.Length >= 2 && c.Data.Length <= 1<<16, "from 2 to 65536"},
		{"model.embed_dim", c.Model.EmbedDim >= 2, "at least 2"},
		{"model.embed_std", c.Model.EmbedStd >= 0 && c.Model.EmbedStd <= 1e3, "above 0 and at most 1000"},
		{"model.heads", c.Model.Heads >= 1 && c.Model.Width%max(c.Model.Heads, 1) == 0, "a divisor of model.width"},
		{"process.objective", slices.Contains([]string{"", CDCD, AR}, c.Process.Objective), CDCD + " or " + AR},
		{"process.fim", share(c.Process.FIM), "from 0 to 1"},
		{"process.fim", c.Process.FIM == 0 || c.Process.Objective == AR, "0 unless process.objective is " + AR},
		{
			"data.length", c.Process.FIM == 0 || c.Data.Length > autoregressive.NumSentinels,
			fmt.Sprintf("above the %d sentinels of process.fim", autoregressive.NumSentinels),
		},
		{"process.t_min", c.Process.TMin > 0, "above 0"},
		{"process.t_max", c.Process.TMax > c.Process.TMin, "above process.t_min"},
		// runs of the first versions name none
		{"process.loss", slices.Contains([]string{"", diffusion.LossCE, diffusion.LossLikelihood}, c.Process.Loss), "ce or likelihood"},
		{"optim.batch", c.Process.Loss != diffusion.LossLikelihood || c.Optim.Batch >= 2, "at least 2 for process.loss likelihood"},
		{"process.self_conditioning", share(c.Process.SelfConditioning), "from 0 to 1"},
		{"process.condition_drop", share(c.Process.ConditionDrop), "from 0 to 1"},
		{"optim.batch", c.Optim.Batch >= 1, "at least 1"},
		{"optim.micro_batch", c.Optim.MicroBatch >= 1 && c.Optim.MicroBatch <= c.Optim.Batch, "from 1 to optim.batch"},
		{"optim.lr", c.Optim.LR > 0, "above 0"},
		{"optim.warmup", c.Optim.Warmup >= 0, "at least 0"},
		{"optim.final_lr", share(c.Optim.FinalLR), "from 0 to 1"},
		{"optim.beta1", share(c.Optim.Beta1) && c.Optim.Beta1 < 1, "from 0 to below 1"},
		{"optim.beta2", share(c.Optim.Beta2) && c.Optim.Beta2 < 1, "from 0 to below 1"},
		{"optim.weight_decay", c.Optim.WeightDecay >= 0, "at least 0"},
		{"optim.dropout", share(c.Optim.Dropout) && c.Optim.Dropout <= .9, "from 0 to 0.9"},
		{"optim.clip", c.Optim.Clip > 0, "above 0"},
		{"optim.ema", share(c.Optim.EMA) && c.Optim.EMA < 1, "from 0 to below 1"},
		// runs of the first versions name none
		{"optim.precision", slices.Contains([]string{"", "fp32", "bf16"}, c.Optim.Precision), "fp32 or bf16"},
		{"run.steps", c.Run.Steps >= 1, "at least 1"},
		{"run.log_every", c.Run.LogEvery >= 1, "at least 1"},
		{"run.warp_every", c.Run.WarpEvery >= 1, "at least 1"},
		{"run.eval_every", c.Run.EvalEvery >= 1, "at least 1"},
		{"run.sample_every", c.Run.SampleEvery >= 1, "at least 1"},
		{"run.save_every", c.Run.SaveEvery >= 1, "at least 1"},
		{"run.keep", c.Run.Keep >= 2, "at least 2"},
		{"run.max_skips", c.Run.MaxSkips >= 1, "at least 1"},
	} {
		if !v.ok {
			return fmt.Errorf("config: %s must be %s", v.key, v.rule)
		}
	}
	if c.Data.Follow && c.Data.Stream == "-" {
		return fmt.Errorf("config: data.follow is for shards, not for text on standard input")
	}
	if err := diffusion.CheckMask(c.Process.Mask); err != nil {
		return fmt.Errorf("config: process.mask: %w", err)
	}
	if !slices.Contains(timewarp.Kinds(), c.Process.Warp) {
		return fmt.Errorf("config: process.warp: unknown warp %q: choose one of %s", c.Process.Warp, strings.Join(timewarp.Kinds(), ", "))
	}
	if err := c.Model.Denoiser(2).Validate(); err != nil {
		return fmt.Errorf("config: %w", err)
	}
	return nil
}

// share reports whether v is in [0, 1]; NaN is not.
func share(v float64) bool { return v >= 0 && v <= 1 }
