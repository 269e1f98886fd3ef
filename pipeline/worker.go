package pipeline

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// Tasks lists the tasks of the data set that is being made in dir. A task is
// one line of JSON, which names byte ranges of sources: usually a few hundred
// bytes, more where many small files make a shard.
func Tasks(dir string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		file, err := os.Open(filepath.Join(dir, tasksFile))
		if err != nil {
			yield(nil, fmt.Errorf("list the tasks of %q: %w", dir, bare(err)))
			return
		}
		defer file.Close()
		for r := bufio.NewReaderSize(file, readSize); ; {
			line, err := r.ReadBytes('\n')
			if err == io.EOF && len(line) == 0 {
				return
			}
			if err == io.EOF {
				err = fmt.Errorf("%w: it ends within a line", safeio.ErrCorrupt)
			}
			if err != nil {
				yield(nil, fmt.Errorf("list the tasks of %q: %w", dir, bare(err)))
				return
			}
			if !yield(line, nil) {
				return
			}
		}
	}
}

// Worker does tasks of a data set that another process is making with an
// [Engine]. It is not safe for concurrent use.
type Worker struct {
	options Options
	plan    Plan
	work    *work
}

// OpenWorker joins in the making of the data set in dir. load makes the encoder
// from the content of tokenizer.json.
func OpenWorker(dir string, load func(tokenizer []byte) (Encoder, error)) (*Worker, error) {
	w := &Worker{options: Options{Out: dir}}
	if err := w.join(load); err != nil {
		return nil, fmt.Errorf("join in making %q: %w", dir, err)
	}
	return w, nil
}

func (w *Worker) join(load func([]byte) (Encoder, error)) (err error) {
	w.work = &work{fs: w.options.FS, dir: w.options.Out}
	if w.plan, err = w.work.load(); err != nil {
		return err
	}
	w.work.plan = w.plan
	path := w.work.path(workDir, tokenizerName)
	data, err := readLimited(path, maxManifest)
	if err != nil {
		return fmt.Errorf("read %q: %w", path, err)
	}
	if w.options.Encoder, err = load(data); err != nil {
		return err
	}
	if got := w.options.Encoder.Hash(); got != w.plan.Tokenizer.SHA256 {
		return fmt.Errorf("%w: %q has the sha256 %.12s, the plan says %.12s", safeio.ErrCorrupt, path, got, w.plan.Tokenizer.SHA256)
	}
	return nil
}

// Do does a task from [Tasks] and returns what has become of it. Shards that
// are there already and whole are kept.
func (w *Worker) Do(ctx context.Context, task []byte) (Totals, error) {
	var t Totals
	units, err := parseTask(ctx, task)
	if err == nil {
		err = w.stillWanted()
	}
	if err != nil {
		return t, fmt.Errorf("do a task of %q: %w", w.options.Out, err)
	}
	b := newBuilder(w.options, w.plan, w.work, newMeter("shard", 0, nil))
	defer b.closeSource()
	for _, u := range units {
		r, err := b.unit(ctx, u)
		if err != nil {
			return t, fmt.Errorf("make unit %d of %q: %w", u.index, w.options.Out, err)
		}
		for _, s := range r.Shards {
			t.add(s)
		}
	}
	return t, nil
}

// stillWanted refuses to go on for a driver that is dead when another one has
// begun something else in the same directory.
func (w *Worker) stillWanted() error {
	now := work{dir: w.work.dir}
	plan, err := now.load()
	if err != nil {
		return err
	}
	if d := plan.difference(w.plan); d != "" {
		return fmt.Errorf("%w: it has been begun anew with another %s", safeio.ErrMismatch, d)
	}
	return nil
}
