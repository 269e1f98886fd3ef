package trainer

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	Tokenizer   *tokenize.Tokenizer
	Train       Source
	Windows     int              // an epoch; 0 for text that is piped in or still being made
	HeldOut     *pipeline.Stream // nil without held-out text
	Hash        string           // of the data set: another one is refused on resume
	HeldOutHash string           // of a data set of its own, else ""
	Bytes       int64            // memory that the text takes at most

	// Wait returns when the next n windows of Train are there, after it has called
	// waiting if they are not; nil where nothing has to be waited for.
	Wait func(ctx context.Context, n int, waiting func()) error
}

// The splits of a data set.
const (
	trainSplit   = "train"
	heldOutSplit = "val"
)

// OpenData opens what the configuration names; text for the stream "-" comes
// from stdin.
func OpenData(c Config, stdin io.Reader) (*Data, error) {
	return Place{Stdin: stdin}.Open(context.Background(), c)
}

// Place is where data come from as this machine has it, which changes nothing of
// what is learned.
type Place struct {
	Stdin io.Reader           // the text of the stream "-"
	Cache *pipeline.DiskCache // through which shards are read; may be nil
}

// Open opens what the configuration names. The context ends whatever is being
// fetched for it later.
func (p Place) Open(ctx context.Context, c Config) (*Data, error) {
	if c.Data.Stream == "-" {
		return p.openText(ctx, c)
	}
	d, err := p.openShards(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := p.openHeldOut(ctx, c, d); err != nil {
		return nil, errors.Join(err, d.Train.Close())
	}
	return d, nil
}

func (p Place) openShards(ctx context.Context, c Config) (*Data, error) {
	open := pipeline.OpenAt
	if c.Data.Follow {
		open = pipeline.Follow
	}
	set, err := open(ctx, c.Data.Stream, p.Cache)
	if err != nil {
		return nil, err
	}
	tok, err := tokenizerOf(c.Data.Stream, set)
	if err != nil {
		return nil, err
	}
	s, err := set.Stream(pipeline.StreamOptions{Split: trainSplit, Length: c.Data.Length, Seed: c.Run.Seed, Follow: c.Data.Follow})
	if err != nil {
		return nil, err
	}
	d := &Data{Tokenizer: tok, Train: s, Bytes: s.Bytes()}
	if c.Data.Follow {
		// Neither the number of windows nor the hash of the manifest is known from the
		// beginning, but the plan is, which decides both.
		d.Hash, d.Wait = set.Plan().Hash(), s.Wait
	} else {
		d.Hash, d.Windows = set.Manifest().Hash(), s.Windows()
	}
	return d, nil
}

// openHeldOut opens the held-out text, which must have the same tokens: all of a
// directory of its own, or the val split of the training shards, unless these are
// still being made: a loss must not depend on how far they are.
func (p Place) openHeldOut(ctx context.Context, c Config, d *Data) error {
	dir, split := c.Data.Stream, heldOutSplit
	if c.Data.HeldOut != "" {
		dir, split = c.Data.HeldOut, trainSplit
	} else if c.Data.Follow || dir == "-" {
		return nil
	}
	set, err := pipeline.OpenAt(ctx, dir, p.Cache)
	if err != nil {
		return err
	}
	if c.Data.HeldOut == "" && set.Manifest().Totals(split).Tokens < int64(c.Data.Length) {
		return nil
	}
	other, err := tokenizerOf(dir, set)
	if err != nil {
		return err
	}
	if other.Hash() != d.Tokenizer.Hash() {
		return fmt.Errorf("held-out shards %q have another tokenizer than %q: prepare them with --tokenizer %s: %w",
			dir, c.Data.Stream, filepath.Join(c.Data.Stream, TokenizerFile), safeio.ErrMismatch)
	}
	if d.HeldOut, err = set.Stream(pipeline.StreamOptions{Split: split, Length: c.Data.Length, Seed: c.Run.Seed}); err != nil {
		return err
	}
	d.Bytes += d.HeldOut.Bytes()
	if c.Data.HeldOut != "" {
		d.HeldOutHash = set.Manifest().Hash()
	}
	return nil
}

// tokenizerOf loads the tokenizer that lies beside the shards and that they were
// made with.
func tokenizerOf(dir string, set *pipeline.Dataset) (*tokenize.Tokenizer, error) {
	data, err := set.Tokenizer()
	if errors.Is(err, safeio.ErrNotFound) {
		return nil, fmt.Errorf("shards %q lack their %s: %w", dir, TokenizerFile, safeio.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	tok, err := tokenize.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("read the tokenizer of %q: %w (%w)", dir, err, safeio.ErrCorrupt)
	}
	return tok, nil
}

func (p Place) openText(ctx context.Context, c Config) (*Data, error) {
	tok := tokenize.NewByte()
	if c.Data.Tokenizer != "byte" {
		var err error
		if tok, err = tokenize.Load(c.Data.Tokenizer); err != nil {
			return nil, err
		}
	}
	s, err := pipeline.NewTextStream(p.Stdin, tok, c.Data.Length)
	if err != nil {
		return nil, err
	}
	const held = 6 * pipeline.PartSize // a document, as text and as tokens
	d := &Data{Tokenizer: tok, Train: s, Hash: "standard input", Bytes: held}
	return d, p.openHeldOut(ctx, c, d)
}
