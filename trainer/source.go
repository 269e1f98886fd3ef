package trainer

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/pipeline"
	"github.com/seed-4c77ef92/textwarp/tokenize"
)

// Source gives windows of token ids in an order that its cursor fixes.
// *pipeline.Stream and *pipeline.TextStream are sources.
type Source interface {
	// Next fills dst with the next window; [io.EOF] ends text that was piped in.
	Next(dst []int32) error
	Cursor() pipeline.Cursor
	Seek(pipeline.Cursor) error
	Close() error
}

// Data is what a run learns from.
type Data struct {
	Tokenizer *tokenize.Tokenizer
	Train     Source
	Windows   int              // an epoch; 0 for text that is piped in
	HeldOut   *pipeline.Stream // nil without held-out text
	Hash      string           // of the data set: another one is refused on resume
	Bytes     int64            // memory that the text takes at most
}

// The splits of a data set.
const (
	trainSplit   = "train"
	heldOutSplit = "val"
)

// OpenData opens what the configuration names; text for the stream "-" comes
// from stdin.
func OpenData(c Config, stdin io.Reader) (*Data, error) {
	if c.Data.Stream == "-" {
		return openText(c, stdin)
	}
	d, err := openShards(c)
	if err != nil {
		return nil, err
	}
	if d.HeldOut, err = openHeldOut(c, d.Tokenizer); err != nil {
		return nil, errors.Join(err, d.Train.Close())
	}
	d.countHeldOut()
	return d, nil
}

func openShards(c Config) (*Data, error) {
	set, err := pipeline.Open(c.Data.Stream)
	if err != nil {
		return nil, err
	}
	tok, err := tokenizerOf(c.Data.Stream, set)
	if err != nil {
		return nil, err
	}
	s, err := set.Stream(pipeline.StreamOptions{Split: trainSplit, Length: c.Data.Length, Seed: c.Run.Seed})
	if err != nil {
		return nil, err
	}
	return &Data{Tokenizer: tok, Train: s, Windows: s.Windows(), Hash: set.Manifest().Hash(), Bytes: s.Bytes()}, nil
}

// openHeldOut opens the held-out text, which must have the same tokens: the val
// split of the training shards, or all of a directory of its own.
func openHeldOut(c Config, tok *tokenize.Tokenizer) (*pipeline.Stream, error) {
	dir, split := c.Data.Stream, heldOutSplit
	if c.Data.HeldOut != "" {
		dir, split = c.Data.HeldOut, trainSplit
	}
	set, err := pipeline.Open(dir)
	if err != nil {
		return nil, err
	}
	if c.Data.HeldOut == "" && set.Manifest().Totals(split).Tokens < int64(c.Data.Length) {
		return nil, nil
	}
	other, err := tokenizerOf(dir, set)
	if err != nil {
		return nil, err
	}
	if other.Hash() != tok.Hash() {
		return nil, fmt.Errorf("held-out shards %q have another tokenizer than %q: prepare them with --tokenizer %s: %w",
			dir, c.Data.Stream, filepath.Join(c.Data.Stream, TokenizerFile), safeio.ErrMismatch)
	}
	return set.Stream(pipeline.StreamOptions{Split: split, Length: c.Data.Length, Seed: c.Run.Seed})
}

// tokenizerOf loads the tokenizer that lies beside the shards and proves that
// they were made with it.
func tokenizerOf(dir string, set *pipeline.Dataset) (*tokenize.Tokenizer, error) {
	path := filepath.Join(dir, TokenizerFile)
	tok, err := tokenize.Load(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("shards %q lack their %s: %w", dir, TokenizerFile, safeio.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", err, safeio.ErrCorrupt)
	}
	if want := set.Manifest().Plan.Tokenizer.SHA256; tok.Hash() != want {
		return nil, fmt.Errorf("%q has SHA-256 %.12s…, the shards were made with %.12s…: %w", path, tok.Hash(), want, safeio.ErrMismatch)
	}
	return tok, nil
}

func openText(c Config, stdin io.Reader) (*Data, error) {
	tok := tokenize.NewByte()
	if c.Data.Tokenizer != "byte" {
		var err error
		if tok, err = tokenize.Load(c.Data.Tokenizer); err != nil {
			return nil, err
		}
	}
	s, err := pipeline.NewTextStream(stdin, tok, c.Data.Length)
	if err != nil {
		return nil, err
	}
	const held = 6 * pipeline.PartSize // a document, as text and as tokens
	d := &Data{Tokenizer: tok, Train: s, Hash: "standard input", Bytes: held}
	if c.Data.HeldOut != "" {
		d.HeldOut, err = openHeldOut(c, tok)
	}
	d.countHeldOut()
	return d, err
}

func (d *Data) countHeldOut() {
	if d.HeldOut != nil {
		d.Bytes += d.HeldOut.Bytes()
	}
}
