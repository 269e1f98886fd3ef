package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/pipeline"
)

func newRepairCommand() *cobra.Command {
	var o shardOptions
	cmd := &cobra.Command{
		Use:   "repair DIR [CORPUS...]",
		Short: "Make the damaged shards of a data set anew",
		Long: `Check the hash of every shard of a data set and of its tokenizer.json, and make
those anew that are damaged or gone, from the corpus that the data set was made
from. The options that it was made with stand in its manifest. Another corpus is
refused before anything is written, and no file is replaced unless the new one has
the hash in the manifest. What is whole is read once and left alone; so are files
that are not part of the data set, which are listed.

Without a corpus this finds out whether one is needed. --tokenizer is needed only
if tokenizer.json is damaged or gone: the file, or what was given to prep shard
(train:bpe:SIZE, train:wordpiece:SIZE, train:unigram:SIZE, char, byte).

` + cli.ExitHelp,
		Example: `  prep repair shards
  prep repair shards corpus/
  prep repair shards corpus/ --tokenizer train:bpe:16384`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Out, o.Sources, o.Stdin = args[0], args[1:], cmd.InOrStdin()
			return runRepair(cmd.Context(), cmd.OutOrStdout(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.tokenizer, "tokenizer", "", "tokenizer of the data set, if its tokenizer.json is damaged or gone")
	f.StringVar(&o.StdinName, "stdin-name", "stdin.txt", "the name that standard input (-) was given")
	f.IntVar(&o.Workers, "workers", runtime.GOMAXPROCS(0), "shards checked and made at a time; does not change the result")
	f.BoolVar(&o.json, "json", false, "print what was done as JSON")
	return cmd
}

func runRepair(ctx context.Context, out io.Writer, o shardOptions) error {
	if o.Workers < 1 {
		return cli.Usagef("--workers %d: not positive", o.Workers)
	}
	if err := o.findTokenizer(); err != nil {
		return err
	}
	bars := &stages{}
	defer bars.done()
	o.Progress = bars.show
	r, err := pipeline.Repair(ctx, o.Options)
	bars.done()
	if err != nil {
		return explainRepair(ctx, o, err)
	}
	if o.json {
		return cli.WriteJSON(out, r)
	}
	fmt.Fprintf(out, "checked  %s\n", countOf(r.Checked, "shard"))
	for _, name := range r.Rebuilt {
		fmt.Fprintf(out, "rebuilt  %s\n", name)
	}
	if r.Tokenizer {
		fmt.Fprintln(out, "rebuilt  tokenizer.json")
	}
	for _, name := range r.Foreign {
		fmt.Fprintf(out, "foreign  %q, left alone\n", name)
	}
	_, err = fmt.Fprintf(out, "ok       %s\n", o.Out)
	return err
}

// findTokenizer takes the tokenizer.json of the data set if it is whole and no
// other is named.
func (o *shardOptions) findTokenizer() error {
	if o.tokenizer != "" {
		return o.setTokenizer()
	}
	d, err := pipeline.Open(o.Out)
	if err != nil {
		return err
	}
	sum, _, err := safeio.HashFile(d.TokenizerFile())
	if err != nil || sum != d.Manifest().Plan.Tokenizer.SHA256 {
		return nil // Repair says so, if it is needed
	}
	o.tokenizer = d.TokenizerFile()
	return o.setTokenizer()
}

// explainRepair says what to do about an error.
func explainRepair(ctx context.Context, o shardOptions, err error) error {
	switch {
	case ctx.Err() != nil:
		return cli.Hint(err, "the same command continues where this one stopped")
	case errors.Is(err, safeio.ErrMismatch):
		return cli.Hint(err, "give the very corpus and tokenizer that the data set was made from, or make a new one with prep shard")
	case errors.Is(err, safeio.ErrCorrupt) && len(o.Sources) == 0:
		return cli.Hint(err, fmt.Sprintf("prep repair %s CORPUS... [--tokenizer TOKENIZER]", filepath.ToSlash(o.Out)))
	case errors.Is(err, safeio.ErrCorrupt):
		return cli.Hint(err, "--tokenizer names the one that the data set was made with, as given to prep shard")
	}
	return err
}
