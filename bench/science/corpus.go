package main

import (
	"context"
	"iter"
	"os"
	"path/filepath"
	"runtime"

	"github.com/seed-4c77ef92/textwarp/internal/judge"
	"github.com/seed-4c77ef92/textwarp/pipeline"
	"github.com/seed-4c77ef92/textwarp/tokenize"
)

// corpus is the text of all experiments: the first nine tenths of its bytes to
// learn from, the rest held out, both as shards of characters.
type corpus struct {
	train, heldOut  string // directories of shards
	trainText, held string
	judge           *judge.Judge
}

// prepare makes the shards below out, or finds them there.
func prepare(ctx context.Context, out, text string) (*corpus, error) {
	data, err := os.ReadFile(text)
	if err != nil {
		return nil, err
	}
	cut := len(data) * 9 / 10
	c := &corpus{
		train: filepath.Join(out, "train"), heldOut: filepath.Join(out, "val"),
		trainText: string(data[:cut]), held: string(data[cut:]),
	}
	for path, part := range map[string]string{c.train: c.trainText, c.heldOut: c.held} {
		if err := os.MkdirAll(path, 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path+".txt", []byte(part), 0o644); err != nil {
			return nil, err
		}
	}
	o := pipeline.Options{
		Sources: []string{c.train + ".txt"}, Out: c.train, Workers: runtime.GOMAXPROCS(0),
		Train: func(docs iter.Seq[string]) (pipeline.Encoder, []byte, error) {
			tok, err := tokenize.TrainChar(docs)
			if err != nil {
				return nil, nil, err
			}
			return tok, tok.JSON(), nil
		},
	}
	if _, _, err := pipeline.Shard(ctx, o); err != nil {
		return nil, err
	}
	tok, err := tokenize.Load(filepath.Join(c.train, "tokenizer.json"))
	if err != nil {
		return nil, err
	}
	o.Sources, o.Out, o.Train = []string{c.heldOut + ".txt"}, c.heldOut, nil
	o.Encoder, o.TokenizerJSON = tok, tok.JSON()
	if _, _, err := pipeline.Shard(ctx, o); err != nil {
		return nil, err
	}
	c.judge, err = judge.New(c.trainText)
	return c, err
}
