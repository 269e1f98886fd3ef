package main

import (
	"github.com/spf13/cobra"

	"github.com/seed-4c77ef92/textwarp/internal/cli"
)

func newCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "prep",
		Short: "Turn text into shards, and look into them",
		Long: `Turn a corpus of text into a data set: shards of tokenised documents with a
manifest of their hashes, which train reads as a stream.`,
		Version: cli.Version(),
	}
	cmd.AddCommand(newShardCommand(), newVerifyCommand(), newCatCommand(), newStatsCommand(), newTokenizerCommand())
	return cmd
}
