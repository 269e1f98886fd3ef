package main

import (
	"errors"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/seed-4c77ef92/textwarp/internal/cli"
)

func newCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "inspect",
		Short: "Show what a run has learned",
		Long: `Show a run directory, of a run that has ended or of one that is going on, as
charts on the terminal, as pictures (PNG, SVG), as tables (CSV) or as JSON.

` + cli.ExitHelp,
		Example: `  inspect run run                       # loss, held-out loss, speed
  inspect warp run --png warp.png       # all figures on one page
  inspect embeddings run --token e --token the`,
		Version: cli.Version(),
	}
	root.AddCommand(newWarpCommand(), newEmbeddingsCommand(), newRunCommand(), newCompareCommand(), newShardsCommand(),
		newServeCommand(), newReportCommand())
	return root
}

// hinted says how there comes to be a run where there is none.
func hinted(run string, err error) error {
	if _, absent := os.Stat(run); errors.Is(absent, fs.ErrNotExist) {
		return cli.Hint(err, "train --stream SHARDS -o "+run)
	}
	return err
}
