package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/safetensors"
)

// likeness is how far the text that the peer makes is from ours, where both have
// the same noise or take the most probable tokens.
type likeness struct {
	Workload string  `json:"workload"`
	Step     string  `json:"step"`
	Tokens   int     `json:"tokens"`
	Same     int     `json:"same"`
	Last     float64 `json:"last"` // largest difference of the last x̂0 or logits, beside their largest number
}

// compareTexts lets the peer make our text. Rounding may turn the choice between two
// tokens that are all but equally likely, and no other.
func (d *driver) compareTexts(ctx context.Context, w *workload, step string) (likeness, error) {
	answer := filepath.Join(d.out, "answer.safetensors")
	s := w.spec(d.file(w), step, d.threads)
	if err := writeText(answer, s); err != nil {
		return likeness{}, err
	}
	found := likeness{Workload: w.name, Step: step}
	r := &racer{result: &result{}}
	if err := r.start(ctx, d, variant{env: mallocEnv}, s); err != nil {
		return found, err
	}
	defer r.leave()
	if err := r.worker.ask(&found, "agree 0 %s", answer); err != nil {
		return found, err
	}
	if !(found.Last < disagreement) || float64(found.Same) < .999*float64(found.Tokens) {
		return found, fmt.Errorf("compare %s: %d of %d tokens are the same, the last numbers differ by %.2g: the networks are not the same",
			w.name, found.Same, found.Tokens, found.Last)
	}
	return found, nil
}

func writeText(path string, s spec) error {
	pool := kernels.NewPool(s.Threads)
	defer pool.Close()
	o, err := newOurs(s, pool)
	if err != nil {
		return err
	}
	var tensors []safetensors.Tensor
	if s.Step == writing {
		tensors, err = o.written()
	} else {
		tensors, err = o.sampled()
	}
	if err != nil {
		return err
	}
	return writeTensors(path, tensors)
}
