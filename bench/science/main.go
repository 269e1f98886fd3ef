// Command science runs experiments and writes their tables and pictures into
// docs/science.md. Each is a short file in experiments/; what they have in common
// is in base.toml.
//
//	bench/science/run [-jobs 2] [NAME...]   trains, measures, appends to results/
//	bench/science/run -render [NAME...]     results/ to docs/science.md and docs/images/science
//	bench/science/run -smoke [NAME...]      everything with a few steps, into bench/out, to see that it works
//
// What results/ has is not done again, so a campaign that was stopped goes on
// where it was, also on another machine. Training runs are kept in
// bench/out/science/runs under names that their settings give them: experiments
// that ask for the same run share it, and one that was stopped is resumed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// Places in the module, from where the command is run.
const (
	home    = "bench/science"
	workOut = "bench/out/science"
	text    = "testdata/tinyshakespeare/input.txt"
	page    = "docs/science.md"
	images  = "docs/images/science"
)

func main() {
	jobs := flag.Int("jobs", 2, "training runs side by side, of one thread each from two on")
	render := flag.Bool("render", false, "write tables and pictures of what was measured into "+page)
	smoke := flag.Bool("smoke", false, "a few steps of everything, into "+workOut+"/smoke")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *jobs, *render, *smoke, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, jobs int, render, smoke bool, names []string) error {
	experiments, err := loadExperiments(home, names)
	if err != nil {
		return err
	}
	results := filepath.Join(home, "results")
	if render {
		return renderPage(page, images, experiments, results)
	}
	if jobs < 1 {
		return fmt.Errorf("-jobs %d: at least one is needed", jobs)
	}
	c, err := prepare(ctx, workOut, text)
	if err != nil {
		return err
	}
	judge, err := loadJudge(home)
	if err != nil {
		return err
	}
	l := &lab{out: workOut, corpus: c, judge: judge, jobs: jobs, smoke: smoke, stderr: os.Stderr}
	if smoke {
		l.out = filepath.Join(workOut, "smoke")
		results = filepath.Join(l.out, "results")
	}
	return l.run(ctx, experiments, results)
}
