package main

import (
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"time"

	"github.com/seed-4c77ef92/textwarp/autoregressive"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/pipeline"
	"github.com/seed-4c77ef92/textwarp/tokenize"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// The recipe is that of nanoGPT's README for a machine without a GPU: 2,000 steps
// on characters of tinyshakespeare, of which the last tenth is held out.
const (
	recipeSteps  = 2000
	recipeRate   = 1e-3
	recipeFinal  = .1
	recipeWarmup = 100
	recipeDecay  = .1

	recipeRound = 100  // steps by turns
	recipeLoss  = 1.88 // that nanoGPT's README reports, in nats
	enoughSteps = 700  // in which ours gets there
)

// training is a run of package trainer that is let go on for a number of steps at
// a time.
type training struct {
	dir    string
	config trainer.Config
	pool   *kernels.Pool

	goOn, paused chan struct{}
	done         chan error
}

func newTraining(s spec, pool *kernels.Pool) (*training, error) {
	w, err := findWorkload(s.Workload)
	if err != nil {
		return nil, err
	}
	r := &training{pool: pool, goOn: make(chan struct{}), paused: make(chan struct{}), done: make(chan error, 1)}
	if r.dir, err = os.MkdirTemp("", "recipe-"); err != nil {
		return nil, err
	}
	settings, err := trainer.NewSettings("nano")
	if err != nil {
		return nil, err
	}
	settings.Config = w.config()
	if err := settings.Set("process.objective", "ar", "the recipe"); err != nil {
		return nil, err
	}
	c := &settings.Config
	c.Data.Stream, c.Data.HeldOut = filepath.Join(r.dir, "train"), filepath.Join(r.dir, "val")
	n := w.net
	c.Model.EmbedDim, c.Model.Width, c.Model.Layers, c.Model.Heads, c.Model.MLP = n.EmbedDim, n.Width, n.Layers, n.Heads, n.MLP
	c.Optim.LR, c.Optim.FinalLR, c.Optim.Warmup, c.Optim.WeightDecay = recipeRate, recipeFinal, recipeWarmup, recipeDecay
	c.Run.Steps, c.Run.LogEvery = s.Steps, w.steps
	// All else comes when the clock has stopped.
	c.Run.EvalEvery, c.Run.SampleEvery, c.Run.SaveEvery = s.Steps, s.Steps, s.Steps
	r.config = *c
	if err := shard(s.File, c.Data.Stream, c.Data.HeldOut); err != nil {
		return nil, err
	}
	data, err := trainer.OpenData(*c, nil)
	if err != nil {
		return nil, err
	}
	t, err := trainer.Start(filepath.Join(r.dir, "run"), settings, data, trainer.Options{Pool: pool, Notify: r.notify})
	if err != nil {
		return nil, err
	}
	go func() {
		<-r.goOn
		r.done <- errors.Join(t.Run(context.Background()), t.Close())
	}()
	return r, nil
}

// notify stops the run where it logs its loss.
func (r *training) notify(e trainer.Event) {
	if e.Kind == "step" {
		r.paused <- struct{}{}
		<-r.goOn
	}
}

// run makes as many steps as lie between two lines of the log and gives the mean
// of their milliseconds.
func (r *training) run(n int) ([]float64, error) {
	began := time.Now()
	r.goOn <- struct{}{}
	select {
	case <-r.paused:
		return []float64{time.Since(began).Seconds() * 1e3 / float64(n)}, nil
	case err := <-r.done:
		return nil, err
	}
}

// evaluate lets the run end and gives the exact likelihood of the held-out text
// under the averaged weights, in nats a character. Every window begins without
// any context.
func (r *training) evaluate() (nats float64, err error) {
	defer os.RemoveAll(r.dir)
	r.goOn <- struct{}{}
	if err := <-r.done; err != nil {
		return 0, err
	}
	trained, err := trainer.Load(filepath.Join(r.dir, "run"), r.pool)
	if err != nil {
		return 0, err
	}
	data, err := trainer.OpenData(r.config, nil)
	if err != nil {
		return 0, err
	}
	defer data.Train.Close()
	const batch = 64
	l, n := r.config.Data.Length, data.HeldOut.Windows()
	ids, nll := make([]int32, n*l), make([]float32, n*l)
	for i := range n {
		if err := data.HeldOut.Window(ids[i*l:(i+1)*l], 0, i); err != nil {
			return 0, err
		}
	}
	m := trained.Model
	autoregressive.New(m.Table, m.Net.NewPass(batch, l, false), autoregressive.Options{Length: l, Batch: batch, MicroBatch: batch}).NLL(nll, ids)
	for _, v := range nll {
		nats += float64(v) / float64(len(nll))
	}
	return nats, nil
}

// shard divides a text as nanoGPT does and makes data sets of characters.
func shard(text, train, heldOut string) error {
	data, err := os.ReadFile(text)
	if err != nil {
		return err
	}
	var tok *tokenize.Tokenizer
	cut := len(data) * 9 / 10
	for _, part := range []struct {
		dir  string
		text []byte
	}{{train, data[:cut]}, {heldOut, data[cut:]}} {
		source := part.dir + ".txt"
		if err := os.WriteFile(source, part.text, 0o666); err != nil {
			return err
		}
		o := pipeline.Options{Sources: []string{source}, Out: part.dir}
		if tok != nil {
			o.Encoder, o.TokenizerJSON = tok, tok.JSON()
		} else {
			o.Train = func(docs iter.Seq[string]) (pipeline.Encoder, []byte, error) {
				if tok, err = tokenize.TrainChar(docs); err != nil {
					return nil, nil, err
				}
				return tok, tok.JSON(), nil
			}
		}
		if _, _, err := pipeline.Shard(context.Background(), o); err != nil {
			return err
		}
	}
	return nil
}
