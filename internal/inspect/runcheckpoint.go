package inspect

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/trainer"
	"github.com/seed-4c77ef92/textwarp/trainer/checkpoint"
)

// Saved is a checkpoint as it was written: a run that is begun anew has another one
// of the same step.
type Saved struct {
	Step int
	at   int64 // Unix nanoseconds
}

// Checkpoint is the newest checkpoint, nothing of which is outside of the run
// directory. Without one the error is [safeio.ErrNotFound].
func (r *Run) Checkpoint() (Saved, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.renew() // what follows has to be of the directory that is there
	if err := r.inside(); err != nil {
		return Saved{}, err
	}
	steps, err := checkpoint.Steps(r.dir)
	if err != nil {
		return Saved{}, err
	}
	if len(steps) == 0 {
		return Saved{}, fmt.Errorf("no checkpoint in %q yet: %w", r.dir, safeio.ErrNotFound)
	}
	newest := steps[len(steps)-1]
	info, err := r.root.Stat(filepath.ToSlash(checkpoint.Path("", newest)))
	if err != nil {
		return Saved{}, misplaced(err)
	}
	return Saved{newest, info.ModTime().UnixNano()}, nil
}

// inside refuses checkpoints that links lead out of the run to, or whose files
// are no files, and the same of what is read along with them.
func (r *Run) inside() error {
	if err := errors.Join(r.small(trainer.ConfigFile, maxConfig), r.small(trainer.TokenizerFile, maxTokenizer)); err != nil {
		return err
	}
	return fs.WalkDir(r.root.FS(), filepath.Dir(filepath.ToSlash(checkpoint.Path("", 0))), func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // pruned meanwhile
		}
		if err != nil {
			return misplaced(err)
		}
		if !d.IsDir() && !d.Type().IsRegular() {
			return fmt.Errorf("read run: %q in %q is not a regular file: %w", name, r.dir, safeio.ErrCorrupt)
		}
		return nil
	})
}
