package pipeline

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// Repairs is what [Repair] has found and done.
type Repairs struct {
	Checked   int      `json:"checked"`   // shards
	Rebuilt   []string `json:"rebuilt"`   // shards that were damaged or gone
	Tokenizer bool     `json:"tokenizer"` // tokenizer.json was, and was written anew
	Foreign   []string `json:"foreign"`   // files that are not part of the data set; left alone
}

// Repair makes the shards of the finished data set in o.Out anew that are
// damaged or gone, and its tokenizer.json. What is whole is read once and not
// written. What the data set was made with stands in its manifest: of o only
// Sources, Stdin, StdinName, StdinLimit, Encoder, TokenizerJSON, Train, Engine,
// Workers, FS and Progress count, and the corpus and the tokenizer only if something has to be made of them. Those that
// differ from the ones in the manifest are refused with [safeio.ErrMismatch], and
// no file takes the place of another unless it has the hash in the manifest.
func Repair(ctx context.Context, o Options) (*Repairs, error) {
	o = o.withDefaults()
	if _, err := readManifest(o.Out); err != nil { // before a lock is left in a directory of someone else
		return nil, err
	}
	lock, err := o.FS.Lock(o.Out)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	w := &work{fs: o.FS, dir: o.Out}
	if w.plan, err = w.load(); err != nil {
		return nil, err
	}
	if err := w.sweep(); err != nil {
		return nil, err
	}
	if err := w.examine(ctx, o.Workers, o.Progress); err != nil {
		return nil, err
	}
	r := &Repairs{Checked: len(w.shards)}
	for _, s := range w.finished.Shards {
		if w.bad[s.File] {
			r.Rebuilt = append(r.Rebuilt, s.File)
		}
	}
	if r.Foreign, err = w.foreign(); err != nil {
		return nil, err
	}
	sum, _, err := safeio.HashFile(w.path(tokenizerName))
	r.Tokenizer = err != nil || sum != w.plan.Tokenizer.SHA256

	if err := w.repair(ctx, o, r); err != nil {
		return nil, fmt.Errorf("repair %q: %w", o.Out, err)
	}
	return r, nil
}

// repair does what r says has to be done.
func (w *work) repair(ctx context.Context, o Options, r *Repairs) error {
	if len(r.Rebuilt) == 0 && !r.Tokenizer {
		return w.removeWork()
	}
	if o.Encoder == nil && o.Train == nil {
		return fmt.Errorf("%w: %s, and no tokenizer is given", safeio.ErrCorrupt, condemned(r.Rebuilt))
	}
	if o.Encoder == nil || len(r.Rebuilt) > 0 {
		if err := w.rebuild(ctx, &o, r.Rebuilt); err != nil {
			return err
		}
	} else if err := w.sameTokenizer(o); err != nil {
		return err
	}
	if r.Tokenizer = r.Tokenizer && len(o.TokenizerJSON) > 0; !r.Tokenizer {
		o.TokenizerJSON = nil // it is whole
	}
	return w.commit(w.finished, o.TokenizerJSON)
}

// rebuild makes what is damaged from the corpus, once it is certain that this is
// the one that the data set was made from.
func (w *work) rebuild(ctx context.Context, o *Options, damaged []string) error {
	if len(o.Sources) == 0 {
		return fmt.Errorf("%w: %s, and no corpus is given to make it from", safeio.ErrCorrupt, condemned(damaged))
	}
	p := w.plan
	o.TextField, o.Split, o.Format, o.ShardSize = p.TextField, p.Split, p.Format, p.ShardSize
	o.Encoding, o.Invalid, o.Val, o.Test, o.Dedup, o.Similarity = p.Encoding, p.Invalid, p.Val, p.Test, p.Dedup, p.Similarity
	found, _, err := discover(ctx, *o)
	if err != nil {
		return err
	}
	sources, _, err := scan(ctx, found, *o)
	if err != nil {
		return err
	}
	plan := o.plan()
	plan.Corpus = identity(sources)
	if d := p.difference(plan); d != "" {
		return fmt.Errorf("%w: it was made from another %s", safeio.ErrMismatch, d)
	}
	tasks := cut(sources, o.ShardSize)
	if o.Encoder == nil {
		if err := o.train(ctx, w, plan, tasks); err != nil {
			return err
		}
	}
	if err := w.sameTokenizer(*o); err != nil {
		return err
	}
	return mend(ctx, *o, w, tasks)
}

func condemned(shards []string) string {
	switch n := len(shards); n {
	case 0:
		return fmt.Sprintf("%q is damaged or gone", tokenizerName)
	case 1:
		return fmt.Sprintf("shard %q is damaged or gone", shards[0])
	default:
		return fmt.Sprintf("%d shards are damaged or gone, the first %q", n, shards[0])
	}
}

// sameTokenizer refuses a tokenizer that is not that of the data set.
func (w *work) sameTokenizer(o Options) error {
	if err := o.checkTokenizer(); err != nil {
		return err
	}
	if got, want := o.Encoder.Hash(), w.plan.Tokenizer.SHA256; got != want {
		return fmt.Errorf("%w: it was made with another tokenizer (sha256 %.12s, not %.12s)", safeio.ErrMismatch, want, got)
	}
	return nil
}

// foreign lists the files that are not part of a finished data set.
func (w *work) foreign() (names []string, err error) {
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		return nil, fmt.Errorf("list %q: %w", w.dir, bare(err))
	}
	for _, e := range entries {
		name := e.Name()
		_, shard := w.shards[name]
		if !shard && name != manifestName && name != tokenizerName && !strings.HasPrefix(name, ".") {
			names = append(names, name)
		}
	}
	return names, nil
}
