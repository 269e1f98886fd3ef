package main

import (
	"github.com/spf13/cobra"

	"github.com/seed-4c77ef92/textwarp/cmd/internal/view"
	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/internal/inspect"
)

func newShardsCommand() *cobra.Command {
	var o view.Output
	cmd := &cobra.Command{
		Use:   "shards DIR",
		Short: "What there is to train on: documents, their lengths, tokens a byte",
		Long: `Show a directory of shards: how many documents and tokens it has, how long the
documents are, and how many tokens the tokenizer makes of a byte of text.

` + cli.ExitHelp,
		Example: `  inspect shards shards
  inspect shards shards --png shards.png`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cli.DataSets(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := inspect.ReadShards(cmd.Context(), args[0], 0)
			if err != nil {
				return err
			}
			return o.Show(cmd.OutOrStdout(), v)
		},
	}
	o.AddFlags(cmd)
	return cmd
}
