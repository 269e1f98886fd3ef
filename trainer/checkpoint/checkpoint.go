// Package checkpoint keeps all state that decides a run's next step, in one
// atomic commit that is proved on load.
//
// A checkpoint is a directory checkpoints/step-NNNNNNNN of a run. It is filled
// under a temporary name, every file synced, manifest.json with the size and
// SHA-256 of each file written last, and the directory renamed into place:
//
//	weights.safetensors    parameters, and their moving average as "ema.…"
//	optimizer.safetensors  Adam's moments as "m" and "v"
//	state.json             the trainer's own state
//	manifest.json          step, and size and hash of the others
//
// A directory without a manifest that matches its files does not exist for the
// loader, which falls back to the one before. See docs/formats/checkpoint.md.
package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/internal/safetensors"
)

// Names of the files of a checkpoint.
const (
	WeightsFile   = "weights.safetensors"
	OptimizerFile = "optimizer.safetensors"
	StateFile     = "state.json"
	manifestFile  = "manifest.json"
)

const (
	folder = "checkpoints"
	prefix = "step-"
	schema = 1
)

// Checkpoint is what is saved.
type Checkpoint struct {
	Step      int
	Meta      map[string]string // into the header of the weights
	Weights   []safetensors.Tensor
	Optimizer []safetensors.Tensor
	State     any // as JSON
}

type manifest struct {
	Schema int             `json:"schema"`
	Step   int             `json:"step"`
	Files  map[string]file `json:"files"`
}

type file struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Path returns the directory of a step's checkpoint.
func Path(run string, step int) string {
	return filepath.Join(run, folder, fmt.Sprintf("%s%08d", prefix, step))
}

// Save commits a checkpoint of the run, over one of the same step if there is one.
// After an error or a crash at any point the checkpoints are as they were.
func Save(fs safeio.FS, run string, c Checkpoint) error {
	state, err := json.MarshalIndent(c.State, "", " ")
	if err != nil {
		return fmt.Errorf("encode state of step %d: %w", c.Step, err)
	}
	if err := fs.MkdirAll(filepath.Join(run, folder)); err != nil {
		return err
	}
	final, write := Path(run, c.Step), fs.WriteDir
	if _, err := os.Lstat(final); err == nil { // a run that is stopped right after a checkpoint
		write = fs.ReplaceDir
	}
	return write(final, func(dir string) error {
		m := manifest{Schema: schema, Step: c.Step, Files: map[string]file{}}
		for _, part := range []struct {
			name  string
			write func(io.Writer) error
		}{
			{WeightsFile, func(w io.Writer) error { return safetensors.Write(w, c.Meta, c.Weights) }},
			{OptimizerFile, func(w io.Writer) error { return safetensors.Write(w, nil, c.Optimizer) }},
			{StateFile, func(w io.Writer) error { _, err := w.Write(append(state, '\n')); return err }},
		} {
			path := filepath.Join(dir, part.name)
			if err := fs.WriteFile(path, part.write); err != nil {
				return err
			}
			sum, size, err := safeio.HashFile(path)
			if err != nil {
				return err
			}
			m.Files[part.name] = file{Bytes: size, SHA256: sum}
		}
		return fs.WriteFile(filepath.Join(dir, manifestFile), func(w io.Writer) error {
			enc := json.NewEncoder(w)
			enc.SetIndent("", " ")
			return enc.Encode(m)
		})
	})
}

// Latest returns the directory and step of the newest checkpoint that is whole.
// The newer ones that are not are named in skipped, each with its reason. With
// none at all the error is [safeio.ErrNotFound]; with none that is whole,
// [safeio.ErrCorrupt].
func Latest(run string) (dir string, step int, skipped []string, err error) {
	steps, err := Steps(run)
	if err != nil {
		return "", 0, nil, err
	}
	for _, step := range slices.Backward(steps) {
		dir := Path(run, step)
		if err := Verify(dir); err != nil {
			skipped = append(skipped, err.Error())
			continue
		}
		return dir, step, skipped, nil
	}
	if len(skipped) > 0 {
		return "", 0, skipped, fmt.Errorf("no checkpoint of %q is whole (%s): %w", run, skipped[0], safeio.ErrCorrupt)
	}
	return "", 0, nil, fmt.Errorf("no checkpoint in %q; is it a run directory? %w", run, safeio.ErrNotFound)
}

// Steps lists the steps that have a checkpoint directory, in order.
func Steps(run string) ([]int, error) {
	entries, err := os.ReadDir(filepath.Join(run, folder))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list checkpoints: %w", err)
	}
	var steps []int
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), prefix)
		if !ok || !e.IsDir() {
			continue
		}
		if step, err := strconv.Atoi(digits); err == nil && step >= 0 {
			steps = append(steps, step)
		}
	}
	slices.Sort(steps)
	return steps, nil
}

// Verify proves that a checkpoint directory holds what its manifest says. The
// error is [safeio.ErrCorrupt] and names the file.
func Verify(dir string) error {
	path := filepath.Join(dir, manifestFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("checkpoint %q: read manifest: %w (%w)", dir, err, safeio.ErrCorrupt)
	}
	var m manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return fmt.Errorf("checkpoint %q: parse manifest: %w (%w)", dir, err, safeio.ErrCorrupt)
	}
	if m.Schema != schema {
		return fmt.Errorf("checkpoint %q: schema %d, this version reads %d: %w", dir, m.Schema, schema, safeio.ErrMismatch)
	}
	if want := filepath.Base(Path("", m.Step)); filepath.Base(dir) != want {
		return fmt.Errorf("checkpoint %q: manifest is of %s: %w", dir, want, safeio.ErrCorrupt)
	}
	for _, name := range []string{WeightsFile, OptimizerFile, StateFile} {
		want, ok := m.Files[name]
		if !ok {
			return fmt.Errorf("checkpoint %q: manifest lacks %s: %w", dir, name, safeio.ErrCorrupt)
		}
		sum, size, err := safeio.HashFile(filepath.Join(dir, name))
		if err != nil {
			return fmt.Errorf("checkpoint %q: %w (%w)", dir, err, safeio.ErrCorrupt)
		}
		if size != want.Bytes || sum != want.SHA256 {
			return fmt.Errorf("checkpoint %q: %s has %d bytes with SHA-256 %.12s…, the manifest says %d and %.12s…: %w",
				dir, name, size, sum, want.Bytes, want.SHA256, safeio.ErrCorrupt)
		}
	}
	return nil
}

// LoadState decodes the state of a checkpoint into v.
func LoadState(dir string, v any) error {
	path := filepath.Join(dir, StateFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("load checkpoint state: %w", err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("parse %q: %w (%w)", path, err, safeio.ErrCorrupt)
	}
	return nil
}

// Clean removes what writers that were killed have left in a run. Only its
// owner, who holds the lock, may call it.
func Clean(fs safeio.FS, run string) error {
	for _, dir := range []string{run, filepath.Join(run, folder)} {
		if err := fs.RemoveTemps(dir); err != nil {
			return err
		}
	}
	return nil
}

// Prune removes all checkpoints but the newest keep.
func Prune(fs safeio.FS, run string, keep int) error {
	steps, err := Steps(run)
	if err != nil {
		return err
	}
	for len(steps) > max(keep, 1) {
		if err := fs.RemoveDir(Path(run, steps[0])); err != nil {
			return err
		}
		steps = steps[1:]
	}
	return nil
}
