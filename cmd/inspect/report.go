package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/internal/page"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

func newReportCommand() *cobra.Command {
	var out, stream string
	cmd := &cobra.Command{
		Use:   "report RUN...",
		Short: "The page of serve as one file to send",
		Long: `Write what inspect serve shows as one file of HTML that holds its data, opens
from disk without a network, and prints.

It holds at most 32 MB of data: the curves, 40 snapshots of the warp, 24 samples
and the vectors of 4,000 tokens of each run. What has no place is named on
standard error.

` + cli.ExitHelp,
		Example: `  inspect report run
  inspect report runs/a runs/b --stream shards -o compared.html`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: cli.Runs(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := openPage(args, stream)
			if err != nil {
				return err
			}
			defer s.Close()
			var leftOut []string
			err = safeio.FS{}.WriteFile(out, func(w io.Writer) (err error) {
				leftOut, err = s.Report(cmd.Context(), w)
				return err
			})
			if err != nil {
				return err
			}
			for _, problem := range s.Problems() {
				cli.Tell("warning: %s", problem)
			}
			for _, path := range leftOut {
				cli.Tell("warning: no place in the report for %s", path)
			}
			cli.Tell("wrote %s", out)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVarP(&out, "out", "o", "report.html", "file to write")
	f.StringVar(&stream, "stream", "", "directory of shards to show as well, and to count tokens in")
	cli.FlagDataSets(cmd, "stream")
	return cmd
}

// openPage opens the runs of a page.
func openPage(runs []string, stream string) (*page.Server, error) {
	s, err := page.New(cli.Version(), runs, stream)
	if err != nil {
		for _, run := range runs {
			err = hinted(run, err)
		}
		return nil, err
	}
	return s, nil
}
