package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// work is the writer's side of a data set directory. Until the manifest is
// there, the state of the work is in a directory .work:
//
//	.work/plan.json        what is being made
//	.work/unit-00012.json  a unit whose shards are whole, with their hashes
//	.work/tasks.jsonl      what the workers of an engine do, and
//	.work/tokenizer.json   what they do it with
//	.work/compare-*/       what is known of the documents, by unit
//	.work/drops-*          which of them are duplicates
//
// A unit without a record is made again, over whatever is there of it.
//
// If the data set is to be in a bucket, the directory is where the work is done:
// shards are moved there one by one, so that a few of them lie here at a time.
type work struct {
	fs       safeio.FS
	to       *s3Bucket // nil: the data set stays in dir
	dir      string
	plan     Plan
	begun    *Plan                // what the directory was begun with
	finished *Manifest            // the data set was complete already
	shards   map[string]ShardInfo // of finished, by file
	bad      map[string]bool      // those of them that are damaged or gone, once examined
}

// record is what is known of a unit that is done.
type record struct {
	Shards []ShardInfo `json:"shards"`
	Report Report      `json:"report"`
}

const workDir = ".work"

// lockDir locks the directory of a data set, which is made if missing.
func lockDir(f safeio.FS, dir string) (*safeio.Lock, error) {
	if err := f.MkdirAll(dir); err != nil {
		return nil, err
	}
	return f.Lock(dir)
}

// openWork checks that what the directory holds, which the caller has locked,
// is the beginning of what plan makes, whose tokenizer may be still to be made.
func openWork(f safeio.FS, dir string, to *s3Bucket, plan Plan) (*work, error) {
	w := &work{fs: f, dir: dir, to: to, plan: plan}
	if err := w.recall(); err != nil {
		return nil, err
	}
	old, err := w.load()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := w.checkEmpty(); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, fmt.Errorf("make data set %q: %w", dir, err)
	default:
		w.begun = &old
		if err := w.accept(plan); err != nil {
			return nil, err
		}
	}
	return w, w.sweep()
}

// begin writes down the plan, now that it is complete.
func (w *work) begin(plan Plan) error {
	w.plan = plan
	if err := w.accept(plan); err != nil || w.finished != nil {
		return err
	}
	if err := w.fs.MkdirAll(w.path(workDir)); err != nil {
		return err
	}
	return w.write(filepath.Join(workDir, "plan.json"), marshal(plan))
}

// accept refuses a plan that is not the one that the directory was begun with.
func (w *work) accept(plan Plan) error {
	if w.begun == nil {
		return nil
	}
	holds := "unfinished work there has another"
	if w.finished != nil {
		holds = "it already holds one with another"
	}
	if d := w.begun.difference(plan); d != "" {
		return fmt.Errorf("make data set %q: %w: %s %s", w.where(), safeio.ErrMismatch, holds, d)
	}
	return nil
}

// load returns the plan that the directory was begun with, and takes over the
// manifest if it was finished. One that was never begun is fs.ErrNotExist.
func (w *work) load() (Plan, error) {
	if _, err := os.Stat(w.path(manifestName)); err == nil {
		m, err := readManifest(w.dir)
		if err != nil {
			return Plan{}, err
		}
		w.finished, w.shards = m, make(map[string]ShardInfo, len(m.Shards))
		for _, s := range m.Shards {
			w.shards[s.File] = s
		}
		return m.Plan, nil
	}
	var p Plan
	data, err := readLimited(w.path(workDir, "plan.json"), maxManifest)
	if err != nil {
		return p, fmt.Errorf("read the plan of unfinished work: %w", err)
	}
	if err := json.Unmarshal(data, &p); err != nil {
		return p, fmt.Errorf("read the plan of unfinished work: %w: %w", safeio.ErrCorrupt, err)
	}
	return p, nil
}

// checkEmpty refuses a directory that holds files of someone else.
func (w *work) checkEmpty() error {
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		return fmt.Errorf("list %q: %w", w.dir, bare(err))
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			return fmt.Errorf("make data set %q: %w: the directory holds files that are not part of a data set, such as %q (give an empty or new one)", w.dir, safeio.ErrMismatch, e.Name())
		}
	}
	return nil
}

// sweep removes what killed writers left.
func (w *work) sweep() error {
	if err := w.fs.RemoveTemps(w.dir); err != nil {
		return err
	}
	if err := w.fs.RemoveTemps(w.path(workDir)); err != nil {
		return err
	}
	return w.sweepComparisons(w.plan)
}

func (w *work) removeWork() error {
	if err := os.RemoveAll(w.path(workDir)); err != nil {
		return fmt.Errorf("remove %q: %w", w.path(workDir), bare(err))
	}
	return nil
}

func (w *work) path(elem ...string) string {
	return filepath.Join(append([]string{w.dir}, elem...)...)
}

func (w *work) write(name string, data []byte) error {
	return w.fs.WriteFile(w.path(name), func(to io.Writer) error {
		_, err := to.Write(data)
		return err
	})
}

func recordName(unit int) string { return filepath.Join(workDir, fmt.Sprintf("unit-%05d.json", unit)) }

// done returns the record of a unit if its shards are all there and whole.
func (w *work) done(unit int) (record, bool) {
	r, ok := w.recorded(unit)
	if !ok {
		return r, false
	}
	for _, s := range r.Shards {
		if !w.whole(s) {
			return record{}, false
		}
	}
	return r, true
}

// recorded returns the record of a unit without a look at its shards.
func (w *work) recorded(unit int) (r record, ok bool) {
	if w.finished != nil {
		return w.promised(unit), true
	}
	data, err := readLimited(w.path(recordName(unit)), maxManifest)
	if err != nil || json.Unmarshal(data, &r) != nil {
		return record{}, false
	}
	return r, true
}

// whole says whether a shard is there as it should be. None is read twice for
// that if all have been examined.
func (w *work) whole(s ShardInfo) bool {
	if w.bad != nil {
		return !w.bad[s.File]
	}
	if w.to != nil {
		ok, err := w.to.has(s)
		return ok && err == nil // a server that is gone will say so when it is written to
	}
	sum, size, err := safeio.HashFile(w.path(s.File))
	return err == nil && size == s.Bytes && sum == s.SHA256
}

// examine finds the shards of a finished data set that are damaged or gone.
func (w *work) examine(ctx context.Context, workers int, progress func(Progress)) error {
	shards := w.finished.Shards
	m := newMeter("examine", w.finished.Totals("").Bytes, progress)
	whole := make([]bool, len(shards))
	err := each(ctx, workers, len(shards), func(_ context.Context, i int) error {
		whole[i] = w.whole(shards[i])
		m.add(shards[i].Bytes)
		return nil
	})
	if err != nil {
		return err
	}
	w.bad = map[string]bool{}
	for i, s := range shards {
		if !whole[i] {
			w.bad[s.File] = true
		}
	}
	return nil
}

// missing are the splits of which a unit must be given a shard: of a finished
// data set, only those that are damaged or gone.
func (w *work) missing(unit int) []string {
	if w.finished == nil {
		return w.plan.splits()
	}
	var splits []string
	for _, s := range w.promised(unit).Shards {
		if !w.whole(s) {
			splits = append(splits, s.Split)
		}
	}
	return splits
}

// promised is what the manifest of a finished data set says of a unit.
func (w *work) promised(unit int) (r record) {
	for _, split := range Splits() {
		if s, ok := w.shards[shardFile(split, unit, w.plan.Format)]; ok {
			r.Shards = append(r.Shards, s)
		}
	}
	return r
}

// check refuses a shard that has not come out as the manifest of a finished data
// set says, before it takes the place of anything.
func (w *work) check(s ShardInfo) error {
	if w.finished == nil || w.shards[s.File] == s {
		return nil
	}
	return fmt.Errorf("make data set %q: %w: shard %q does not come out as the manifest says (made by another version?)", w.where(), safeio.ErrMismatch, s.File)
}

// record notes that a unit is done.
func (w *work) record(unit int, r record) error {
	if err := w.moveOut(r.Shards); err != nil || w.finished != nil {
		return err
	}
	return w.write(recordName(unit), marshal(r))
}

// commit makes the data set complete: the manifest is the last file written.
func (w *work) commit(m *Manifest, tokenizer []byte) error {
	if len(tokenizer) > 0 {
		if err := w.write(tokenizerName, tokenizer); err != nil {
			return err
		}
	}
	if w.finished == nil {
		if err := w.write(manifestName, m.encode()); err != nil {
			return err
		}
	}
	if err := w.publish(m, tokenizer); err != nil {
		return err
	}
	return w.removeWork()
}
