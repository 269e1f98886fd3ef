package main

import (
	"github.com/spf13/cobra"

	"github.com/seed-4c77ef92/textwarp/cmd/internal/view"
	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/internal/inspect"
)

func newCompareCommand() *cobra.Command {
	var o view.Output
	cmd := &cobra.Command{
		Use:   "compare RUN RUN...",
		Short: "Runs side by side: a table, overlaid curves, settings that differ",
		Long: `Lay runs side by side: their losses, speeds and warps over one another, a line
for each in a table, and the settings that are not the same in all.

The training losses of diffusion are taken at the noise levels that each run's
warp chooses, and do not compare between runs; held-out losses do.

` + cli.ExitHelp,
		Example: `  inspect compare runs/a runs/b
  inspect compare runs/* --png compared.png
  inspect compare runs/* --json > compared.json`,
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: cli.Runs(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := inspect.ReadComparison(args)
			if err != nil {
				for _, run := range args {
					err = hinted(run, err)
				}
				return err
			}
			return o.Show(cmd.OutOrStdout(), v)
		},
	}
	o.AddFlags(cmd)
	return cmd
}
