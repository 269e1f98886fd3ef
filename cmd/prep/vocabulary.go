package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/pipeline"
	"github.com/seed-4c77ef92/textwarp/tokenize"
)

// makeTokenizer loads the tokenizer that --tokenizer names, or makes it from
// the training documents of the corpus.
func makeTokenizer(ctx context.Context, o shardOptions) (*tokenize.Tokenizer, error) {
	size, bpe := strings.CutPrefix(o.tokenizer, "train:bpe:")
	switch {
	case o.tokenizer == "byte":
		return tokenize.NewByte(), nil
	case o.tokenizer == "char":
		return train(ctx, o, tokenize.TrainChar)
	case bpe:
		n, err := strconv.Atoi(size)
		if err != nil {
			return nil, cli.Usagef("--tokenizer %q: %q is not a number of tokens", o.tokenizer, size)
		}
		return train(ctx, o, func(docs iter.Seq[string]) (*tokenize.Tokenizer, error) { return tokenize.TrainBPE(docs, n) })
	case strings.HasPrefix(o.tokenizer, "train:"):
		return nil, cli.Usagef("--tokenizer %q: can train bpe only, as in train:bpe:8192", o.tokenizer)
	}
	tok, err := tokenize.Load(o.tokenizer)
	if errors.Is(err, tokenize.ErrFormat) {
		err = cli.Exit(cli.ExitCorrupt, err)
	}
	return tok, err
}

func train(ctx context.Context, o shardOptions, with func(iter.Seq[string]) (*tokenize.Tokenizer, error)) (*tokenize.Tokenizer, error) {
	var failed error
	tok, err := with(func(yield func(string) bool) {
		for doc, err := range pipeline.Documents(ctx, o.Options) {
			if err != nil {
				failed = err
				return
			}
			if !yield(doc.Text) {
				return
			}
		}
	})
	if failed != nil {
		return nil, failed
	}
	if err != nil {
		return nil, fmt.Errorf("train tokenizer %q: %w", o.tokenizer, err)
	}
	return tok, nil
}
