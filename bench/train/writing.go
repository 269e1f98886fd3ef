package main

import (
	"context"
	"time"

	"github.com/seed-4c77ef92/textwarp/autoregressive"
	"github.com/seed-4c77ef92/textwarp/internal/safetensors"
)

// write draws n tokens of every sequence from left to right, behind the first
// tokens of the batch's own.
func (o *ours) write(given, n int, temperature float64, d autoregressive.Decoder) ([]autoregressive.Sequence, error) {
	sequences := make([]autoregressive.Sequence, o.batch)
	for i := range sequences {
		sequences[i] = autoregressive.Sequence{Given: o.ids[i*o.length:][:given], Most: n}
	}
	s := autoregressive.Sampler{Temperature: temperature, TopP: 1, Seed: 1}
	return sequences, s.Run(context.Background(), autoregressive.Writer{Table: o.model.Table, Decoder: d}, sequences, nil)
}

// timeWriting gives the milliseconds of a position of all sequences.
func (o *ours) timeWriting(positions int) ([]float64, error) {
	began := time.Now()
	_, err := o.write(0, positions, 1, o.decoder)
	return []float64{time.Since(began).Seconds() * 1e3 / float64(positions)}, err
}

// end is a decoder that keeps its last logits.
type end struct {
	autoregressive.Decoder
	logits []float32
}

func (e *end) Step(features []float32) []float32 {
	e.logits = e.Decoder.Step(features)
	return e.logits
}

// written is what the most probable tokens behind the first are, and the logits
// of the last.
func (o *ours) written() ([]safetensors.Tensor, error) {
	last := end{Decoder: o.decoder}
	sequences, err := o.write(1, o.length-1, 0, &last)
	if err != nil {
		return nil, err
	}
	var ids []int32
	for _, s := range sequences {
		ids = append(append(ids, s.Given...), s.IDs...)
	}
	return []safetensors.Tensor{
		{Name: "tokens", Shape: []int{o.batch, o.length}, F32: floats(ids)},
		{Name: "last", Shape: []int{len(last.logits)}, F32: last.logits},
	}, nil
}
