package hub

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/timewarp"
	"github.com/seed-4c77ef92/textwarp/tokenize"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// Source is what a run can begin with instead of random numbers: a model folder,
// or embeddings.
type Source struct {
	path     string
	settings map[string]string
	fixed    []string       // of the settings
	adopted  trainer.Config // with the settings
	fill     func(Beginning) (Taken, error)
}

// Beginning is a run at its start, its values random.
type Beginning struct {
	Config    trainer.Config
	Tokenizer *tokenize.Tokenizer
	Model     *trainer.Model
	Warp      timewarp.Warp // nil where the objective knows no noise
}

// Taken tells what a run has got from a source.
type Taken struct {
	Params int  // parameters, the table included
	Rows   int  // of the table
	Unused int  // rows of the source that belong to no token
	Warp   bool // its learned state
}

// OpenSource looks at a model folder, a safetensors file with an embedding table,
// or word vectors as text (GloVe, word2vec), told apart by what they are.
func OpenSource(path string) (*Source, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("import %q: %w", path, safeio.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	s := &Source{path: path}
	switch {
	case info.IsDir():
		err = s.openFolder()
	case !info.Mode().IsRegular():
		err = errors.New("not a regular file")
	case filepath.Ext(path) == ".safetensors":
		err = s.openTensors()
	default:
		err = s.openText()
	}
	if err != nil {
		return nil, fmt.Errorf("import %q: %w", path, err)
	}
	return s, nil
}

// Adopt gives the source's settings to a run.
func (s *Source) Adopt(to *trainer.Settings) error {
	for _, key := range slices.Sorted(maps.Keys(s.settings)) {
		if err := to.Set(key, s.settings[key], s.path); err != nil {
			return fmt.Errorf("import %q: %w", s.path, err)
		}
	}
	if err := to.Validate(); err != nil {
		return fmt.Errorf("import %q: %w", s.path, err)
	}
	s.adopted = to.Config
	return nil
}

// Check reports a setting of a run, changed since Adopt, that the source does not
// go with.
func (s *Source) Check(c trainer.Config) error {
	key := s.differs(c, s.fixed)
	if key == "" && (c.Process.FIM > 0) != (s.adopted.Process.FIM > 0) && s.settings["process.fim"] != "" {
		key = "process.fim" // some of it needs rows for its sentinels, none has none
	}
	if key != "" {
		return fmt.Errorf("import %q: %s can only be %s, as it is there: leave it out: %w", s.path, key, s.settings[key], safeio.ErrMismatch)
	}
	return nil
}

// differs names the first of some settings that a run has another value of.
func (s *Source) differs(c trainer.Config, keys []string) string {
	adopted := maps.Collect(s.adopted.All())
	for key, value := range c.All() {
		if slices.Contains(keys, key) && value != adopted[key] {
			return key
		}
	}
	return ""
}

// Fill puts what the source has into a run at its start. Parameters that it does
// not have stay random.
func (s *Source) Fill(b Beginning) (Taken, error) {
	taken, err := s.fill(b)
	if err != nil {
		return Taken{}, fmt.Errorf("import %q: %w", s.path, err)
	}
	return taken, nil
}

// finite refuses values that no training could go on from.
func finite(name string, values []float32) error {
	for i, v := range values {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("tensor %q: value %d is %v: %w", name, i, v, safeio.ErrCorrupt)
		}
	}
	return nil
}
