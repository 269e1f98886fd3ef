// Command control measures how often texts of a trained run do what is asked of
// them, and what that costs in fluency.
//
//	go run ./bench/control -run RUN -text TRAINING-TEXT [-n SAMPLES] [-sweep]
//
// Every row is n samples of each of its cases, in the same number of steps and
// from the same seeds as the row without wishes: how many met the constraint as
// a reader would see it, and the scores of all of them. -sweep adds the rows
// that tell what steering, and what settling, does alone.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/internal/generate"
	"github.com/seed-4c77ef92/textwarp/internal/judge"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

type options struct {
	run, text string
	n, show   int
	sweep     bool
	sampler   diffusion.Sampler
}

func main() {
	o := options{sampler: diffusion.Sampler{Guidance: 1, InitialNoise: 1, Method: diffusion.Euler}}
	flag.StringVar(&o.run, "run", "", "run directory")
	flag.StringVar(&o.text, "text", "", "text that the judge learns from")
	flag.IntVar(&o.n, "n", 16, "samples of a case")
	flag.IntVar(&o.show, "show", 0, "samples of a row to print")
	flag.BoolVar(&o.sweep, "sweep", false, "steering and settling alone, too")
	flag.IntVar(&o.sampler.Steps, "steps", 50, "sampler steps")
	flag.Float64Var(&o.sampler.Temperature, "temperature", .8, "score temperature")
	flag.BoolVar(&o.sampler.Exact, "exact", false, "exact temperature step")
	flag.Uint64Var(&o.sampler.Seed, "seed", 1, "seed of the samples")
	flag.Parse()
	if err := run(context.Background(), o); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// group is what is asked for in a row, one case after another.
type group struct {
	name  string
	cases []generate.Constraints
	mark  bool
}

// The words of tinyshakespeare by how often they occur in it: more than 150
// times, and 3 to 15 times. What is avoided is what hardly any text lacks.
var groups = []group{
	{"nothing", []generate.Constraints{{}}, false},
	{"contain frequent", words("king", "love", "lord", "death", "queen"), true},
	{"contain rare", words("dagger", "tempest", "orchard", "candle", "thunder"), true},
	{"avoid", []generate.Constraints{{Avoid: []string{"the"}}, {Avoid: []string{"and"}}, {Avoid: []string{"to"}}, {Avoid: []string{"the", "and", "to"}}}, true},
	{"starts", []generate.Constraints{{Starts: "ROMEO:\n"}, {Starts: "The king "}, {Starts: "What, "}}, true},
	{"ends", []generate.Constraints{{Ends: "the crown."}, {Ends: "of death."}, {Ends: "my lord?"}}, true},
	{"all of them", []generate.Constraints{
		{Starts: "ROMEO:\n", Contain: []string{"love", "death"}, Avoid: []string{"the", "and"}, Ends: "my lord."},
		{Starts: "The king ", Contain: []string{"crown"}, Avoid: []string{"to", "of"}, Ends: "in peace."},
	}, true},
}

func words(list ...string) (cases []generate.Constraints) {
	for _, w := range list {
		cases = append(cases, generate.Constraints{Contain: []string{w}})
	}
	return cases
}

// ways are the strengths and settling levels of a sweep, the default last.
func ways(sweep bool) []diffusion.Control {
	own := diffusion.Control{Strength: generate.ControlStrength, Settle: generate.ControlSettle}
	if !sweep {
		return []diffusion.Control{own}
	}
	return []diffusion.Control{
		{},
		{Strength: .5},
		{Strength: 1},
		{Strength: 2},
		{Strength: 4},
		{Settle: own.Settle},
		own,
	}
}

func run(ctx context.Context, o options) error {
	pool := kernels.NewPool(0)
	defer pool.Close()
	model, err := trainer.Load(o.run, pool)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(o.text)
	if err != nil {
		return err
	}
	j, err := judge.New(string(text))
	if err != nil {
		return err
	}
	fmt.Printf("run %s: step %d, vocabulary %d, %d tokens a text; %d steps of %s at temperature %v (exact %v), seed %d, %d samples a case\n",
		o.run, model.Step, model.Tokenizer.VocabSize(), model.Config.Data.Length,
		o.sampler.Steps, o.sampler.Method, o.sampler.Temperature, o.sampler.Exact, o.sampler.Seed, o.n)
	fmt.Println("asked for          strength settle    met        nll            H              words          words4")
	for _, g := range groups {
		list := ways(o.sweep)
		if len(g.cases[0].Contain)+len(g.cases[0].Avoid) == 0 {
			list = list[len(list)-1:] // the canvas alone decides
		}
		for i, way := range list {
			rate, err := row(ctx, o, model, j, g, way)
			if err != nil {
				return err
			}
			if g.mark && i == len(list)-1 {
				mark(fmt.Sprintf("control.%s.%s", filepath.Base(o.run), strings.ReplaceAll(g.name, " ", "_")), rate)
			}
		}
	}
	return nil
}

// row writes the texts of a group and prints how they did; it returns the share
// that does all that is asked.
func row(ctx context.Context, o options, model *trainer.Trained, j *judge.Judge, g group, way diffusion.Control) (float64, error) {
	var texts []string
	met := 0
	for _, c := range g.cases {
		n := o.n
		if len(g.cases) == 1 {
			n *= 4 // the row that others are compared with
		}
		canvas, err := generate.Between(model.Tokenizer, c.Starts, c.Ends, model.Config.Data.Length)
		if err != nil {
			return 0, err
		}
		s := o.sampler
		if s.Control, err = c.Control(model.Tokenizer, way.Strength, way.Settle); err != nil {
			return 0, err
		}
		writer, err := generate.NewDiffusion(model, s)
		if err != nil {
			return 0, err
		}
		written, err := generate.Collect(ctx, writer, canvas, 0, n)
		if err != nil {
			return 0, err
		}
		for _, t := range written {
			texts = append(texts, t.Text)
			if c.Met(t.Text) {
				met++
			}
		}
	}
	score, err := j.Score(texts)
	if err != nil {
		return 0, err
	}
	rate := float64(met) / float64(len(texts))
	fmt.Printf("%-18s %8.2f %6.2f  %4d/%-4d %s  %s  %s  %s\n", g.name, way.Strength, way.Settle, met, len(texts),
		figure(score.NLL), figure(score.Entropy), figure(score.Known), figure(score.KnownLong))
	for _, t := range texts[:min(o.show, len(texts))] {
		fmt.Printf("    %q\n", t)
	}
	return rate, nil
}

func figure(e judge.Estimate) string { return fmt.Sprintf("%6.3f ± %.3f", e.Value, e.StdErr) }

// mark prints a share with its target.
func mark(name string, rate float64) {
	verdict := "short"
	if rate >= .95 {
		verdict = "ok"
	}
	fmt.Printf("mark %s %.3f >= 0.95 %s\n", name, rate, verdict)
}
