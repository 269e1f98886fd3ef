package main

import (
	"github.com/spf13/cobra"

	"github.com/seed-4c77ef92/textwarp/cmd/internal/view"
	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/internal/inspect"
)

func newRunCommand() *cobra.Command {
	var o view.Output
	cmd := &cobra.Command{
		Use:   "run RUN",
		Short: "The curves of a run: losses, gradient norm, rate, speed",
		Long: `Show the curves of a run: training loss, held-out loss by noise level, gradient
norm, learning rate and speed, and the newest text that it wrote.

The training loss is taken at the noise levels that the warp chooses, and these
change as the warp learns: it can rise while the model improves. The held-out
losses stand at fixed noise levels and compare over time and between runs. Of a
run that predicts the next token both are likelihoods.

` + cli.ExitHelp,
		Example: `  inspect run run
  inspect run run --svg figures/        # a file for each figure
  inspect run run --json > run.json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cli.Runs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := inspect.ReadCurves(args[0])
			if err != nil {
				return hinted(args[0], err)
			}
			return o.Show(cmd.OutOrStdout(), v)
		},
	}
	o.AddFlags(cmd)
	return cmd
}
