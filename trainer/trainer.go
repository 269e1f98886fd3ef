package trainer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/embeddings"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/timewarp"
	"github.com/seed-4c77ef92/textwarp/trainer/checkpoint"
)

// ErrDiverged is returned when steps stay non-finite after a rollback.
var ErrDiverged = errors.New("training diverged")

// Process is a diffusion system as the training loop knows it: it owns what is
// corrupted and how, the loss, and what it learns from the losses.
type Process interface {
	// Gradient adds the gradient of one batch; draw names its random numbers.
	Gradient(draw uint64, ids []int32) diffusion.Losses
	// Learn takes in the losses of the last Gradient.
	Learn()
}

// Options are what a run needs beside its configuration.
type Options struct {
	FS      safeio.FS
	Pool    *kernels.Pool
	Version string      // of the program, for the record
	Notify  func(Event) // called from the loop; may be nil

	// Init changes what a new run begins with, after the random values are drawn;
	// may be nil. The warp is nil where the objective knows no noise. An error is
	// that of Start.
	Init func(*Model, timewarp.Warp) error

	// Recompute runs every block of the network again on the way back instead
	// of keeping its activations. It changes memory and time and not the
	// result, as Pool does, so it is of the machine and not of the
	// configuration.
	Recompute bool
}

// Event tells of progress. Kind is "line", "saved", "skipped", "rollback" or
// "waiting".
type Event struct {
	Kind        string
	Step, Steps int
	Text        string
	Line        any // of a log, as it was written: a MetricsLine, WarpLine, EmbeddingsLine, SampleLine or TimingLine
}

// Trainer is a run in progress. It is not safe for concurrent use.
type Trainer struct {
	config  Config
	options Options
	dir     string
	data    *Data
	lock    *safeio.Lock
	logs    *logs

	model   *Model
	process Process
	warp    timewarp.Warp // nil where the objective knows no noise
	decayed [][2]int
	m, v    []float32 // Adam's moments

	average *Model // over the moving average of the parameters
	study   study
	classes *Classes // of held-out tokens; nil before the first evaluation

	ids    []int32
	state  state
	flops  float64 // of a training step, a token
	timing timing
}

// Start begins a new run in dir, which must not hold one already.
func Start(dir string, s *Settings, data *Data, o Options) (*Trainer, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if err := o.FS.MkdirAll(dir); err != nil {
		return nil, err
	}
	t, err := prepare(dir, s.Config, data, o)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, ConfigFile)); err == nil {
		t.Close()
		return nil, fmt.Errorf("%q holds a run already; continue it with --resume, or choose another directory", dir)
	}
	t.model.Init(s.Run.Seed)
	t.model.Table.Stretch(s.Model.EmbedStd / embeddings.InitStd)
	if o.Init != nil {
		err = o.Init(t.model, t.warp)
	}
	if err == nil {
		t.model.Table.Refresh()
		copy(t.average.Params, t.model.Params)
		err = t.begin(s)
	}
	if err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// begin writes what stands at the start of a run. The configuration comes last:
// with it, the run exists.
func (t *Trainer) begin(s *Settings) error {
	write := func(name string, data []byte) error {
		return t.options.FS.WriteFile(filepath.Join(t.dir, name), func(w io.Writer) error {
			_, err := w.Write(data)
			return err
		})
	}
	if err := write(TokenizerFile, t.data.Tokenizer.JSON()); err != nil {
		return err
	}
	var err error
	if t.logs, err = openLogs(t.dir, nil); err != nil {
		return err
	}
	if err := t.save(); err != nil {
		return err
	}
	return t.options.FS.WriteFile(filepath.Join(t.dir, ConfigFile), s.Write)
}

// Resume opens the run in dir at its newest whole checkpoint. What the logs
// hold beyond it is cut off: it will be written again, the same.
func Resume(dir string, c Config, data *Data, o Options) (t *Trainer, skipped []string, err error) {
	if t, err = prepare(dir, c, data, o); err != nil {
		return nil, nil, err
	}
	if skipped, err = t.restore(); err == nil {
		err = t.data.Train.Seek(t.state.Cursor)
	}
	if err == nil {
		t.logs, err = openLogs(dir, t.state.Logs)
	}
	if err != nil {
		t.Close()
		return nil, skipped, err
	}
	return t, skipped, nil
}

// prepare locks the directory and takes all memory of a run.
func prepare(dir string, c Config, data *Data, o Options) (*Trainer, error) {
	lock, err := o.FS.Lock(dir)
	if err != nil {
		return nil, err
	}
	t := &Trainer{config: c, options: o, dir: dir, data: data, lock: lock}
	err = checkpoint.Clean(o.FS, dir)
	if err == nil {
		err = t.build()
	}
	if err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

func (t *Trainer) build() error {
	c := t.config
	dc := c.Denoiser(t.data.Tokenizer.VocabSize())
	var err error
	if t.warp, err = c.warp(); err != nil {
		return err
	}
	if t.model, err = NewModel(dc, nil, true, t.options.Pool); err != nil {
		return err
	}
	if t.average, err = NewModel(dc, nil, false, t.options.Pool); err != nil {
		return err
	}
	n := len(t.model.Params)
	t.m, t.v = kernels.Floats(n), kernels.Floats(n)
	if c.Optim.WeightDecay > 0 {
		t.decayed = t.model.decayed()
	}
	pass := t.model.trainingPass(c.Optim.MicroBatch, c.Data.Length, t.options.Recompute)
	objective := t.model.objective(c, t.warp, pass)
	t.process = objective
	// Steps and studies take turns in the same memory.
	t.study = objective.study(t.average, pass.Of(t.average.Net))
	t.ids = make([]int32, c.Optim.Batch*c.Data.Length)
	t.flops = StepFLOPs(c, dc)
	return nil
}

// Run trains until the configured number of steps is done or the context ends;
// in both cases the state is saved. A context that ended is returned as its
// cause.
func (t *Trainer) Run(ctx context.Context) error {
	t.timing.begin(t.state.Tokens)
	for t.state.Step < t.config.Run.Steps {
		if ctx.Err() != nil {
			if err := t.save(); err != nil {
				return err
			}
			return context.Cause(ctx)
		}
		if err := t.wait(ctx); err != nil {
			return errors.Join(t.save(), err)
		}
		at, before := t.data.Train.Cursor(), t.state.Step
		err := t.step()
		if errors.Is(err, io.EOF) {
			break // the text that was piped in is used up
		}
		if err != nil && ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) && t.data.Train.Seek(at) == nil {
			continue // stopped while a shard was fetched, before the step was begun
		}
		if err != nil {
			return err
		}
		if t.state.Step <= before {
			continue // rolled back to where all that is due is written
		}
		if err := t.record(); err != nil {
			return err
		}
	}
	return t.finish()
}

// wait returns when the windows of the next step are there.
func (t *Trainer) wait(ctx context.Context) error {
	if t.data.Wait == nil {
		return nil
	}
	return t.data.Wait(ctx, t.config.Optim.Batch, func() { t.notify(Event{Kind: "waiting", Step: t.state.Step}) })
}

// step makes one update, or skips it when it is not finite.
func (t *Trainer) step() error {
	l := t.config.Data.Length
	for i := range t.config.Optim.Batch {
		if err := t.data.Train.Next(t.ids[i*l : (i+1)*l]); err != nil {
			return err
		}
	}
	clear(t.model.Grads)
	losses := t.process.Gradient(t.state.draw(), t.ids)
	norm := math.Sqrt(t.options.Pool.SumSquares(t.model.Grads[t.learned():]))
	t.state.Step++
	t.state.Tokens += len(t.ids)
	if !finite(losses.CE) || !finite(norm) {
		return t.skip(losses.CE, norm)
	}
	t.state.Streak = 0
	t.update(norm)
	t.process.Learn()
	t.state.Recent.add(losses.CE, norm)
	return nil
}

// update takes one AdamW step against the gradient, clipped to its largest
// norm, and moves the average along.
func (t *Trainer) update(norm float64) {
	o := t.config.Optim
	t.state.Updates++
	lr := learningRate(o, t.state.Step, t.config.Run.Steps)
	for _, r := range t.decayed {
		w := t.model.Params[r[0]:r[1]]
		for i := range w {
			w[i] -= float32(lr*o.WeightDecay) * w[i]
		}
	}
	from := t.learned()
	t.options.Pool.AdamW(t.model.Params[from:], t.model.Grads[from:], t.m[from:], t.v[from:], t.average.Params[from:],
		o.adam(lr, norm, t.state.Updates))
	t.model.Table.Refresh()
}

// learned is where the parameters begin that are learned: behind a frozen table.
func (t *Trainer) learned() int {
	if t.config.Model.Freeze {
		return len(t.model.Table.W)
	}
	return 0
}

// adam are the options of one AdamW step at a learning rate and a gradient norm.
// Updates count from 1.
func (o OptimConfig) adam(lr, norm float64, updates int) kernels.AdamOptions {
	n := float64(updates)
	return kernels.AdamOptions{
		LR: float32(lr), Beta1: float32(o.Beta1), Beta2: float32(o.Beta2), Eps: 1e-8,
		ClipScale: float32(min(1, o.Clip/norm)),
		EMA:       float32(min(o.EMA, (1+n)/(10+n))), // a young average must not remember the start
		Step:      updates,
	}
}

// learningRate rises linearly over the warm-up and falls along a cosine. Steps
// count from 1.
func learningRate(o OptimConfig, step, steps int) float64 {
	if step < o.Warmup {
		return o.LR * float64(step) / float64(o.Warmup)
	}
	done := min(1, float64(step-o.Warmup)/float64(max(1, steps-o.Warmup)))
	return o.LR * (o.FinalLR + (1-o.FinalLR)*(1+math.Cos(math.Pi*done))/2)
}

// skip counts a step that was not applied. A row of them goes back to the last
// checkpoint once, with other random numbers and the text that follows; if that
// does not help, the run has diverged.
func (t *Trainer) skip(loss, norm float64) error {
	t.state.Skipped++
	t.state.Streak++
	t.notify(Event{Kind: "skipped", Step: t.state.Step, Text: fmt.Sprintf("loss %v, gradient norm %v", loss, norm)})
	if t.state.Streak < t.config.Run.MaxSkips {
		return nil
	}
	failed := t.state
	if failed.Detours > 0 {
		return fmt.Errorf("%d steps in a row to step %d were not finite, and so they were before the rollback: %w; "+
			"lower optim.lr or optim.clip", failed.Streak, failed.Step, ErrDiverged)
	}
	if _, err := t.restore(); err != nil {
		return err
	}
	if err := t.logs.truncate(t.state.Logs); err != nil {
		return err
	}
	t.state.Detours = failed.Detours + 1
	t.state.Skipped = failed.Skipped
	t.timing.mark(t.state.Tokens)
	t.notify(Event{Kind: "rollback", Step: t.state.Step, Text: fmt.Sprintf("from step %d", failed.Step)})
	return nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func (t *Trainer) notify(e Event) {
	if t.options.Notify != nil {
		e.Steps = t.config.Run.Steps
		t.options.Notify(e)
	}
}

// Step returns the number of steps made.
func (t *Trainer) Step() int { return t.state.Step }

// Close gives the directory free. It saves nothing.
func (t *Trainer) Close() error {
	var err error
	if t.logs != nil {
		err = t.logs.close()
	}
	if t.data != nil && t.data.Train != nil {
		err = errors.Join(err, t.data.Train.Close())
	}
	return errors.Join(err, t.lock.Close())
}

// timing measures speed between two records.
type timing struct {
	began, last time.Time
	tokens      int // at last
}

func (c *timing) begin(tokens int) {
	c.mark(tokens)
	c.began = c.last
}

func (c *timing) mark(tokens int) { c.last, c.tokens = time.Now(), tokens }

// Position says where in the data a run stands.
func (t *Trainer) Position() string {
	c := t.state.Cursor
	return fmt.Sprintf("epoch %d, window %d, %d tokens seen", c.Epoch, c.Index, t.state.Tokens)
}
