package generate

import (
	"context"
	"fmt"

	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// Diffusion writes with a run of the objective "cdcd".
type Diffusion struct {
	// Observe, if not nil, sees every step of every batch.
	Observe func(Moment)

	// Sampler is the one that NewDiffusion was given, on the run's clock.
	Sampler diffusion.Sampler

	model *trainer.Trained
	batch int // tokens

	process *diffusion.CDCD // for canvases of the length seen last
}

// NewDiffusion makes a writer that follows s, on the clock of the run's warp
// and with self-conditioning where the run was trained with it.
func NewDiffusion(model *trainer.Trained, s diffusion.Sampler) (*Diffusion, error) {
	if model.Config.Process.Objective == trainer.AR {
		return nil, fmt.Errorf("write with a sampler of diffusion: the run predicts the next token (process.objective %s)", trainer.AR)
	}
	s.Schedule, s.SelfCondition = model.Warp, model.Config.Process.SelfConditioning > 0
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return &Diffusion{Sampler: s, model: model, batch: batchTokens}, nil
}

// Write implements [Writer].
func (d *Diffusion) Write(ctx context.Context, c Canvas, first, n int, each func(Text) error) error {
	l := len(c.IDs)
	batch := d.prepare(l, n)
	for end := first + n; first < end; first += batch {
		b := min(batch, end-first)
		ids, prob := make([]int32, b*l), make([]float32, b*l)
		st := d.state(c, b, ids)
		s := d.Sampler
		s.First = uint64(first)
		calls := 0
		observe := func(o diffusion.Sight) {
			calls = o.Calls
			if d.Observe != nil {
				d.Observe(Moment{
					Canvas: c, First: first, Texts: b, Step: o.Step, Steps: s.Steps, T: o.T, U: o.U, Calls: o.Calls, sight: o,
				})
			}
		}
		if err := s.Run(ctx, d.process, st, ids, prob, observe); err != nil {
			return err
		}
		for i := range b {
			t := Text{Number: first + i, Canvas: c, IDs: ids[i*l : (i+1)*l], Prob: prob[i*l : (i+1)*l], Calls: calls}
			t.Text = trainer.Text(d.model.Tokenizer, t.IDs)
			if err := each(t); err != nil {
				return err
			}
		}
	}
	return nil
}

// prepare makes room for up to n sequences of l tokens and says for how many.
func (d *Diffusion) prepare(l, n int) int {
	batch := max(1, min(n, d.batch/l))
	if d.process != nil {
		if length, room := d.process.Size(); length == l && room >= batch {
			return room
		}
	}
	process := d.model.Model.Process
	if d.Sampler.Control != nil {
		process = d.model.Model.SteeredProcess
	}
	d.process = process(d.model.Config, d.model.Warp, batch, l)
	return batch
}

// state puts the canvas before the sampler, b times.
func (d *Diffusion) state(c Canvas, b int, ids []int32) *diffusion.State {
	l, dim := len(c.IDs), d.model.Model.Table.D
	st := diffusion.NewState(b, l, dim)
	for i := range b {
		copy(ids[i*l:], c.IDs)
		d.model.Model.Table.Lookup(st.C[i*l*dim:(i+1)*l*dim], c.IDs)
		for j, noisy := range c.Noisy {
			if r := i*l + j; noisy {
				clear(st.C[r*dim : (r+1)*dim])
			} else {
				st.M[r] = 0
			}
		}
	}
	return st
}
