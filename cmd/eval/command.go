package main

import (
	"github.com/spf13/cobra"

	"github.com/seed-4c77ef92/textwarp/cmd/internal/view"
	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/internal/eval"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

type options struct {
	view.Output
	eval.Options
	judge   string
	threads int
}

func newCommand() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "eval RUN",
		Short: "Judge a trained run: likelihood, samples, infilling",
		Long: `Judge the averaged weights of a run's newest checkpoint on held-out text: the
cross-entropy by noise level, the likelihood in nats a token and bits a byte (of
diffusion an upper bound) and whether the bound can be trusted, what the run
writes and how well it fills holes. Whatever is sampled is scored beside as much
real text, of at most --windows texts, and, with --judge, beside what the judge
itself writes at temperature 1. It takes minutes.

Held-out text is what the run was given when it was trained, or the val split of
its shards; the training text that the n-gram judge learns from is in its shards.

` + cli.ExitHelp,
		Example: `  bin/eval run     # by its path: eval alone is a builtin of the shell
  bin/eval run --steps 200 --temperature 0.9 --samples 200 --png eval.png
  bin/eval run --judge ar-run --json > eval.json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cli.Runs(1),
		Version:           cli.Version(),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Samples < 2 || o.Windows < 2 {
				return cli.Usagef("--samples %d, --windows %d: a standard error needs two", o.Samples, o.Windows)
			}
			pool := kernels.NewPool(o.threads)
			defer pool.Close()
			run, err := load(args[0], pool)
			if err != nil {
				return err
			}
			if o.judge != "" {
				if o.Second, err = load(o.judge, pool); err != nil {
					return err
				}
			}
			r, err := eval.Evaluate(cmd.Context(), *run, o.Options, func(stage string) {
				cli.Tell("%s", stage)
			})
			if err != nil {
				return err
			}
			return o.Show(cmd.OutOrStdout(), report{r})
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.HeldOut, "held-out", "", "shards of held-out text (default: the run's own)")
	f.StringVar(&o.Text, "text", "", "file with the training text (default: the shards that the run learned from)")
	f.StringVar(&o.judge, "judge", "", "run of the objective ar: a second judge, and the baseline of what is sampled")
	f.IntVar(&o.Windows, "windows", 128, "held-out windows")
	f.IntVar(&o.Samples, "samples", 50, "texts of each source, and windows with holes; of real text and holes at most --windows")
	f.IntVar(&o.Sampler.Steps, "steps", 50, "steps from noise to text")
	f.StringVar(&o.Sampler.Method, "sampler", diffusion.Euler, "euler, heun (two network calls a step) or ancestral")
	f.Float64Var(&o.Sampler.Temperature, "temperature", .8, "temperature of the score, or of the next token")
	f.BoolVar(&o.Sampler.Exact, "exact", true, "temperature by the step that is exact for a constant guess; false: by the sampler's own, which repeats itself below 0.9")
	f.Float64Var(&o.Sampler.Guidance, "guidance", 1, "strength of what is given, where holes are filled")
	f.Float64Var(&o.Sampler.InitialNoise, "initial-noise", 1, "first noise, as a share of the highest level")
	f.Uint64Var(&o.Sampler.Seed, "seed", 1, "of windows, masks, noise and samples")
	f.IntVar(&o.threads, "threads", 0, "processor cores to use (default: all)")
	o.AddFlags(cmd)
	cli.FlagDataSets(cmd, "held-out")
	cli.FlagRuns(cmd, "judge")
	cli.FlagChoices(cmd, "sampler", diffusion.Euler, diffusion.Heun, diffusion.Ancestral)
	return cmd
}

func load(name string, pool *kernels.Pool) (*eval.Run, error) {
	m, err := trainer.Load(name, pool)
	if err != nil {
		return nil, err
	}
	for _, s := range m.Skipped {
		cli.Tell("warning: %s; falling back to step %d", s, m.Step)
	}
	return &eval.Run{Name: name, Model: m}, nil
}
