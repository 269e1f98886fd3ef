package pipeline

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"strings"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// Dataset is a finished data set. It is safe for concurrent use.
type Dataset struct {
	dir      string
	manifest *Manifest
}

// Open reads the manifest of the data set in dir. A directory without one is
// [safeio.ErrNotFound], a damaged one [safeio.ErrCorrupt]; shards are checked
// when they are read.
func Open(dir string) (*Dataset, error) {
	m, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	return &Dataset{dir, m}, nil
}

// Manifest is shared: it must not be changed.
func (d *Dataset) Manifest() *Manifest { return d.manifest }

// TokenizerFile is the path of the tokenizer that the shards were made with.
// [Dataset.Verify] checks it against the manifest.
func (d *Dataset) TokenizerFile() string { return filepath.Join(d.dir, tokenizerName) }

// shards are those of a split, or all of them, in the order of the manifest.
func (d *Dataset) shards(split string) []ShardInfo {
	var s []ShardInfo
	for _, info := range d.manifest.Shards {
		if split == "" || info.Split == split {
			s = append(s, info)
		}
	}
	return s
}

// Docs gives the documents of a split, or of all if split is "", in the order
// of the manifest, with their tokens. It ends after the first error.
func (d *Dataset) Docs(split string) iter.Seq2[Doc, error] {
	return func(yield func(Doc, error) bool) {
		for _, s := range d.shards(split) {
			err := d.docs(s, func(doc Doc) error {
				if !yield(doc, nil) {
					return errStop
				}
				return nil
			})
			if errors.Is(err, errStop) {
				return
			}
			if err != nil {
				yield(Doc{}, err)
				return
			}
		}
	}
}

func (d *Dataset) docs(s ShardInfo, do func(Doc) error) error {
	data, err := readShard(d.dir, s)
	if err != nil {
		return err
	}
	if wide(d.manifest.Plan.Tokenizer.Size) {
		return eachRow(data, s, d.manifest.Plan, true, func(r *row[uint32]) error { return do(docOf(r, s)) })
	}
	return eachRow(data, s, d.manifest.Plan, true, func(r *row[uint16]) error { return do(docOf(r, s)) })
}

// docOf copies: a row is valid only until the next.
func docOf[T uint16 | uint32](r *row[T], s ShardInfo) Doc {
	tokens := make([]int32, len(r.Tokens))
	for i, id := range r.Tokens {
		tokens[i] = int32(id)
	}
	return Doc{
		ID: strings.Clone(r.ID), Source: strings.Clone(r.Source), Offset: r.Offset,
		Text: strings.Clone(r.Text), Tokens: tokens, Split: s.Split,
	}
}

// Verify reads everything and checks hashes, counts, document ids, splits and
// the tokenizer file. progress, which may be nil, is told the bytes of shards
// read so far. The error names every damaged file, up to ten.
func (d *Dataset) Verify(ctx context.Context, progress func(done, total int64)) error {
	total := d.manifest.Totals("").Bytes
	var done int64
	var bad []error
	if err := d.verifyTokenizer(); err != nil {
		bad = append(bad, err)
	}
	for _, s := range d.manifest.Shards {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := d.verifyShard(s); err != nil {
			bad = append(bad, err)
		}
		done += s.Bytes
		if progress != nil {
			progress(done, total)
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return &VerifyError{Dir: d.dir, Files: len(d.manifest.Shards) + 1, Errors: bad}
}

func (d *Dataset) verifyTokenizer() error {
	sum, _, err := safeio.HashFile(d.TokenizerFile())
	if errors.Is(err, safeio.ErrNotFound) {
		return nil // the data set was made with one that the reader must have
	}
	if err != nil {
		return err
	}
	if want := d.manifest.Plan.Tokenizer.SHA256; sum != want {
		return fmt.Errorf("read tokenizer %q: %w: its sha256 is %.12s, not the %.12s in the manifest", tokenizerName, safeio.ErrCorrupt, sum, want)
	}
	return nil
}

func (d *Dataset) verifyShard(s ShardInfo) error {
	var tokens, text int64
	err := d.docs(s, func(doc Doc) error {
		tokens += int64(len(doc.Tokens))
		text += int64(len(doc.Text))
		id, u := identify(doc.Text)
		if id != doc.ID || splitOf(u, d.manifest.Plan.Val) != s.Split {
			return damaged(s, fmt.Errorf("the document at byte %d of %q has the id %q, but its text %q", doc.Offset, doc.Source, doc.ID, id))
		}
		return nil
	})
	if err == nil && (tokens != s.Tokens || text != s.TextBytes) {
		err = damaged(s, fmt.Errorf("it has %d tokens of %d bytes of text, not the %d of %d in the manifest", tokens, text, s.Tokens, s.TextBytes))
	}
	return err
}

// VerifyError lists what [Dataset.Verify] found.
type VerifyError struct {
	Dir    string
	Files  int
	Errors []error // at least one
}

func (e *VerifyError) Error() string {
	const most = 10
	var b strings.Builder
	fmt.Fprintf(&b, "verify %q: %d of %d files are bad: ", e.Dir, len(e.Errors), e.Files)
	for i, err := range e.Errors[:min(most, len(e.Errors))] {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(err.Error())
	}
	if more := len(e.Errors) - most; more > 0 {
		fmt.Fprintf(&b, "; and %d more", more)
	}
	return b.String()
}

func (e *VerifyError) Unwrap() []error { return e.Errors }
