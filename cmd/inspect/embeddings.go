package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/seed-4c77ef92/textwarp/cmd/internal/view"
	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/internal/inspect"
)

type embeddingsOptions struct {
	view.Output
	stream, export string
	tokens         []string
	neighbours     int
}

func newEmbeddingsCommand() *cobra.Command {
	var o embeddingsOptions
	cmd := &cobra.Command{
		Use:   "embeddings RUN",
		Short: "The learned embedding table: norms, geometry, neighbours, projection",
		Long: `Show the embedding table of a run's newest checkpoint, as sampling uses it
(averaged weights): the norms of its raw rows, how far it is from collapse, its
effective rank, the rows that training never touched, the neighbours of tokens,
and its first two principal components.

` + cli.ExitHelp,
		Example: `  inspect embeddings run --token e --token 'the' --neighbours 5
  inspect embeddings run --stream shards --png embeddings.png
  inspect embeddings run --export projector   # safetensors, and TSV for the TensorBoard projector`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cli.Runs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := o.read(cmd.Context(), args[0])
			if err != nil {
				return hinted(args[0], err)
			}
			if o.export != "" {
				wrote := func(path string) { cli.Tell("wrote %s", path) }
				if err := v.Export(o.export, wrote); err != nil {
					return err
				}
			}
			return o.Show(cmd.OutOrStdout(), v)
		},
	}
	o.AddFlags(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&o.tokens, "token", nil, "show the neighbours of this token: its text, or #ID; may be repeated")
	f.IntVar(&o.neighbours, "neighbours", 8, "how many neighbours")
	f.StringVar(&o.stream, "stream", "", "directory of shards, to show norms by token frequency")
	f.StringVar(&o.export, "export", "", "directory for embeddings.safetensors and the files of the TensorBoard projector")
	cli.FlagDataSets(cmd, "stream")
	cli.FlagDirs(cmd, "export")
	return cmd
}

// read studies the table of a run as far as it is asked for.
func (o embeddingsOptions) read(ctx context.Context, run string) (*inspect.Embeddings, error) {
	if o.neighbours < 1 {
		return nil, cli.Usagef("--neighbours is at least 1, not %d", o.neighbours)
	}
	v, err := inspect.ReadEmbeddings(run)
	if err != nil {
		return nil, err
	}
	for _, s := range v.Skipped {
		cli.Tell("warning: %s; showing step %d", s, v.Step)
	}
	if o.stream != "" {
		if err := v.AddCounts(ctx, o.stream); err != nil {
			return nil, err
		}
	}
	for _, text := range o.tokens {
		if err := v.AddNeighbours(text, o.neighbours); err != nil {
			return nil, cli.Exit(cli.ExitUsage, err)
		}
	}
	return v, nil
}
