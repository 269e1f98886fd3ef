package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/seed-4c77ef92/textwarp/autoregressive"
	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/internal/judge"
	"github.com/seed-4c77ef92/textwarp/timewarp"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// Sampling is how a trial writes.
type Sampling struct {
	Samples          int     `toml:"samples"`
	Calls            int     `toml:"calls"`    // of the network a text, the last reading-off not counted
	Method           string  `toml:"method"`   // euler, heun or ancestral
	Schedule         string  `toml:"schedule"` // own: the run's warp; fitted: an online warp of the network; or a fixed one
	Temperature      float64 `toml:"temperature"`
	Exact            bool    `toml:"exact"`
	Softmax          float64 `toml:"softmax_temperature"` // divides the logits; 0 is 1
	InitialNoise     float64 `toml:"initial_noise"`
	Guidance         float64 `toml:"guidance"`
	SelfConditioning bool    `toml:"self_conditioning"` // where the run was trained with it
	Prefix           int     `toml:"prefix"`            // characters of held-out text that are given
	Seed             uint64  `toml:"seed"`
}

// sampling reads that of a trial.
func (t Trial) sampling() (Sampling, error) {
	var s Sampling
	data, err := toml.Marshal(t.Sample)
	if err == nil {
		err = toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields().Decode(&s)
	}
	if err != nil {
		return s, fmt.Errorf("sampling: %w", err)
	}
	if s.Method == diffusion.Heun && s.Calls%2 != 0 {
		return s, fmt.Errorf("sampling: heun takes two calls a step, not %d in all", s.Calls)
	}
	return s, nil
}

// steps are those that the calls suffice for.
func (s Sampling) steps() int {
	n := s.Calls
	if s.Method == diffusion.Heun {
		n /= 2
	}
	if s.Guidance != 1 {
		n /= 2
	}
	return n
}

// write returns the texts of a trial, which are kept beside the run. Of texts
// that begin with given characters it returns the rest, and before it as many of
// them as the judge wants for context.
func (s *subject) write(ctx context.Context, t Trial) ([]string, error) {
	path := filepath.Join(s.dir, "samples-"+t.Sampling()+".json")
	var texts []string
	if data, err := os.ReadFile(path); err == nil && json.Unmarshal(data, &texts) == nil {
		return texts, nil
	}
	o, err := t.sampling()
	if err != nil {
		return nil, err
	}
	if s.reader != nil {
		texts, err = s.writeOn(ctx, o)
	} else {
		texts, err = s.writeAll(ctx, o)
	}
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(texts)
	if err != nil {
		return nil, err
	}
	return texts, os.WriteFile(path, data, 0o644)
}

// writeOn writes with an autoregressive run.
func (s *subject) writeOn(ctx context.Context, o Sampling) ([]string, error) {
	l := s.model.Config.Data.Length
	sampler := autoregressive.Sampler{Temperature: o.Temperature, TopP: 1, Seed: o.Seed}
	writer := s.model.Model.Writer(s.model.Config, studyBatch, l)
	ids := make([]int32, l)
	var texts []string
	for first := 0; first < o.Samples; first += studyBatch {
		sequences := make([]autoregressive.Sequence, min(studyBatch, o.Samples-first))
		for i := range sequences {
			if err := s.data.HeldOut.Window(ids, 0, first+i); err != nil {
				return nil, err
			}
			sequences[i] = autoregressive.Sequence{Given: slices.Clone(ids[:o.Prefix]), Most: l - o.Prefix}
		}
		sampler.First = uint64(first)
		if err := sampler.Run(ctx, writer, sequences, nil); err != nil {
			return nil, err
		}
		for _, q := range sequences {
			context := q.Given[max(0, o.Prefix-judge.Skipped):]
			texts = append(texts, trainer.Text(s.model.Tokenizer, slices.Concat(context, q.IDs)))
		}
	}
	return texts, nil
}

// writeAll writes with a diffusion run.
func (s *subject) writeAll(ctx context.Context, o Sampling) ([]string, error) {
	clock, err := s.clock(o.Schedule)
	if err != nil {
		return nil, err
	}
	sampler := diffusion.Sampler{
		Schedule: clock, Steps: o.steps(), Method: o.Method, Guidance: o.Guidance, Temperature: o.Temperature, Exact: o.Exact,
		InitialNoise: o.InitialNoise, SelfCondition: o.SelfConditioning && s.model.Config.Process.SelfConditioning > 0, Seed: o.Seed,
	}
	if o.Softmax != 0 {
		defer s.sharpen(o.Softmax)()
	}
	l := s.model.Config.Data.Length
	var texts []string
	for first := 0; first < o.Samples; first += studyBatch {
		b := min(studyBatch, o.Samples-first)
		ids, prob := make([]int32, b*l), make([]float32, b*l)
		st := diffusion.NewState(b, l, s.model.Config.Model.EmbedDim)
		for i := range b {
			if err := s.give(st, ids, i, first+i, o.Prefix); err != nil {
				return nil, err
			}
		}
		sampler.First = uint64(first)
		if err := sampler.Run(ctx, s.process, st, ids, prob, nil); err != nil {
			return nil, err
		}
		for i := range b {
			texts = append(texts, trainer.Text(s.model.Tokenizer, ids[i*l+max(0, o.Prefix-judge.Skipped):(i+1)*l]))
		}
	}
	return texts, nil
}

// sharpen divides the logits by a temperature, in the head's parameters, until
// the function that it returns is called.
func (s *subject) sharpen(temperature float64) (restore func()) {
	m := s.model.Model
	before := slices.Clone(m.Params)
	for _, tensor := range m.Tensors(m.Params, "") {
		if strings.HasPrefix(tensor.Name, "head.") {
			for i := range tensor.F32 {
				tensor.F32[i] /= float32(temperature)
			}
		}
	}
	return func() { copy(m.Params, before) }
}

// give puts the first n characters of a held-out window at the start of sequence
// i of the state.
func (s *subject) give(st *diffusion.State, ids []int32, i, window, n int) error {
	if n == 0 {
		return nil
	}
	l, d := st.L, st.D
	if err := s.data.HeldOut.Window(ids[i*l:(i+1)*l], 0, window); err != nil {
		return err
	}
	s.model.Model.Table.Lookup(st.C[i*l*d:(i*l+n)*d], ids[i*l:i*l+n])
	clear(st.M[i*l : i*l+n])
	return nil
}

// clock finds a schedule by its name.
func (s *subject) clock(name string) (diffusion.Schedule, error) {
	switch name {
	case "own":
		return s.model.Warp, nil
	case "fitted":
		return s.learned()
	}
	p := s.model.Config.Process
	return timewarp.NewFixed(name, p.TMin, p.TMax)
}
