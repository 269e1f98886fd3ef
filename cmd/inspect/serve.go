package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/internal/loopback"
)

func newServeCommand() *cobra.Command {
	var listen, stream string
	cmd := &cobra.Command{
		Use:   "serve RUN...",
		Short: "A page in the browser, also while a run is training",
		Long: `Show one or several runs on a page in the browser: the warp, the loss by noise
level, the embeddings, texts as they sharpen from noise, the curves and, with
--stream, the shards. A run may be training: the page follows it.

The page is for this machine: it listens on a loopback address, answers no other
page, loads nothing from elsewhere and reads nothing outside of the run
directories. From another machine, tunnel: ssh -L 8080:127.0.0.1:8080 HOST.

Its address is printed on standard output. Ctrl-C ends it.

` + cli.ExitHelp,
		Example: `  inspect serve run
  inspect serve runs/a runs/b --stream shards --listen 127.0.0.1:8080`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: cli.Runs(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := openPage(args, stream)
			if err != nil {
				return err
			}
			defer s.Close()
			l, err := loopback.Listen(listen)
			if err != nil {
				return cli.Exit(cli.ExitUsage, err)
			}
			if _, err := fmt.Fprintf(cmd.OutOrStdout(), "http://%s/\n", l.Addr()); err != nil {
				l.Close()
				return err
			}
			if cli.IsTerminal(os.Stdout) {
				cli.Tell("open it in a browser; Ctrl-C ends it")
			}
			return s.Serve(cmd.Context(), l)
		},
	}
	f := cmd.Flags()
	f.StringVar(&listen, "listen", "127.0.0.1:0", "loopback address and port; port 0 is any that is free")
	f.StringVar(&stream, "stream", "", "directory of shards to show as well, and to count tokens in")
	cli.FlagDataSets(cmd, "stream")
	return cmd
}
