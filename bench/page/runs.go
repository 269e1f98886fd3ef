package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed-4c77ef92/textwarp/embeddings"
	"github.com/seed-4c77ef92/textwarp/internal/rng"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/internal/safetensors"
	"github.com/seed-4c77ef92/textwarp/timewarp"
	"github.com/seed-4c77ef92/textwarp/tokenize"
	"github.com/seed-4c77ef92/textwarp/trainer"
	"github.com/seed-4c77ef92/textwarp/trainer/checkpoint"
)

// steps is the length of a synthetic run; it logs in the preset's intervals.
const steps = 100_000

// fabricate makes a run directory as a training of so many steps leaves it: its
// logs, and a checkpoint with the table alone.
func fabricate(dir string, vocab, dim int, seed uint64) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	s, err := trainer.NewSettings("nano")
	if err != nil {
		return err
	}
	for key, value := range map[string]string{"run.steps": fmt.Sprint(steps), "model.embed_dim": fmt.Sprint(dim)} {
		if err := s.Set(key, value, "bench"); err != nil {
			return err
		}
	}
	var config bytes.Buffer
	if err := s.Write(&config); err != nil {
		return err
	}
	tok, err := characters(vocab)
	if err != nil {
		return err
	}
	table, err := randomTable(tok.VocabSize(), dim, seed)
	if err != nil {
		return err
	}
	logs := map[string][]byte{trainer.ConfigFile: config.Bytes(), trainer.TokenizerFile: tok.JSON()}
	if err := writeLogs(logs, s.Config, table, seed); err != nil {
		return err
	}
	for name, content := range logs {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	shape := []int{table.V, table.D}
	return checkpoint.Save(safeio.FS{}, dir, checkpoint.Checkpoint{
		Step:    steps,
		Weights: []safetensors.Tensor{{Name: "embeddings.weight", Shape: shape, F32: table.W}, {Name: "ema.embeddings.weight", Shape: shape, F32: table.W}},
		State:   map[string]int{"step": steps},
	})
}

// characters is a tokenizer of so many ideographs.
func characters(n int) (*tokenize.Tokenizer, error) {
	var text strings.Builder
	for c, have := rune(0x3400), 0; have < n; c++ {
		if c < 0xD800 || c >= 0x20000 { // neither surrogates nor private use
			text.WriteRune(c)
			have++
		}
	}
	return tokenize.TrainChar(func(yield func(string) bool) { yield(text.String()) })
}

func randomTable(vocab, dim int, seed uint64) (*embeddings.Table, error) {
	w := make([]float32, vocab*dim)
	normals := rng.New(seed, "table", 0, 0)
	for i := range vocab {
		size := .5 + 1/math.Sqrt(float64(i+1))
		for k := range dim {
			w[i*dim+k] = float32(size * normals.Normal())
		}
	}
	t, err := embeddings.New(vocab, dim, w, nil)
	if err == nil {
		t.Refresh()
	}
	return t, err
}

// writeLogs adds the logs of a run whose losses fall and whose warp moves.
func writeLogs(logs map[string][]byte, c trainer.Config, table *embeddings.Table, seed uint64) error {
	noise := rng.New(seed, "losses", 0, 0)
	stats, err := table.Stats(seed)
	if err != nil {
		return err
	}
	stats.NeverUpdated = nil
	var failed error
	add := func(name string, v any) {
		b, err := json.Marshal(v)
		if err != nil {
			failed = err
		}
		logs[name] = append(append(logs[name], b...), '\n')
	}
	for step := c.Run.LogEvery; step <= steps; step += c.Run.LogEvery {
		x := float64(step)
		add(trainer.MetricsFile, trainer.MetricsLine{
			Step: step, Tokens: 1024 * step, Epoch: x / 900, Loss: 1.6 + math.Exp(-x/2000) + .05*noise.Normal(),
			GradNorm: .3 + .05*math.Abs(noise.Normal()), LR: 3e-3 * (1 - x/steps),
		})
		add(trainer.TimingFile, trainer.TimingLine{Step: step, Seconds: x * .1, TokensPerSecond: 10_000 + 300*noise.Normal(), GFLOPS: 60})
		if step%c.Run.WarpEvery == 0 {
			add(trainer.WarpFile, trainer.WarpLine{Step: step, Warp: snapshot(step)})
		}
		if step%c.Run.EvalEvery == 0 {
			add(trainer.MetricsFile, trainer.MetricsLine{Step: step, Tokens: 1024 * step, Eval: evaluation(x)})
			add(trainer.EmbeddingsFile, trainer.EmbeddingsLine{Step: step, Stats: stats})
		}
		if step%c.Run.SampleEvery == 0 {
			add(trainer.SamplesFile, sample(step, c.Data.Length, table.V))
		}
	}
	return failed
}

// evaluation has as many classes as a run logs.
func evaluation(x float64) *trainer.Evaluation {
	e := &trainer.Evaluation{Mask: "mixed", Windows: 64}
	for t := .2; t < 50; t *= 2 {
		e.T, e.CE, e.SE = append(e.T, t), append(e.CE, 3*t*t/(t*t+2+4*math.Exp(-x/3000))), append(e.SE, .02)
	}
	for i := range 20 {
		e.Classes = append(e.Classes, trainer.ClassLoss{Group: "frequency", Name: fmt.Sprint(i + 1), Tokens: 100, CE: e.CE, SE: e.SE})
	}
	return e
}

// snapshot is a logistic function of ln t on as many nodes as a warp has.
func snapshot(step int) timewarp.Snapshot {
	const lo, hi, nodes = .2, 50., 128
	middle := math.Log(2) + math.Exp(-float64(step)/5000)
	f := func(t float64) float64 { return 1 / (1 + math.Exp(-2.5*(math.Log(t)-middle))) }
	scale := f(hi) - f(lo)
	s := timewarp.Snapshot{Kind: "online", TMin: lo, TMax: hi, Steps: step, Height: 3.3}
	for i := range nodes {
		t := lo * math.Pow(hi/lo, float64(i)/(nodes-1))
		s.T, s.CDF = append(s.T, t), append(s.CDF, (f(t)-f(lo))/scale)
		s.Density, s.Loss = append(s.Density, 2.5*f(t)*(1-f(t))/t/scale), append(s.Loss, 3.3*(f(t)-f(lo))/scale)
	}
	for _, u := range []float64{.05, .25, .5, .75, .95} {
		v := u*scale + f(lo)
		s.Quantiles = append(s.Quantiles, timewarp.Quantile{U: u, T: math.Exp(middle + math.Log(v/(1-v))/2.5)})
	}
	for i := range 64 {
		a, b := lo*math.Pow(hi/lo, float64(i)/64), lo*math.Pow(hi/lo, float64(i+1)/64)
		s.Observed = append(s.Observed, timewarp.Bin{Lo: a, Hi: b, T: math.Sqrt(a * b), Mean: 3.3 * f(a), StdErr: .02, Count: 300})
	}
	return s
}

// sample has a dozen frames.
func sample(step, length, vocab int) trainer.SampleLine {
	s := trainer.SampleLine{Step: step, Seed: 1, Steps: 50, Temperature: .8}
	for k := range 12 {
		f := trainer.Frame{Step: 4 * k, T: 50 / float64(k+1), U: 1 - float64(k)/12}
		for i := range length {
			f.IDs, f.P = append(f.IDs, int32((step+i*k)%vocab)), append(f.P, .5)
		}
		s.Frames = append(s.Frames, f)
	}
	return s
}
