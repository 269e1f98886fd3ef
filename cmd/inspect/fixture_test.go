package main

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/seed-4c77ef92/textwarp/embeddings"
	"github.com/seed-4c77ef92/textwarp/internal/rng"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/internal/safetensors"
	"github.com/seed-4c77ef92/textwarp/pipeline"
	"github.com/seed-4c77ef92/textwarp/timewarp"
	"github.com/seed-4c77ef92/textwarp/tokenize"
	"github.com/seed-4c77ef92/textwarp/trainer"
	"github.com/seed-4c77ef92/textwarp/trainer/checkpoint"
)

// The text whose characters are the vocabulary of the fixture.
const fixtureText = "To be, or not to be, that is the question:\nWhether 'tis nobler in the mind to suffer\n" +
	"The slings and arrows of outrageous fortune,\nOr to take arms against a sea of troubles"

// writeFixture makes a directory "run" and a directory "shards" below dir, as
// train and prep would, from formulas: what inspect prints of them does not
// change when training does.
func writeFixture(dir string) error {
	run := filepath.Join(dir, "run")
	if err := os.MkdirAll(run, 0o755); err != nil {
		return err
	}
	tok, err := tokenize.TrainChar(slices.Values([]string{fixtureText, "z"}))
	if err != nil {
		return err
	}
	settings, err := trainer.NewSettings("nano")
	if err != nil {
		return err
	}
	var config bytes.Buffer
	if err := settings.Write(&config); err != nil {
		return err
	}
	for name, data := range map[string][]byte{
		trainer.ConfigFile: config.Bytes(), trainer.TokenizerFile: tok.JSON(),
		trainer.WarpFile: warpLog(), trainer.MetricsFile: metricsLog(), trainer.TimingFile: timingLog(),
		trainer.SamplesFile: line(trainer.SampleLine{Step: 1000, Seed: 1, Steps: 50, Temperature: .8, Text: "To be\x1b[31m, or"}),
	} {
		if err := os.WriteFile(filepath.Join(run, name), data, 0o644); err != nil {
			return err
		}
	}
	if err := writePredicting(filepath.Join(dir, "predicting"), settings); err != nil {
		return err
	}
	for _, step := range []int{500, 1000} {
		if err := writeCheckpoint(run, step, tok.VocabSize()); err != nil {
			return err
		}
	}
	text := filepath.Join(dir, "corpus.txt")
	if err := os.WriteFile(text, []byte(fixtureText), 0o644); err != nil {
		return err
	}
	_, _, err = pipeline.Shard(context.Background(), pipeline.Options{
		Sources: []string{text}, Out: filepath.Join(dir, "shards"), Encoder: tok, TokenizerJSON: tok.JSON(),
	})
	return err
}

// writePredicting makes the logs of a run of the objective "ar".
func writePredicting(run string, settings *trainer.Settings) error {
	if err := os.MkdirAll(run, 0o755); err != nil {
		return err
	}
	if err := settings.Set("process.objective", trainer.AR, "test"); err != nil {
		return err
	}
	var config bytes.Buffer
	if err := settings.Write(&config); err != nil {
		return err
	}
	var metrics []byte
	for step := 10; step <= 100; step += 10 {
		loss := 1.5 + 20/float64(step)
		metrics = append(metrics, line(trainer.MetricsLine{Step: step, Tokens: 1024 * step, Loss: loss, GradNorm: .2, LR: 1e-3})...)
		metrics = append(metrics, line(trainer.MetricsLine{Step: step, Tokens: 1024 * step, Eval: &trainer.Evaluation{
			Windows: 512, Likelihood: &trainer.Likelihood{Nats: loss + .1, StdErr: .01, AfterFirst: loss, AfterFirstStdErr: .01},
		}})...)
	}
	for name, data := range map[string][]byte{trainer.ConfigFile: config.Bytes(), trainer.MetricsFile: metrics, trainer.WarpFile: nil} {
		if err := os.WriteFile(filepath.Join(run, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// writeCheckpoint saves a table in which all rows but the last have moved.
func writeCheckpoint(run string, step, vocab int) error {
	const d = 16
	w := make([]float32, vocab*d)
	table, err := embeddings.New(vocab, d, w, nil)
	if err != nil {
		return err
	}
	table.Init(1)
	s := rng.New(7, "fixture", uint64(step), 0)
	for i := range vocab - 1 {
		for k := range d {
			w[i*d+k] += float32((.2 + .01*float64(i)) * s.Normal())
		}
	}
	shape := []int{vocab, d}
	return checkpoint.Save(safeio.FS{}, run, checkpoint.Checkpoint{
		Step:    step,
		Weights: []safetensors.Tensor{{Name: "embeddings.weight", Shape: shape, F32: w}, {Name: "ema.embeddings.weight", Shape: shape, F32: w}},
		State:   map[string]int{"step": step},
	})
}

// line encodes v as a line of a log.
func line(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return append(b, '\n')
}

// warpLog is the history of a warp whose middle moves from t = 8 to t = 2.
func warpLog() []byte {
	var b []byte
	for step := 1; step <= 1000; step += step/4 + 1 {
		b = append(b, line(trainer.WarpLine{Step: step, Warp: snapshot(step)})...)
	}
	return append(b, line(trainer.WarpLine{Step: 1000, Warp: snapshot(1000)})...)
}

// snapshot is a logistic function of ln t.
func snapshot(step int) timewarp.Snapshot {
	const lo, hi, nodes, top = .2, 50., 64, 3.3
	middle := math.Log(2) + math.Log(4)*math.Exp(-float64(step)/100)
	g := func(t float64) float64 { return 1 / (1 + math.Exp(-2.5*(math.Log(t)-middle))) }
	scale := g(hi) - g(lo)
	s := timewarp.Snapshot{Kind: "online", TMin: lo, TMax: hi, Steps: step, Height: top}
	for i := range nodes {
		t := lo * math.Pow(hi/lo, float64(i)/(nodes-1))
		s.T, s.CDF = append(s.T, t), append(s.CDF, (g(t)-g(lo))/scale)
		s.Density = append(s.Density, 2.5*g(t)*(1-g(t))/t/scale)
		s.Loss = append(s.Loss, top*(g(t)-g(lo))/scale)
	}
	for _, u := range []float64{.05, .25, .5, .75, .95} {
		v := u*scale + g(lo)
		s.Quantiles = append(s.Quantiles, timewarp.Quantile{U: u, T: math.Exp(middle + math.Log(v/(1-v))/2.5)})
	}
	for i := range 16 {
		a, b := lo*math.Pow(hi/lo, float64(i)/16), lo*math.Pow(hi/lo, float64(i+1)/16)
		t := math.Sqrt(a * b)
		n := 16000 * math.Exp(-math.Pow(math.Log(t)-middle, 2)/2) / 4
		s.Observed = append(s.Observed, timewarp.Bin{
			Lo: a, Hi: b, T: t, Mean: top*(g(t)-g(lo))/scale + .08*math.Sin(float64(3*i)), StdErr: 2 / math.Sqrt(n), Count: n,
		})
	}
	return s
}

func metricsLog() []byte {
	var b []byte
	for step := 10; step <= 1000; step += 10 {
		x := float64(step)
		b = append(b, line(trainer.MetricsLine{
			Step: step, Tokens: 1024 * step, Epoch: x / 900, Loss: 1.5 + 1.5*math.Exp(-x/150) + .08*math.Sin(x),
			GradNorm: .3 + 2*math.Exp(-x/80) + .1*math.Sin(x/7), LR: 3e-3 * min(x/100, .5+.5*math.Cos(x/1000*math.Pi)),
		})...)
		if step%250 == 0 {
			e := &trainer.Evaluation{Mask: "mixed", Windows: 32}
			for _, t := range []float64{.2, .5, 1, 2, 4, 8, 16, 50} {
				e.T = append(e.T, t)
				e.CE = append(e.CE, 3*t*t/(t*t+2+4*math.Exp(-x/300))+.001)
				e.SE = append(e.SE, .03)
			}
			b = append(b, line(trainer.MetricsLine{Step: step, Tokens: 1024 * step, Eval: e})...)
		}
	}
	return b
}

func timingLog() []byte {
	var b []byte
	for step := 10; step <= 1000; step += 10 {
		speed := 15000 + 800*math.Sin(float64(step)/40)
		b = append(b, line(trainer.TimingLine{Step: step, Seconds: float64(step) * .07, TokensPerSecond: speed, GFLOPS: speed / 200})...)
	}
	return b
}
