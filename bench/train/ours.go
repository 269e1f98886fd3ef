package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/seed-4c77ef92/textwarp/denoiser"
	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/safetensors"
	"github.com/seed-4c77ef92/textwarp/timewarp"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// ours makes the steps of this repository, as trainer.Trainer does, on the
// weights and the batch of a file.
type ours struct {
	step   string
	pool   *kernels.Pool
	config trainer.Config
	batch  int
	length int

	model *trainer.Model
	ids   []int32

	// of a plain step
	pass                            *denoiser.Pass
	params, grads                   []float32 // without the table
	features, dFeatures, ce, weight []float32
	t                               []float64

	process *diffusion.CDCD   // of a CDCD step and of samples
	decoder *denoiser.Decoder // of text from left to right

	m, v, average []float32
	steps         int
}

func newOurs(s spec, pool *kernels.Pool) (*ours, error) {
	w, err := findWorkload(s.Workload)
	if err != nil {
		return nil, err
	}
	o := &ours{step: s.Step, pool: pool, config: w.config(), batch: w.batch, length: w.length}
	if o.model, err = trainer.NewModel(w.net, nil, s.trains(), pool); err != nil {
		return nil, err
	}
	rows := w.tokens()
	ids := make([]float32, rows)
	o.ids = make([]int32, rows)
	f, err := safetensors.Open(s.File)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := o.model.ReadTensors(f, o.model.Params, ""); err != nil {
		return nil, err
	}
	if err := f.Read("ids", ids); err != nil {
		return nil, err
	}
	for i, id := range ids {
		o.ids[i] = int32(id)
	}
	o.model.Table.Refresh()
	o.params, o.grads = o.model.Params, o.model.Grads
	switch s.Step {
	case writing:
		o.decoder = o.model.Net.NewDecoder(w.batch, w.length)
		return o, nil
	case sampling:
		return o, o.prepareCDCD()
	case cdcd:
		err = o.prepareCDCD()
	case plain:
		table := len(o.model.Table.W)
		o.params, o.grads = o.params[table:], o.grads[table:]
		err = o.preparePlain(f, w)
	}
	o.m, o.v = make([]float32, len(o.params)), make([]float32, len(o.params))
	o.average = append([]float32{}, o.params...)
	return o, err
}

func (o *ours) preparePlain(f *safetensors.File, w *workload) error {
	rows := w.tokens()
	o.pass = o.model.Net.NewPass(w.batch, w.length, true)
	o.features, o.dFeatures = make([]float32, rows*w.net.Features()), make([]float32, rows*w.net.Features())
	o.ce, o.weight = make([]float32, rows), make([]float32, rows)
	for i := range o.weight {
		o.weight[i] = 1 / float32(rows)
	}
	t := make([]float32, w.batch)
	o.t = make([]float64, w.batch)
	if err := f.Read("t", t); err != nil {
		return err
	}
	for i, v := range t {
		o.t[i] = float64(v)
	}
	return f.Read("features", o.features)
}

func (o *ours) prepareCDCD() error {
	c := o.config
	warp, err := timewarp.New(c.Process.Warp, c.Process.TMin, c.Process.TMax, o.batch)
	if err != nil {
		return err
	}
	o.process = o.model.Process(c, warp, o.batch, o.length)
	return nil
}

// gradient adds the gradient of one batch and returns its loss.
func (o *ours) gradient() float64 {
	if o.step == cdcd {
		return o.process.Gradient(uint64(o.steps), o.ids).CE
	}
	o.pass.Forward(o.batch, o.length, o.features, o.t)
	o.pass.Loss(o.ce, o.ids, o.weight)
	o.pass.Backward(o.dFeatures)
	var sum float64
	for _, ce := range o.ce {
		sum += float64(ce)
	}
	return sum / float64(len(o.ce))
}

// update makes one whole step.
func (o *ours) update() {
	clear(o.grads)
	o.gradient()
	norm := math.Sqrt(o.pool.SumSquares(o.grads))
	o.steps++
	c := o.config.Optim
	o.pool.AdamW(o.params, o.grads, o.m, o.v, o.average, kernels.AdamOptions{
		LR: learningRate, Beta1: float32(c.Beta1), Beta2: float32(c.Beta2), Eps: 1e-8,
		ClipScale: float32(min(1, c.Clip/norm)), EMA: float32(c.EMA), Step: o.steps,
	})
	if o.step == cdcd {
		o.model.Table.Refresh()
		o.process.Learn()
	}
}

// maker makes steps of one kind.
type maker interface {
	// run makes n steps and gives their milliseconds.
	run(n int) ([]float64, error)
}

func newMaker(s spec, pool *kernels.Pool) (maker, error) {
	if s.Step == recipe {
		return newTraining(s, pool)
	}
	return newOurs(s, pool)
}

// run makes n steps and gives their milliseconds.
func (o *ours) run(n int) ([]float64, error) {
	switch o.step {
	case sampling:
		return o.timeSamples(n)
	case writing:
		return o.timeWriting(n)
	}
	times := make([]float64, n)
	for i := range times {
		began := time.Now()
		o.update()
		times[i] = time.Since(began).Seconds() * 1e3
	}
	return times, nil
}

// serve obeys the driver; peer.py does the same.
func serve(s spec, in io.Reader, out io.Writer) error {
	base, err := memory("self", "VmRSS")
	if err != nil {
		return err
	}
	pool := kernels.NewPool(s.Threads)
	defer pool.Close()
	about := fmt.Sprintf("%s, %s", runtime.Version(), pool.Level())
	if s.Precision == "bf16" && !pool.UseBF16() {
		about += ", no AVX512_BF16: computes in fp32"
	}
	w, err := newMaker(s, pool)
	if err != nil {
		return err
	}
	debug.FreeOSMemory() // what reading the file took is not the step's
	answer := json.NewEncoder(out)
	if err := answer.Encode(ready{Base: base, About: about}); err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		command, rest, _ := strings.Cut(lines.Text(), " ")
		switch command {
		case "run":
			var n int
			if _, err := fmt.Sscan(rest, &n); err != nil {
				return fmt.Errorf("run %q: %w", rest, err)
			}
			var times []float64
			if times, err = w.run(n); err == nil {
				err = answer.Encode(times)
			}
		case "evaluate":
			var nats float64
			if nats, err = w.(*training).evaluate(); err == nil {
				err = answer.Encode(nats)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
