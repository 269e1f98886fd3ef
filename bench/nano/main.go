// Command nano measures a trained run against what a correct CDCD of the nano
// preset reaches on tinyshakespeare.
//
//	go run ./bench/nano -run RUN [-text INPUT] [-exact]
//
// It prints the cross-entropy on held-out text at fixed noise levels, the
// likelihood bound, the warp, and, with the training text, the scores of
// samples beside the n-gram ladder. The run must have held-out shards. Targets
// are those of an independent PyTorch reference, with a margin; see
// docs/science.md.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/internal/generate"
	"github.com/seed-4c77ef92/textwarp/internal/judge"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/pipeline"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

type options struct {
	run, text string
	windows   int
	sampler   diffusion.Sampler
	samples   int
	show      int
}

func main() {
	o := options{sampler: diffusion.Sampler{Guidance: 1, InitialNoise: 1}}
	flag.StringVar(&o.run, "run", "", "run directory")
	flag.StringVar(&o.text, "text", "", "training text of the judge; without it no samples are scored")
	flag.IntVar(&o.windows, "windows", 256, "held-out windows")
	flag.IntVar(&o.samples, "samples", 50, "samples to score")
	flag.IntVar(&o.show, "show", 3, "samples to print")
	flag.IntVar(&o.sampler.Steps, "steps", 200, "sampler steps")
	flag.StringVar(&o.sampler.Method, "sampler", diffusion.Euler, "euler, heun or ancestral")
	flag.Float64Var(&o.sampler.Temperature, "temperature", .8, "score temperature")
	flag.BoolVar(&o.sampler.Exact, "exact", false, "exact temperature step")
	flag.Uint64Var(&o.sampler.Seed, "seed", 1, "seed of the samples")
	flag.Parse()
	if err := run(context.Background(), o); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	pool := kernels.NewPool(0)
	defer pool.Close()
	model, err := trainer.Load(o.run, pool)
	if err != nil {
		return err
	}
	data, err := trainer.OpenData(model.Config, nil)
	if err != nil {
		return err
	}
	defer data.Train.Close()
	if data.HeldOut == nil {
		return fmt.Errorf("run %q has no held-out text", o.run)
	}
	const batch = 16
	l := model.Config.Data.Length
	process := model.Model.Process(model.Config, model.Warp, batch, l)
	fmt.Printf("run %s: step %d, vocabulary %d, seed %d\n", o.run, model.Step, model.Tokenizer.VocabSize(), model.Config.Run.Seed)
	if err := crossEntropies(process, data.HeldOut, model.Config, o.windows); err != nil {
		return err
	}
	if err := bound(ctx, process, data.HeldOut, model, o.windows); err != nil {
		return err
	}
	if err := warp(o.run, model); err != nil {
		return err
	}
	if o.text == "" {
		return nil
	}
	return ladder(ctx, model, o)
}

func crossEntropies(p *diffusion.CDCD, s *pipeline.Stream, c trainer.Config, windows int) error {
	levels := []float64{1, 1.4, 2, 2.8, 4, 10, c.Process.TMax}
	fmt.Printf("%-22s", "CE at t")
	for _, t := range levels {
		fmt.Printf("%8.3g", t)
	}
	fmt.Println()
	for _, mask := range []string{"mixed", "none"} {
		e, err := trainer.HeldOut(p, s, mask, levels, windows, 1)
		if err != nil {
			return err
		}
		fmt.Printf("  mask %-15s", mask)
		for _, ce := range e.CE {
			fmt.Printf("%8.3f", ce)
		}
		fmt.Println()
		if mask == "mixed" {
			target := 1.45 // after 600 steps
			if long(c) {
				target = 1.20
			}
			mark("nano.ce_t2", e.CE[slices.Index(levels, 2)], "<=", target)
		}
	}
	return nil
}

func bound(ctx context.Context, p *diffusion.CDCD, s *pipeline.Stream, model *trainer.Trained, windows int) error {
	l, batch := p.Size()
	windows = min(windows, s.Windows())
	ids := make([]int32, windows*l)
	for i := range windows {
		if err := s.Window(ids[i*l:(i+1)*l], 0, i); err != nil {
			return err
		}
	}
	b, err := diffusion.EvaluateBound(ctx, p, model.Warp, ids, diffusion.BoundOptions{
		Length: l, Dim: model.Config.Model.EmbedDim, Batch: batch, Draws: 8, Seed: 1,
	})
	if err != nil {
		return err
	}
	fmt.Printf("bound %.3f ± %.3f nats a token (reconstruction %.4f, diffusion %.3f, prior %.4f)\n",
		b.Nats, b.StdErr, b.Reconstruction, b.Diffusion, b.Prior)
	if long(model.Config) {
		mark("nano.bound", b.Nats, "<=", 2.45)
	}
	return nil
}

// long tells a run of the full 4,000 steps from one of 600.
func long(c trainer.Config) bool { return c.Run.Steps >= 4000 }

// warp compares the warp with what training under it should show: when the loss
// falls linearly in u, its mean is half its ceiling.
func warp(dir string, model *trainer.Trained) error {
	fmt.Print("warp t at u = .05 .25 .5 .75 .95:")
	for _, u := range []float64{.05, .25, .5, .75, .95} {
		fmt.Printf(" %.2f", model.Warp.Quantile(u))
	}
	fmt.Println()
	mark("nano.warp_median", model.Warp.Quantile(.5), "in", 1.9)
	data, err := os.ReadFile(filepath.Join(dir, trainer.MetricsFile))
	if err != nil {
		return err
	}
	var losses []float64
	for line := range strings.Lines(string(data)) {
		var m trainer.MetricsLine
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			return err
		}
		if m.Eval == nil && m.Step > model.Step-200 {
			losses = append(losses, m.Loss)
		}
	}
	var mean float64
	for _, v := range losses {
		mean += v / float64(len(losses))
	}
	fmt.Printf("mean training loss of the last 200 steps %.3f, half the top of the fitted curve %.3f\n",
		mean, model.Warp.Snapshot().Height/2)
	return nil
}

func ladder(ctx context.Context, model *trainer.Trained, o options) error {
	text, err := os.ReadFile(o.text)
	if err != nil {
		return err
	}
	cut := len(text) * 9 / 10
	rungs, j, err := judge.Ladder(string(text[:cut]), string(text[cut:]), 1)
	if err != nil {
		return err
	}
	texts, err := write(ctx, model, o)
	if err != nil {
		return err
	}
	score, err := j.Score(texts)
	if err != nil {
		return err
	}
	rungs = append(rungs, judge.Rung{Name: "this run", Score: score})
	fmt.Println("source               held-out    nll      H   word  word4")
	for _, r := range rungs {
		heldOut := "–"
		if r.HeldOut > 0 {
			heldOut = fmt.Sprintf("%.3f", r.HeldOut)
		}
		fmt.Printf("%-20s %8s %6.3f %6.3f %6.3f %6.3f\n", r.Name, heldOut, r.Score.NLL.Value, r.Score.Entropy.Value, r.Score.Known.Value, r.Score.KnownLong.Value)
	}
	if long(model.Config) {
		mark("nano.words", score.Known.Value, ">=", .42)
		mark("nano.words4", score.KnownLong.Value, ">=", .22)
		mark("nano.entropy", score.Entropy.Value, ">=", 3.05)
	}
	for _, t := range texts[:min(o.show, len(texts))] {
		fmt.Printf("%q\n", t)
	}
	return nil
}

// write generates the samples.
func write(ctx context.Context, model *trainer.Trained, o options) ([]string, error) {
	writer, err := generate.NewDiffusion(model, o.sampler)
	if err != nil {
		return nil, err
	}
	var texts []string
	err = writer.Write(ctx, generate.Blank(model.Config.Data.Length), 0, o.samples, func(t generate.Text) error {
		texts = append(texts, t.Text)
		return nil
	})
	return texts, err
}

// mark prints a figure with its target.
func mark(name string, value float64, relation string, target float64) {
	ok := value <= target
	goal := fmt.Sprint(target)
	switch relation {
	case ">=":
		ok = value >= target
	case "in":
		const width = .6
		ok = value >= target && value <= target+width
		goal = fmt.Sprintf("%g..%g", target, target+width)
	}
	verdict := "short"
	if ok {
		verdict = "ok"
	}
	fmt.Printf("mark %s %.4g %s %s %s\n", name, value, relation, goal, verdict)
}
