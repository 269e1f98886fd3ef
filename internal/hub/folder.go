package hub

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/internal/safetensors"
	"github.com/seed-4c77ef92/textwarp/tokenize"
)

// sizes are the settings that the tensors of a folder are made for.
var sizes = []string{"model.embed_dim", "model.width", "model.layers", "model.heads", "model.mlp", "process.objective"}

// warping are those that the learned warp belongs to.
var warping = []string{"process.warp", "process.t_min", "process.t_max", "process.loss"}

// maxConfig bounds config.json.
const maxConfig = 64 << 20

// openFolder reads what a model folder was trained with.
func (s *Source) openFolder() error {
	f, err := os.Open(filepath.Join(s.path, ConfigFile))
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("it has no %s, so it is no model folder; of a run, give what train export makes of it: %w", ConfigFile, safeio.ErrNotFound)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err != nil {
		return err
	}
	training, err := parseConfig(data)
	if err != nil {
		return fmt.Errorf("%s: %w", ConfigFile, err)
	}
	s.settings, s.fixed = map[string]string{}, sizes
	for key, value := range training.Settings {
		if !trainingSetting(key) {
			return fmt.Errorf("%s: %q is none of the settings that belong to weights: %w", ConfigFile, key, safeio.ErrCorrupt)
		}
		s.settings[key] = fmt.Sprint(value)
	}
	for _, key := range s.fixed {
		if s.settings[key] == "" {
			return fmt.Errorf("%s: no %s among its settings: %w", ConfigFile, key, safeio.ErrCorrupt)
		}
	}
	s.fill = func(b Beginning) (Taken, error) { return s.fillModel(b, training.Warp) }
	return nil
}

// parseConfig reads the part of config.json that a run goes on from.
func parseConfig(data []byte) (*Training, error) {
	if len(data) > maxConfig {
		return nil, fmt.Errorf("larger than %d bytes: %w", maxConfig, safeio.ErrLimit)
	}
	var c Config
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber() // a number as it is written
	if err := d.Decode(&c); err != nil {
		return nil, fmt.Errorf("%w (%w)", err, safeio.ErrCorrupt)
	}
	if c.ModelType != ModelType {
		return nil, fmt.Errorf("a model of type %.40q, want %q; of another model its embeddings can be imported, from its safetensors file: %w",
			c.ModelType, ModelType, safeio.ErrMismatch)
	}
	if c.Training == nil {
		return nil, fmt.Errorf("written before there was train import: export the run again: %w", safeio.ErrMismatch)
	}
	return c.Training, nil
}

// fillModel reads all weights, and the warp where it means the same in the run.
func (s *Source) fillModel(b Beginning, warp json.RawMessage) (Taken, error) {
	name := filepath.Join(s.path, TokenizerFile)
	tok, err := tokenize.Load(name)
	if err != nil {
		return Taken{}, err
	}
	if tok.Hash() != b.Tokenizer.Hash() {
		do := "the shards were made with another tokenizer: make them with prep shard --tokenizer"
		if b.Config.Data.Stream == "-" {
			do = "it has another tokenizer: give --tokenizer"
		}
		return Taken{}, fmt.Errorf("%s %s: %w", do, name, safeio.ErrMismatch)
	}
	f, err := safetensors.Open(filepath.Join(s.path, WeightsFile))
	if err != nil {
		return Taken{}, err
	}
	defer f.Close()
	strangers := map[string]bool{}
	for _, name := range f.Names() {
		strangers[name] = true
	}
	for _, want := range b.Model.Tensors(b.Model.Params, "") {
		delete(strangers, want.Name)
		there := slices.Clone(want.Shape)
		if isTurned(want) {
			slices.Reverse(there)
		}
		if got := f.Shape(want.Name); !slices.Equal(got, there) {
			return Taken{}, fmt.Errorf("%s: tensor %q has shape %v, the settings want %v: %w", WeightsFile, want.Name, got, there, safeio.ErrMismatch)
		}
		values := make([]float32, len(want.F32))
		if err := f.Read(want.Name, values); err != nil {
			return Taken{}, err
		}
		if err := finite(want.Name, values); err != nil {
			return Taken{}, fmt.Errorf("%s: %w", WeightsFile, err)
		}
		if isTurned(want) {
			values = transpose(values, there[0], there[1])
		}
		copy(want.F32, values)
	}
	if len(strangers) > 0 {
		return Taken{}, fmt.Errorf("%s: tensor %q is of no model of these settings: %w",
			WeightsFile, slices.Sorted(maps.Keys(strangers))[0], safeio.ErrMismatch)
	}
	taken := Taken{Params: len(b.Model.Params), Rows: b.Model.Table.V, Warp: b.Warp != nil && s.differs(b.Config, warping) == ""}
	if taken.Warp {
		if err := json.Unmarshal(warp, b.Warp); err != nil {
			return Taken{}, fmt.Errorf("%s: warp: %w (%w)", ConfigFile, err, safeio.ErrCorrupt)
		}
	}
	return taken, nil
}
