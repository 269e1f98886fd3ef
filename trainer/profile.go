package trainer

import (
	"math"
	"time"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
)

// rehearse makes a run's training step on a copy that is thrown away: gradient,
// warp and optimiser, without data or records. Any tokens take the same time.
func rehearse(c Config, data *Data, o Options) (step func(), err error) {
	warp, err := c.warp()
	if err != nil {
		return nil, err
	}
	m, err := NewModel(c.Denoiser(data.Tokenizer.VocabSize()), nil, true, o.Pool)
	if err != nil {
		return nil, err
	}
	m.Init(c.Run.Seed)
	m.Table.Refresh()
	pass := m.trainingPass(c.Optim.MicroBatch, c.Data.Length, o.Recompute)
	process := m.objective(c, warp, pass)
	ids := make([]int32, c.Optim.Batch*c.Data.Length)
	n := len(m.Params)
	first, second, average := kernels.Floats(n), kernels.Floats(n), kernels.Floats(n)
	made := 0
	return func() {
		made++
		clear(m.Grads)
		process.Gradient(uint64(made), ids)
		process.Learn()
		norm := math.Sqrt(o.Pool.SumSquares(m.Grads))
		o.Pool.AdamW(m.Params, m.Grads, first, second, average, c.Optim.adam(c.Optim.LR, norm, made))
		m.Table.Refresh()
	}, nil
}

// Measure runs a few steps of a run on a copy that is thrown away and returns
// the speed in tokens a second. The data are left where they were.
func Measure(c Config, data *Data, o Options) (float64, error) {
	step, err := rehearse(c, data, o)
	if err != nil {
		return 0, err
	}
	step() // the first one meets fresh memory
	steps, took := repeat(step)
	return float64(steps*c.Optim.Batch*c.Data.Length) / took.Seconds(), nil
}

// repeat makes steps for two seconds or more.
func repeat(step func()) (steps int, took time.Duration) {
	for began := time.Now(); took < 2*time.Second; took = time.Since(began) {
		step()
		steps++
	}
	return steps, took
}

// Profile is where the time of a training step goes.
type Profile struct {
	Steps     int
	Took      time.Duration  // of all steps
	Kernels   []kernels.Stat // of all steps, longest time first
	Peak      float64        // what the processor can do at most, FLOP/s
	Bandwidth float64        // how fast it reads memory, bytes/s
}

// ProfileRun runs a few steps of a run on a copy that is thrown away and tells
// where their time goes. The data are left where they were.
func ProfileRun(c Config, data *Data, o Options) (Profile, error) {
	step, err := rehearse(c, data, o)
	if err != nil {
		return Profile{}, err
	}
	step() // the first one meets fresh memory
	stop := o.Pool.Profile()
	var p Profile
	p.Steps, p.Took = repeat(step)
	p.Kernels = stop()
	p.Peak, p.Bandwidth = o.Pool.Peak(200*time.Millisecond), o.Pool.Bandwidth(200*time.Millisecond)
	return p, nil
}
