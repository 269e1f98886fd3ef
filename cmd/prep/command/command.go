// Package command is the command tree of prep, for the program in cmd/prep and
// for others that add an engine to it.
package command

import (
	"github.com/spf13/cobra"

	"github.com/seed-4c77ef92/textwarp/internal/cli"
)

// New returns the command prep with a choice of engines beside this process.
func New(engines ...Engine) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "prep",
		Short: "Turn text into shards, and look into them",
		Long: `Turn a corpus of text into a data set: shards of tokenised documents with a
manifest of their hashes, which train reads as a stream.`,
		Example: `  prep shard corpus/ -o shards --tokenizer train:bpe:16384 --val 0.01
  prep verify shards
  prep stats shards`,
		Version: cli.Version(),
	}
	cmd.AddCommand(newShardCommand(engines), newVerifyCommand(), newRepairCommand(), newCatCommand(), newStatsCommand(), newTokenizerCommand())
	return cmd
}
