package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
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
//
// A unit without a record is made again, over whatever is there of it.
type work struct {
	fs       safeio.FS
	dir      string
	plan     Plan
	finished *Manifest            // the data set was complete already
	shards   map[string]ShardInfo // of finished, by file
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
// is the beginning of what plan makes.
func openWork(f safeio.FS, dir string, plan Plan) (*work, error) {
	w := &work{fs: f, dir: dir, plan: plan}
	old, err := w.load()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := w.checkEmpty(); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, fmt.Errorf("make data set %q: %w", dir, err)
	default:
		if d := old.difference(plan); d != "" && w.finished != nil {
			return nil, fmt.Errorf("make data set %q: %w: it already holds one with another %s", dir, safeio.ErrMismatch, d)
		} else if d != "" {
			return nil, fmt.Errorf("make data set %q: %w: unfinished work there has another %s", dir, safeio.ErrMismatch, d)
		}
	}
	if w.finished != nil {
		return w, w.sweep()
	}
	if err := w.sweep(); err != nil {
		return nil, err
	}
	if err := f.MkdirAll(w.path(workDir)); err != nil {
		return nil, err
	}
	return w, w.write(filepath.Join(workDir, "plan.json"), marshal(plan))
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
	if w.finished != nil {
		return w.removeWork()
	}
	return w.fs.RemoveTemps(w.path(workDir))
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
		sum, size, err := safeio.HashFile(w.path(s.File))
		if err != nil || size != s.Bytes || sum != s.SHA256 {
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

// promised is what the manifest of a finished data set says of a unit.
func (w *work) promised(unit int) (r record) {
	for _, split := range []string{TrainSplit, ValSplit} {
		if s, ok := w.shards[shardFile(split, unit, w.plan.Format)]; ok {
			r.Shards = append(r.Shards, s)
		}
	}
	return r
}

// record notes that a unit is done. In a finished data set it must have come
// out as the manifest says.
func (w *work) record(unit int, r record) error {
	if w.finished == nil {
		return w.write(recordName(unit), marshal(r))
	}
	if !slices.Equal(r.Shards, w.promised(unit).Shards) {
		return fmt.Errorf("make data set %q: %w: unit %d does not come out as the manifest says (made by another version?)", w.dir, safeio.ErrMismatch, unit)
	}
	return nil
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
	return w.removeWork()
}
