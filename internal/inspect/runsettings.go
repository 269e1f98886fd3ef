package inspect

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/tokenize"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// Bounds of the files that are read whole, in bytes.
const (
	maxConfig    = 1 << 20
	maxTokenizer = 256 << 20
)

// readSettings reads configuration and tokenizer when they are there, and again
// when another run has begun in the directory.
func (r *Run) readSettings() {
	if r.rewritten(trainer.ConfigFile) || r.config == nil {
		r.config = nil
		c, err := r.readConfig()
		if r.problems[trainer.ConfigFile] = err; err == nil {
			r.config = &c
		}
	}
	if r.rewritten(trainer.TokenizerFile) || r.tokenizer == nil {
		r.tokenizer = nil
		tok, err := r.readTokenizer()
		if r.problems[trainer.TokenizerFile] = err; err == nil {
			r.tokenizer = tok
		}
	}
}

// rewritten tells whether a file is another than at the last call.
func (r *Run) rewritten(name string) bool {
	was := r.settings[name]
	now, err := r.root.Stat(name)
	if err != nil {
		now = nil
	}
	r.settings[name] = now
	if was == nil || now == nil {
		return was != nil || now != nil
	}
	return !os.SameFile(was, now) || was.Size() != now.Size() || !was.ModTime().Equal(now.ModTime())
}

func (r *Run) readConfig() (trainer.Config, error) {
	if err := r.small(trainer.ConfigFile, maxConfig); err != nil {
		return trainer.Config{}, err
	}
	return trainer.ReadConfig(r.dir)
}

func (r *Run) readTokenizer() (*tokenize.Tokenizer, error) {
	if err := r.small(trainer.TokenizerFile, maxTokenizer); err != nil {
		return nil, err
	}
	return tokenize.Load(filepath.Join(r.dir, trainer.TokenizerFile))
}

// small proves that a file is one of the run's own and no larger than limit,
// before it is read by its path. No file at all is no error here.
func (r *Run) small(name string, limit int64) error {
	file, size, err := openRegular(r.root, name)
	if absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	file.Close()
	if size > limit {
		return fmt.Errorf("read %q: %d bytes, more than %d: %w", filepath.Join(r.dir, name), size, limit, safeio.ErrLimit)
	}
	return nil
}

// predicts tells a run of the objective "ar". A directory of logs without a
// configuration is taken for a run of diffusion.
func (r *Run) predicts() bool { return r.config != nil && r.config.Process.Objective == trainer.AR }

// Config is the run's configuration; an error if it has none that can be read.
func (r *Run) Config() (trainer.Config, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.config != nil {
		return *r.config, nil
	}
	return trainer.Config{}, r.problems[trainer.ConfigFile]
}

// Tokenizer is the run's; an error if it has none that can be read.
func (r *Run) Tokenizer() (*tokenize.Tokenizer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tokenizer != nil {
		return r.tokenizer, nil
	}
	return nil, r.problems[trainer.TokenizerFile]
}
