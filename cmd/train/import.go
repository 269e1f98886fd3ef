package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/internal/hub"
	"github.com/seed-4c77ef92/textwarp/timewarp"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

func newImport() *cobra.Command {
	var o options
	var freeze bool
	cmd := &cobra.Command{
		Use:   "import {FOLDER | EMBEDDINGS} --stream DIR",
		Short: "Begin a run with trained weights or embeddings",
		Long: `Begin a run with what was learned before, at step 0. train --resume RUN goes on
from there, and sample works at once.

A model folder that train export wrote gives all weights, the learned warp and the
settings that they depend on; the shards must have its tokenizer (prep shard
--tokenizer FOLDER/tokenizer.json). Of any other model the embedding table alone
can be taken, as the first or, with --freeze, the lasting one:

  .safetensors      rows by token id; the shards must have that model's tokenizer
  text              GloVe or word2vec; a token gets the row of the word that it is

A token without a row, or with one of zeros, begins at random. The table fixes model.embed_dim. Lengths of rows are kept: a long row turns slowly
and so stays near what it was, while the short random ones are learned fast.

Other settings are those of train.

` + cli.ExitHelp,
		Example: `  train import run-hf --stream more -o tuned && train --resume tuned
  train import glove.6B.100d.txt --stream shards -o run
  train import gpt2/model.safetensors --stream shards --freeze -o run --preset small`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.stream == "" && o.config == "" {
				return cli.Usagef("give the shards that the run will learn from with --stream")
			}
			saveMemory()
			source, err := hub.OpenSource(args[0])
			if err != nil {
				return err
			}
			if freeze {
				o.set = append(o.set, "model.freeze_embeddings=true")
			}
			s, err := settings(cmd, o, source)
			if err == nil {
				err = source.Check(s.Config)
			}
			if err != nil {
				return cli.Exit(cli.ExitUsage, err)
			}
			return begin(cmd.Context(), source, s, o)
		},
	}
	o.flags(cmd)
	cmd.Flags().BoolVar(&freeze, "freeze", false, "leave the embeddings as they are (model.freeze_embeddings)")
	return cmd
}

// begin writes the first checkpoint of a run from a source and tells what of it is
// from there.
func begin(ctx context.Context, source *hub.Source, s *trainer.Settings, o options) error {
	data, err := openData(ctx, s.Config, o)
	if err != nil {
		return err
	}
	pool := newPool(o.threads, s.Optim.Precision)
	defer pool.Close()
	to := trainer.Options{Pool: pool, Version: cli.Version()}
	if o.minutes > 0 {
		if err := fit(s, data, to, o.minutes); err != nil {
			return errors.Join(err, data.Train.Close())
		}
	}
	var taken hub.Taken
	to.Init = func(m *trainer.Model, w timewarp.Warp) (err error) {
		taken, err = source.Fill(hub.Beginning{Config: s.Config, Tokenizer: data.Tokenizer, Model: m, Warp: w})
		return err
	}
	t, err := trainer.Start(o.out, s, data, to)
	if err != nil {
		return errors.Join(err, data.Train.Close())
	}
	note := ""
	switch {
	case taken.Params < t.Parameters() && taken.Unused > 0:
		note = fmt.Sprintf(": embeddings of %d of %d tokens; rows of no token: %d", taken.Rows, data.Tokenizer.VocabSize(), taken.Unused)
	case taken.Params < t.Parameters():
		note = fmt.Sprintf(": embeddings of %d of %d tokens", taken.Rows, data.Tokenizer.VocabSize())
	case s.Process.Objective != trainer.AR && !taken.Warp:
		note = "; the warp begins anew, its settings are others"
	}
	cli.Tell("wrote %s: step 0 of %d, %d of %d parameters as given%s", o.out, s.Run.Steps, taken.Params, t.Parameters(), note)
	cli.Tell("Continue with: train --resume %s", o.out)
	return t.Close()
}
