package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"strings"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// Dataset is a finished data set, or, from [Follow], one that is being made. It is
// safe for concurrent use.
type Dataset struct {
	ctx      context.Context // ends what is fetched from a store
	dir      string          // or address
	files    files
	manifest *Manifest // with the plan alone, until it is finished
	finished bool
}

// Open reads the manifest of the data set in dir. A directory without one is
// [safeio.ErrNotFound], a damaged one [safeio.ErrCorrupt]; shards are checked
// when they are read.
func Open(dir string) (*Dataset, error) {
	return openFinished(&Dataset{ctx: context.Background(), dir: dir, files: directory(dir)})
}

// OpenAt opens the data set in a directory or, by way of a cache, at an address;
// see [StoreAt]. With a cache, a directory is read through it as well. The
// context ends whatever is still being fetched when the data set is read.
func OpenAt(ctx context.Context, location string, c *DiskCache) (*Dataset, error) {
	d, err := locate(ctx, location, c)
	if err != nil {
		return nil, err
	}
	return openFinished(d)
}

// OpenStore opens the data set in a store; name stands for it in messages.
func OpenStore(ctx context.Context, name string, s Store, c *DiskCache) (*Dataset, error) {
	return openFinished(&Dataset{ctx: ctx, dir: name, files: remote{s, c}})
}

// ErrNoCache says that shards are not on this machine and have no cache to come
// to.
var ErrNoCache = errors.New("shards that are far away need a cache")

func locate(ctx context.Context, location string, c *DiskCache) (*Dataset, error) {
	d := &Dataset{ctx: ctx, dir: location, files: directory(location)}
	store, err := StoreAt(ctx, location)
	switch {
	case err != nil:
		return nil, err
	case store == nil && c != nil:
		d.files = remote{DirStore(location), c}
	case store != nil && c == nil:
		return nil, fmt.Errorf("open data set %q: %w", location, ErrNoCache)
	case store != nil:
		d.files = remote{store, c}
	}
	return d, nil
}

func openFinished(d *Dataset) (*Dataset, error) {
	m, err := d.readManifest()
	if err != nil {
		return nil, err
	}
	d.manifest, d.finished = m, true
	return d, nil
}

func (d *Dataset) readManifest() (*Manifest, error) {
	data, err := d.files.small(d.ctx, manifestName, maxManifest)
	if errors.Is(err, safeio.ErrNotFound) {
		return nil, fmt.Errorf("open data set %q: %w: it has no %s (not made by prep shard, or not finished: run the same command again to finish it)", d.dir, safeio.ErrNotFound, manifestName)
	}
	if err != nil {
		return nil, fmt.Errorf("read manifest %q: %w", d.at(manifestName), err)
	}
	m, err := parseManifest(data)
	if err != nil {
		return nil, fmt.Errorf("read manifest %q: %w", d.at(manifestName), err)
	}
	return m, nil
}

// at names a file of the data set in messages.
func (d *Dataset) at(name string) string { return strings.TrimSuffix(d.dir, "/") + "/" + name }

// Manifest is shared: it must not be changed. Of a data set that is being made it
// has the plan alone.
func (d *Dataset) Manifest() *Manifest { return d.manifest }

// TokenizerFile is the path of the tokenizer that the shards were made with.
// [Dataset.Verify] checks it against the manifest.
func (d *Dataset) TokenizerFile() string { return filepath.Join(d.dir, tokenizerName) }

// Tokenizer reads the tokenizer file that the shards were made with, which is
// checked against the manifest. A data set without one is [safeio.ErrNotFound].
func (d *Dataset) Tokenizer() ([]byte, error) {
	data, err := d.files.small(d.ctx, tokenizerName, maxManifest)
	if errors.Is(err, safeio.ErrNotFound) && !d.finished {
		data, err = d.files.small(d.ctx, workDir+"/"+tokenizerName, maxManifest)
	}
	if err != nil {
		return nil, fmt.Errorf("read the tokenizer of %q: %w", d.dir, err)
	}
	sum := sha256.Sum256(data)
	if got, want := hex.EncodeToString(sum[:]), d.manifest.Plan.Tokenizer.SHA256; got != want {
		return nil, fmt.Errorf("read the tokenizer of %q: %w: its sha256 is %.12s, the shards were made with %.12s", d.dir, safeio.ErrMismatch, got, want)
	}
	return data, nil
}

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

// DocsFrom gives the documents of all splits in the order of the manifest, from
// number first on. It reads no shard that comes before.
func (d *Dataset) DocsFrom(first int64) iter.Seq2[Doc, error] {
	return func(yield func(Doc, error) bool) {
		skip := max(0, first)
		for _, s := range d.manifest.Shards {
			if skip >= s.Documents {
				skip -= s.Documents
				continue
			}
			err := d.docs(s, func(doc Doc) error {
				if skip > 0 {
					skip--
				} else if !yield(doc, nil) {
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
	data, err := checked(d.ctx, d, s, readShard)
	if err != nil {
		return err
	}
	if wide(d.manifest.Plan.Tokenizer.Size) {
		return eachRow(data, s, d.manifest.Plan, func(r *row[uint32]) error { return do(docOf(r, s)) })
	}
	return eachRow(data, s, d.manifest.Plan, func(r *row[uint16]) error { return do(docOf(r, s)) })
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
		if id != doc.ID || d.manifest.Plan.splitOf(u) != s.Split {
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
