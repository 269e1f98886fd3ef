package command

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

// trainer makes a tokenizer from documents.
type trainer func(iter.Seq[string]) (*tokenize.Tokenizer, error)

// sizedTrainers make tokenizers of a given number of tokens.
var sizedTrainers = map[string]func(iter.Seq[string], int) (*tokenize.Tokenizer, error){
	"bpe":       tokenize.TrainBPE,
	"wordpiece": tokenize.TrainWordPiece,
	"unigram":   tokenize.TrainUnigram,
}

// chooseTokenizer loads the tokenizer that --tokenizer names, or says how it is
// trained: one of the two is nil.
func chooseTokenizer(name string) (*tokenize.Tokenizer, trainer, error) {
	switch name {
	case "byte":
		return tokenize.NewByte(), nil, nil
	case "char":
		return nil, tokenize.TrainChar, nil
	}
	if rest, ok := strings.CutPrefix(name, "train:"); ok {
		kind, size, _ := strings.Cut(rest, ":")
		train := sizedTrainers[kind]
		if train == nil {
			return nil, nil, cli.Usagef("--tokenizer %q: can train bpe, wordpiece or unigram, as in train:bpe:8192", name)
		}
		n, err := strconv.Atoi(size)
		if err != nil {
			return nil, nil, cli.Usagef("--tokenizer %q: %q is not a number of tokens", name, size)
		}
		return nil, func(docs iter.Seq[string]) (*tokenize.Tokenizer, error) { return train(docs, n) }, nil
	}
	tok, err := tokenize.Load(name)
	if errors.Is(err, tokenize.ErrFormat) {
		err = cli.Exit(cli.ExitCorrupt, err)
	}
	return tok, nil, err
}

// setTokenizer has the data set made with the tokenizer that --tokenizer names.
func (o *shardOptions) setTokenizer() error {
	tok, train, err := chooseTokenizer(o.tokenizer)
	if err != nil {
		return err
	}
	if train == nil {
		o.Encoder, o.TokenizerJSON = tok, tok.JSON()
		return nil
	}
	o.Train = func(docs iter.Seq[string]) (pipeline.Encoder, []byte, error) {
		tok, err := train(docs)
		if err != nil {
			return nil, nil, err
		}
		return tok, tok.JSON(), nil
	}
	return nil
}

// makeTokenizer makes the tokenizer that --tokenizer names without a data set.
func makeTokenizer(ctx context.Context, o shardOptions) (*tokenize.Tokenizer, error) {
	tok, train, err := chooseTokenizer(o.tokenizer)
	if err != nil || train == nil {
		return tok, err
	}
	var failed error
	tok, err = train(func(yield func(string) bool) {
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
