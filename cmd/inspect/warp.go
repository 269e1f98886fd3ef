package main

import (
	"github.com/spf13/cobra"

	"github.com/seed-4c77ef92/textwarp/cmd/internal/view"
	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/internal/inspect"
)

func newWarpCommand() *cobra.Command {
	var o view.Output
	cmd := &cobra.Command{
		Use:   "warp RUN",
		Short: "The time warp: where on the noise axis training happens",
		Long: `Show the time warp of a run: its distribution function over the logarithm of the
noise level with its history, its density, the loss by noise level with the
fitted curve, and whether the loss is linear in the warped time, which is what
the warp is for.

` + cli.ExitHelp,
		Example: `  inspect warp run
  inspect warp run --png warp.png       # all figures on one page
  inspect warp run --csv - | head       # the points of all figures`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cli.Runs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := inspect.ReadWarp(args[0])
			if err != nil {
				return hinted(args[0], err)
			}
			return o.Show(cmd.OutOrStdout(), v)
		},
	}
	o.AddFlags(cmd)
	return cmd
}
