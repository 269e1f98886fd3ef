package main

import (
	"context"
	"slices"

	"github.com/seed-4c77ef92/textwarp/autoregressive"
	"github.com/seed-4c77ef92/textwarp/diffusion"
)

// The holes that are filled: one in the middle of a window, of each of these
// lengths. The window is as much shorter than those of training as the sentinels
// of FIM take.
const holeWindows = 96

var holeLengths = []int{4, 12}

// infilling has holes in held-out windows filled with what is most probable: by
// diffusion at a low score temperature, by an autoregressive network that has
// learned to fill in the middle greedily. It takes the share of holes that became
// what they were, and of characters.
func infilling(ctx context.Context, s *subject, t Trial) (values, error) {
	l := s.model.Config.Data.Length - autoregressive.NumSentinels
	window := make([]int32, s.model.Config.Data.Length)
	v := values{}
	for k, n := range holeLengths {
		var given, filled [][]int32
		for i := range s.lab.windows(holeWindows) {
			if err := s.data.HeldOut.Window(window, 0, i); err != nil {
				return nil, err
			}
			given = append(given, slices.Clone(window[:l]))
		}
		begin := (l - n) / 2
		var err error
		if s.reader != nil {
			filled, err = s.fillGreedily(ctx, given, begin, n)
		} else {
			filled, err = s.fillByNoise(ctx, given, begin, n, t)
		}
		if err != nil {
			return nil, err
		}
		var exact, right float64
		for i, ids := range filled {
			want := given[i][begin : begin+n]
			if slices.Equal(ids, want) {
				exact++
			}
			for j := range min(n, len(ids)) {
				if ids[j] == want[j] {
					right++
				}
			}
		}
		name := []string{"short", "long"}[k]
		v[name], v[name+"_characters"] = exact/float64(len(filled)), right/float64(len(filled)*n)
	}
	return v, nil
}

// fillGreedily returns what stands in the holes.
func (s *subject) fillGreedily(ctx context.Context, given [][]int32, begin, n int) ([][]int32, error) {
	fim := autoregressive.NewFIM(s.model.Tokenizer.VocabSize())
	writer := s.model.Model.Writer(s.model.Config, studyBatch, s.model.Config.Data.Length)
	var out [][]int32
	for part := range slices.Chunk(given, studyBatch) {
		sequences := make([]autoregressive.Sequence, len(part))
		for i, ids := range part {
			sequences[i] = autoregressive.Sequence{Given: fim.SPM(nil, ids[:begin], ids[begin+n:]), Most: n, Hole: true}
		}
		if err := (autoregressive.Sampler{TopP: 1}).Run(ctx, writer, sequences, nil); err != nil {
			return nil, err
		}
		for _, q := range sequences {
			out = append(out, q.IDs)
		}
	}
	return out, nil
}

// fillByNoise returns what stands in the holes.
func (s *subject) fillByNoise(ctx context.Context, given [][]int32, begin, n int, t Trial) ([][]int32, error) {
	o, err := t.sampling()
	if err != nil {
		return nil, err
	}
	table := s.model.Model.Table
	var out [][]int32
	for part := range slices.Chunk(given, studyBatch) {
		l := len(part[0])
		ids := slices.Concat(part...)
		st := diffusion.NewState(len(part), l, table.D)
		table.Lookup(st.C, ids)
		clear(st.M)
		for i := range part {
			for r := i*l + begin; r < i*l+begin+n; r++ {
				st.M[r] = 1
				clear(st.C[r*table.D : (r+1)*table.D])
			}
		}
		sampler := diffusion.Sampler{
			Schedule: s.model.Warp, Steps: o.Calls, Method: diffusion.Euler, Guidance: 1, Temperature: o.Temperature, Exact: o.Exact,
			InitialNoise: o.InitialNoise, SelfCondition: s.model.Config.Process.SelfConditioning > 0, Seed: o.Seed, First: uint64(len(out)),
		}
		if err := sampler.Run(ctx, s.process, st, ids, make([]float32, len(ids)), nil); err != nil {
			return nil, err
		}
		for i := range part {
			out = append(out, ids[i*l+begin:i*l+begin+n])
		}
	}
	return out, nil
}
