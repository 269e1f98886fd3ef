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

// Checkpoint is the newest checkpoint: its step, and nothing of it outside of the
// run directory. Without one the error is [safeio.ErrNotFound].
func (r *Run) Checkpoint() (step int, err error) {
	if err := r.inside(); err != nil {
		return 0, err
	}
	steps, err := checkpoint.Steps(r.dir)
	if err != nil {
		return 0, err
	}
	if len(steps) == 0 {
		return 0, fmt.Errorf("no checkpoint in %q yet: %w", r.dir, safeio.ErrNotFound)
	}
	return steps[len(steps)-1], nil
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
