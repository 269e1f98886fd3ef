package inspect

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// log tells what is wrong with a log, or that it is not there.
func (r *Run) log(name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.problems[name]; err != nil {
		return err
	}
	if _, err := r.root.Stat(name); absent(err) {
		return fmt.Errorf("no %s in %q: not a run, or one that has not begun: %w", name, r.dir, errors.Join(safeio.ErrNotFound, fs.ErrNotExist))
	}
	return nil
}

// Problem is what is wrong with the run, in one line; "" if nothing is. What was
// read before it came to that can be shown all the same.
func (r *Run) Problem() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.problemLine()
}

func (r *Run) problemLine() string {
	if err := r.err(); err != nil {
		line, _, _ := strings.Cut(err.Error(), "\n")
		return line
	}
	return ""
}

// err is the first problem.
func (r *Run) err() error {
	for _, file := range []string{
		trainer.ConfigFile, trainer.TokenizerFile, trainer.MetricsFile, trainer.WarpFile,
		trainer.SamplesFile, trainer.EmbeddingsFile, trainer.TimingFile,
	} {
		if err := r.problems[file]; err != nil {
			return err
		}
	}
	return nil
}
