package main

import (
	"github.com/spf13/cobra"

	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/internal/generate"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

type options struct {
	prompt, infill string
	length, n      int
	candidates     int
	rank, judge    string
	nfe            int
	budgeted       bool // nfe was given
	json, watch    bool
	trace          string
	threads        int
	pool           *kernels.Pool // of so many cores
	topP           float64
	sampler        diffusion.Sampler
	wanted         generate.Constraints
	strength       float64 // of control
}

func newCommand() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "sample RUN",
		Short: "Write text with a trained model",
		Long: `Write text with the averaged weights of a run's newest checkpoint. The learned
warp is the clock: noise levels are spaced evenly in u, so that each step
removes the same share of what is uncertain.

Text goes to standard output, samples separated by a line of dashes. A blank
line stands where the model ends one document and begins another.

A hole of variable length, [MASK:4-12], is filled in with every length, and the
best text is taken. Two or more of them share 32 combinations of lengths at
most: longer ranges are thinned evenly. --candidates writes several texts of
each length. The best is by --rank

  confidence  the text that the model itself finds most probable: mean ln p of
              what was written and the 4 given tokens on either side, noised
              again at 8 levels of the clock
  mbr         the text that the other candidates are most like, by chrF: the
              F-score of character n-grams (minimum Bayes risk)
  judge       the text that another run finds most likely, in nats a character:
              --judge RUN, one that predicts the next token

--contain and --avoid steer each step by the gradient of the wish's probability
through the network, and settle halfway what is still open: a word is put in its
place, or one of its tokens is forbidden. --starts and --ends are given from the
first. Whether a text does what was asked is read off the text, whole words only,
and said in the JSON; a warning counts the texts that do not.

A run that predicts the next token (train --objective ar) has no noise, no steps
and no guidance: it continues a text, and fills one hole if it was trained with
process.fim. It decides itself how many of the n tokens of [MASK:n] it writes.

` + cli.ExitHelp,
		Example: `  sample run                                        # four windows of text
  sample run --prompt 'ROMEO:' --n 2 --temperature 0.9
  sample run --infill 'To be, or [MASK:12], that is the question'
  sample run --infill 'ROMEO: [MASK:4-24] fair Juliet' --candidates 4 --watch
  sample run --n 1 --candidates 16 --rank mbr --nfe 1600     # 100 calls each
  sample run --starts 'ROMEO:' --contain love --contain death --avoid the --ends 'my lord.'
  sample run --json --n 50 --steps 200 > samples.jsonl`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cli.Runs(1),
		Version:           cli.Version(),
		RunE: func(cmd *cobra.Command, args []string) error {
			pool := kernels.NewPool(o.threads)
			defer pool.Close()
			o.pool = pool
			model, err := trainer.Load(args[0], pool)
			if err != nil {
				return err
			}
			for _, s := range model.Skipped {
				cli.Tell("warning: %s; falling back to step %d", s, model.Step)
			}
			objective := model.Config.Process.Objective
			if err := misplaced(objective, cmd.Flags()); err != nil {
				return err
			}
			if objective == trainer.AR {
				return predict(cmd.Context(), cmd.OutOrStdout(), model, o)
			}
			o.budgeted = cmd.Flags().Changed("nfe")
			return run(cmd.Context(), cmd.OutOrStdout(), model, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.prompt, "prompt", "", "text to continue")
	f.StringVar(&o.infill, "infill", "", "text with holes: [MASK:n] is a hole of n tokens, [MASK:n-m] one of n to m")
	f.StringArrayVar(&o.wanted.Contain, "contain", nil, "word, or words, that the text has to contain (may be repeated)")
	f.StringArrayVar(&o.wanted.Avoid, "avoid", nil, "word, or words, that the text must not contain (may be repeated)")
	f.StringVar(&o.wanted.Starts, "starts", "", "what the text starts with")
	f.StringVar(&o.wanted.Ends, "ends", "", "what the text ends with")
	f.Float64Var(&o.strength, "control-strength", generate.ControlStrength, "how strongly --contain and --avoid steer; 1 is Bayes' rule, 0 leaves it to settling")
	f.IntVar(&o.length, "length", 0, "tokens of a sample, prompt included (default: the length trained on)")
	f.IntVarP(&o.n, "n", "n", 4, "samples")
	f.Uint64Var(&o.sampler.Seed, "seed", 1, "the same seed gives the same text")
	f.IntVar(&o.sampler.Steps, "steps", 50, "steps from noise to text")
	f.IntVar(&o.nfe, "nfe", 0, "instead of steps: network calls for a sample and all its candidates, reading the tokens off and ranking included")
	f.StringVar(&o.sampler.Method, "sampler", diffusion.Euler, "euler, heun (two network calls a step) or ancestral")
	f.Float64Var(&o.sampler.Temperature, "temperature", .8, "temperature of the score or, of a run that predicts the next token, of the logits; below 1 is safer and less varied")
	f.Float64Var(&o.topP, "top-p", 1, "of a run that predicts the next token: draw from the fewest tokens with this share of the probability")
	f.BoolVar(&o.sampler.Exact, "exact", true, "temperature by the step that is exact for a constant guess; false: by the sampler's own, which repeats itself below 0.9")
	f.Float64Var(&o.sampler.Guidance, "guidance", 1, "strength of the prompt or context; 1 is as trained")
	f.Float64Var(&o.sampler.InitialNoise, "initial-noise", 1, "first noise, as a share of the highest level")
	f.IntVar(&o.candidates, "candidates", 1, "texts to choose each sample from")
	f.StringVar(&o.rank, "rank", "confidence", "how to choose: confidence, mbr or judge")
	f.StringVar(&o.judge, "judge", "", "`run` of the objective ar that --rank judge asks")
	f.BoolVar(&o.json, "json", false, "one JSON object a sample: text, and every token with its confidence")
	f.BoolVar(&o.watch, "watch", false, "draw every step on the terminal: certain tokens bright, others dim, given ones cyan")
	f.StringVar(&o.trace, "trace", "", "`file` for one JSON object a text and step: noise, network calls, and every token with its confidence")
	f.IntVar(&o.threads, "threads", 0, "processor cores to use (default: all)")
	cmd.MarkFlagsMutuallyExclusive("prompt", "infill")
	for _, edge := range []string{"starts", "ends"} {
		cmd.MarkFlagsMutuallyExclusive(edge, "prompt")
		cmd.MarkFlagsMutuallyExclusive(edge, "infill")
	}
	cmd.MarkFlagsMutuallyExclusive("steps", "nfe")
	cli.FlagRuns(cmd, "judge")
	cli.FlagChoices(cmd, "sampler", diffusion.Euler, diffusion.Heun, diffusion.Ancestral)
	cli.FlagChoices(cmd, "rank", "confidence", "mbr", "judge")
	return cmd
}
