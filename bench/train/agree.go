package main

import (
	"context"
	"fmt"
	"path/filepath"
)

// agreement is how far the peer's loss and gradients are from ours.
type agreement struct {
	Workload string  `json:"workload"`
	Step     string  `json:"step"`
	Chunk    int     `json:"chunk"`
	Ours     float64 `json:"loss_ours"`
	Peer     float64 `json:"loss_peer"`
	Features float64 `json:"features"` // largest difference of the network's inputs, beside their largest
	Norm     float64 `json:"norm"`     // largest ‖a-b‖/‖b‖ of a gradient
	NormOf   string  `json:"norm_of"`
	Max      float64 `json:"max"` // largest max|a-b|/max|b|
	MaxOf    string  `json:"max_of"`
	Tensors  int     `json:"tensors"`
}

// disagreement is a relative norm that no rounding of float32 explains.
const disagreement = 1e-3

// agree lets the peer compute loss and gradients of our first step.
func (d *driver) agree(ctx context.Context, w *workload, step string) ([]agreement, error) {
	answer := filepath.Join(d.out, "answer.safetensors")
	s := w.spec(d.file(w), step, d.threads)
	if err := writeAnswer(answer, s); err != nil {
		return nil, err
	}
	r := &racer{result: &result{}}
	if err := r.start(ctx, d, variant{env: mallocEnv}, s); err != nil {
		return nil, err
	}
	defer r.leave()
	var found []agreement
	for _, chunk := range []int{0, headChunk} {
		a := agreement{Workload: w.name, Step: step, Chunk: chunk}
		if err := r.worker.ask(&a, "agree %d %s", chunk, answer); err != nil {
			return nil, err
		}
		if !(a.Norm < disagreement) {
			return nil, fmt.Errorf("compare %s %s: gradient of %s differs by %.2g of its norm: the steps are not the same", w.name, step, a.NormOf, a.Norm)
		}
		found = append(found, a)
	}
	return found, nil
}
