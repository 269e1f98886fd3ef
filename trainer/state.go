package trainer

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/internal/safetensors"
	"github.com/seed-4c77ef92/textwarp/pipeline"
	"github.com/seed-4c77ef92/textwarp/trainer/checkpoint"
)

// state is all that decides the next step beside the tensors, as JSON in a
// checkpoint. Go writes a float64 so that it reads back exactly.
type state struct {
	Step     int             `json:"step"`
	Updates  int             `json:"updates"` // steps that were applied
	Tokens   int             `json:"tokens"`
	Skipped  int             `json:"skipped"`
	Streak   int             `json:"streak"`  // skipped in a row
	Detours  int             `json:"detours"` // rollbacks
	Finished bool            `json:"finished"`
	Cursor   pipeline.Cursor `json:"cursor"`
	Recent   recent          `json:"recent"`
	Warp     json.RawMessage `json:"warp,omitempty"`

	Logs      map[string]int64 `json:"logs"` // length of each log, bytes
	Tokenizer string           `json:"tokenizer_sha256"`
	Data      string           `json:"data_sha256"`
	HeldOut   string           `json:"held_out_sha256,omitempty"`
	Version   string           `json:"version"`
}

// draw names the random numbers of the next step. After a rollback they are
// others, or the failure would only repeat itself.
func (s *state) draw() uint64 { return uint64(s.Step) | uint64(s.Detours)<<48 }

// recent sums what the next line of metrics will average.
type recent struct {
	Loss  float64 `json:"loss"`
	Norm  float64 `json:"norm"`
	Steps int     `json:"steps"`
}

func (r *recent) add(loss, norm float64) {
	r.Loss += loss
	r.Norm += norm
	r.Steps++
}

// save commits a checkpoint of the present step.
func (t *Trainer) save() error {
	logs, err := t.logs.sync()
	if err != nil {
		return err
	}
	s := &t.state
	if t.warp != nil {
		if s.Warp, err = json.Marshal(t.warp); err != nil {
			return fmt.Errorf("encode warp: %w", err)
		}
	}
	s.Logs, s.Cursor = logs, t.data.Train.Cursor()
	s.Tokenizer, s.Data, s.HeldOut, s.Version = t.data.Tokenizer.Hash(), t.data.Hash, t.data.HeldOutHash, t.options.Version
	err = checkpoint.Save(t.options.FS, t.dir, checkpoint.Checkpoint{
		Step:    s.Step,
		Meta:    map[string]string{"format": "textwarp", "tokenizer_sha256": s.Tokenizer},
		Weights: append(t.model.Tensors(t.model.Params, ""), t.model.Tensors(t.average.Params, averagePrefix)...),
		Optimizer: []safetensors.Tensor{
			{Name: "m", Shape: []int{len(t.m)}, F32: t.m}, {Name: "v", Shape: []int{len(t.v)}, F32: t.v},
		},
		State: s,
	})
	if err != nil {
		return err
	}
	t.notify(Event{Kind: "saved", Step: s.Step, Text: checkpoint.Path(t.dir, s.Step)})
	return checkpoint.Prune(t.options.FS, t.dir, t.config.Run.Keep)
}

// averagePrefix marks the moving average of the weights in a checkpoint.
const averagePrefix = "ema."

// restore loads the newest whole checkpoint and names the newer ones that are
// not whole.
func (t *Trainer) restore() (skipped []string, err error) {
	dir, step, skipped, err := checkpoint.Latest(t.dir)
	if err != nil {
		return skipped, err
	}
	var s state
	if err := checkpoint.LoadState(dir, &s); err != nil {
		return skipped, err
	}
	if s.HeldOut == "" { // the first versions did not note it
		s.HeldOut = t.data.HeldOutHash
	}
	for _, v := range []struct{ what, place, saved, now string }{
		{"tokenizer", t.config.Data.Stream, s.Tokenizer, t.data.Tokenizer.Hash()},
		{"data set", t.config.Data.Stream, s.Data, t.data.Hash},
		{"held-out data set", t.config.Data.HeldOut, s.HeldOut, t.data.HeldOutHash},
	} {
		if v.saved != v.now {
			return skipped, fmt.Errorf("resume %q: its %s has SHA-256 %.12s…, the one of %q %.12s…: %w",
				t.dir, v.what, v.saved, v.place, v.now, safeio.ErrMismatch)
		}
	}
	if s.Step != step {
		return skipped, fmt.Errorf("checkpoint %q: state is of step %d: %w", dir, s.Step, safeio.ErrCorrupt)
	}
	if t.warp != nil {
		if err := json.Unmarshal(s.Warp, t.warp); err != nil {
			return skipped, fmt.Errorf("checkpoint %q: warp: %w (%w)", dir, err, safeio.ErrCorrupt)
		}
	}
	if err := readModel(dir, t.model, t.model.Params, ""); err != nil {
		return skipped, err
	}
	if err := readModel(dir, t.average, t.average.Params, averagePrefix); err != nil {
		return skipped, err
	}
	f, err := safetensors.Open(filepath.Join(dir, checkpoint.OptimizerFile))
	if err != nil {
		return skipped, err
	}
	defer f.Close()
	if err := f.Read("m", t.m); err != nil {
		return skipped, err
	}
	if err := f.Read("v", t.v); err != nil {
		return skipped, err
	}
	t.model.Table.Refresh()
	t.state = s
	return skipped, nil
}

// readModel fills a vector of the model's layout from a checkpoint's weights.
func readModel(dir string, m *Model, vector []float32, prefix string) error {
	f, err := safetensors.Open(filepath.Join(dir, checkpoint.WeightsFile))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := m.ReadTensors(f, vector, prefix); err != nil {
		return fmt.Errorf("%w; the checkpoint and config.toml are of different models", err)
	}
	return nil
}
