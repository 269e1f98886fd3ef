package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Experiment is a file of experiments/: what varies, what is measured of it, and
// how that is shown. Settings of training are those of the trainer, by section;
// those of writing are [Sampling]. A variant's settings stand over the
// experiment's, and these over base.toml's.
type Experiment struct {
	Name     string    `toml:"-"` // of the file, without .toml
	Title    string    `toml:"title"`
	Question string    `toml:"question"`
	Paper    string    `toml:"paper"` // what Dieleman et al. 2022, or who else, found
	Seeds    []uint64  `toml:"seeds"`
	Measure  []string  `toml:"measure"` // names of measures
	Train    settings  `toml:"train"`
	Sample   settings  `toml:"sample"`
	Variants []variant `toml:"variant"`
	Tables   []table   `toml:"table"`
	Plots    []plot    `toml:"plot"`
	Scaling  bool      `toml:"scaling"` // fit a law to each group; see [law]
	Judge    settings  `toml:"judge"`   // of base.toml alone: the training of the network that judges
}

// variant is one setting, or, where values are lists, one for each combination
// of their elements. {section.key} in Name and Group stands for a value.
type variant struct {
	Name   string   `toml:"name"`
	Group  string   `toml:"group"` // a line in the plots
	Train  settings `toml:"train"`
	Sample settings `toml:"sample"`
}

// settings are tables of TOML: values by key, by section or not.
type settings map[string]any

// Trial is one thing to do: a variant with one seed and every setting resolved.
// Keys are "section.key" for training and "key" for writing.
type Trial struct {
	Variant, Group string
	Seed           uint64
	Train, Sample  settings
}

// Run names the training run: equal settings and seed, equal name. What the
// settings do not say is the preset's.
func (t Trial) Run() string { return digest(t.Train) }

// Sampling names what is written by it.
func (t Trial) Sampling() string { return digest(t.Sample) }

func digest(m settings) string {
	h := sha256.New()
	for _, key := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(h, "%s=%v\n", key, m[key])
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}

// loadExperiments reads base.toml and the named experiments of a directory in the
// order given, or all of them in that of their names. A name may leave out the
// number.
func loadExperiments(dir string, names []string) ([]Experiment, error) {
	var base Experiment
	if err := readTOML(filepath.Join(dir, "base.toml"), &base); err != nil {
		return nil, err
	}
	paths, err := filepath.Glob(filepath.Join(dir, "experiments", "*.toml"))
	if err != nil {
		return nil, err
	}
	if len(names) > 0 {
		if paths, err = choose(paths, names); err != nil {
			return nil, err
		}
	}
	var all []Experiment
	for _, path := range paths {
		e := Experiment{Name: nameOf(path)}
		if err := readTOML(path, &e); err != nil {
			return nil, err
		}
		e.Train, e.Sample = over(base.Train, e.Train), over(base.Sample, e.Sample)
		if len(e.Seeds) == 0 {
			e.Seeds = base.Seeds
		}
		all = append(all, e)
	}
	return all, nil
}

// loadJudge reads the settings of the network that judges.
func loadJudge(dir string) (settings, error) {
	var base Experiment
	err := readTOML(filepath.Join(dir, "base.toml"), &base)
	return over(base.Judge, nil), err
}

// choose finds the paths of names.
func choose(paths, names []string) ([]string, error) {
	var out []string
	for _, name := range names {
		at := slices.IndexFunc(paths, func(path string) bool {
			_, short, _ := strings.Cut(nameOf(path), "-")
			return name == nameOf(path) || name == short
		})
		if at < 0 {
			return nil, fmt.Errorf("there is no experiment %q", name)
		}
		out = append(out, paths[at])
	}
	return out, nil
}

func nameOf(path string) string { return strings.TrimSuffix(filepath.Base(path), ".toml") }

// readTOML decodes a file that may hold nothing unknown.
func readTOML(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	err = toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields().Decode(into)
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) {
		err = errors.New(strings.TrimSpace(strict.String()))
	}
	if err != nil {
		return fmt.Errorf("read %q: %w", path, err)
	}
	return nil
}

// over puts settings over others.
func over(below, above settings) settings {
	out := settings(flatten("", below))
	maps.Copy(out, flatten("", above))
	return out
}

// flatten joins the names of nested tables with dots.
func flatten(prefix string, tree map[string]any) map[string]any {
	out := map[string]any{}
	for key, value := range tree {
		if below, ok := value.(map[string]any); ok {
			maps.Copy(out, flatten(prefix+key+".", below))
		} else {
			out[prefix+key] = value
		}
	}
	return out
}

// Trials lists all that an experiment consists of, seed by seed, so that one
// that is cut short has whole seeds.
func (e Experiment) Trials() ([]Trial, error) {
	var out []Trial
	for _, seed := range e.Seeds {
		taken := map[string]bool{}
		for _, v := range e.Variants {
			for _, varied := range combinations(v.settings()) {
				t := Trial{
					Variant: fill(v.Name, varied), Group: fill(v.Group, varied), Seed: seed,
					Train: over(e.Train, nil), Sample: over(e.Sample, nil),
				}
				for key, value := range varied {
					if name, ok := strings.CutPrefix(key, "train."); ok {
						t.Train[name] = value
					} else {
						t.Sample[strings.TrimPrefix(key, "sample.")] = value
					}
				}
				t.Train["run.seed"], t.Sample["seed"] = seed, seed
				if taken[t.Variant] {
					return nil, fmt.Errorf("experiment %s: two variants are called %q", e.Name, t.Variant)
				}
				taken[t.Variant] = true
				out = append(out, t)
			}
		}
	}
	return out, nil
}

// settings are those of the variant, both kinds.
func (v variant) settings() map[string]any {
	out := flatten("train.", v.Train)
	maps.Copy(out, flatten("sample.", v.Sample))
	return out
}

// combinations multiplies out values that are lists.
func combinations(m map[string]any) []map[string]any {
	out := []map[string]any{{}}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		values, many := m[key].([]any)
		if !many {
			values = []any{m[key]}
		}
		var next []map[string]any
		for _, so := range out {
			for _, value := range values {
				with := maps.Clone(so)
				with[key] = value
				next = append(next, with)
			}
		}
		out = next
	}
	return out
}

// fill puts values where {key} stands.
func fill(text string, values map[string]any) string {
	for key, value := range values {
		text = strings.ReplaceAll(text, "{"+key+"}", fmt.Sprint(value))
	}
	return text
}
