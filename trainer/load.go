package trainer

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pelletier/go-toml/v2"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/timewarp"
	"github.com/seed-4c77ef92/textwarp/tokenize"
	"github.com/seed-4c77ef92/textwarp/trainer/checkpoint"
)

// Trained is what a run has learned, as its newest whole checkpoint has it:
// all that sampling needs.
type Trained struct {
	Config    Config
	Step      int
	Model     *Model        // over the averaged weights
	Warp      timewarp.Warp // nil where the objective knows no noise
	Tokenizer *tokenize.Tokenizer
	Data      string   // hash of the data set
	Skipped   []string // newer checkpoints that are not whole, with the reasons
}

// Load reads a run directory.
func Load(run string, pool *kernels.Pool) (*Trained, error) {
	c, err := ReadConfig(run)
	if err != nil {
		return nil, err
	}
	t := &Trained{Config: c}
	if t.Tokenizer, err = tokenize.Load(filepath.Join(run, TokenizerFile)); err != nil {
		return nil, err
	}
	var dir string
	if dir, t.Step, t.Skipped, err = checkpoint.Latest(run); err != nil {
		return nil, err
	}
	var s state
	if err := checkpoint.LoadState(dir, &s); err != nil {
		return nil, err
	}
	if s.Tokenizer != t.Tokenizer.Hash() {
		return nil, fmt.Errorf("%q is not the tokenizer that checkpoint %q was trained with: %w",
			filepath.Join(run, TokenizerFile), dir, safeio.ErrMismatch)
	}
	t.Data = s.Data
	if c.Process.Objective != AR {
		if t.Warp, err = timewarp.Restore(s.Warp); err != nil {
			return nil, fmt.Errorf("checkpoint %q: %w (%w)", dir, err, safeio.ErrCorrupt)
		}
	}
	if t.Model, err = NewModel(c.Denoiser(t.Tokenizer.VocabSize()), nil, false, pool); err != nil {
		return nil, err
	}
	if err := readModel(dir, t.Model, t.Model.Params, averagePrefix); err != nil {
		return nil, err
	}
	t.Model.Table.Refresh()
	return t, nil
}

// ReadConfig reads the resolved configuration of a run.
func ReadConfig(run string) (Config, error) {
	path := filepath.Join(run, ConfigFile)
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return Config{}, fmt.Errorf("no run in %q (it has no %s): %w", run, ConfigFile, safeio.ErrNotFound)
	}
	if err != nil {
		return Config{}, fmt.Errorf("read run: %w", err)
	}
	var c Config
	if err := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields().Decode(&c); err != nil {
		return Config{}, fmt.Errorf("parse %q: %w (%w)", path, tomlPlace(err), safeio.ErrCorrupt)
	}
	if err := c.Validate(); err != nil {
		return Config{}, fmt.Errorf("%q: %w (%w)", path, err, safeio.ErrCorrupt)
	}
	return c, nil
}
