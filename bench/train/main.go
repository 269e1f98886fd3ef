// Command train measures training steps and samplers beside the same in PyTorch, on
// the same processor. Start it by bench/train/run; README.md says what is
// measured and how.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
)

// driver is what a measurement needs besides its subject.
type driver struct {
	self, python string // commands
	peers        string // directory of the scripts
	out          string // directory of files in passing
	text         string // of the recipe
	threads      int
	quick        bool
	libraries    libraries
}

func main() {
	if len(os.Args) > 2 && strings.HasSuffix(os.Args[1], "worker") {
		finish(work(os.Args[1], os.Args[2]))
		return
	}
	var (
		d              driver
		names, figures string
		agree, gemm    bool
	)
	flag.BoolVar(&d.quick, "quick", false, "twelve minutes instead of forty: not W3, few rounds, no torch.compile")
	flag.StringVar(&names, "workloads", "", "which of W1 to W6 (default all; with -quick not W3)")
	flag.IntVar(&d.threads, "threads", runtime.NumCPU(), "threads of both sides")
	flag.BoolVar(&agree, "agree", true, "compare what is computed first")
	flag.BoolVar(&gemm, "gemm", false, "measure matrix products instead, against OpenBLAS and PyTorch")
	flag.StringVar(&figures, "json", "", "file for all figures")
	flag.StringVar(&d.out, "out", "bench/out/train", "directory for weights and caches")
	flag.StringVar(&d.python, "python", "python3", "Python with requirements.txt")
	flag.StringVar(&d.peers, "peers", "bench/train", "directory of the peers")
	flag.StringVar(&d.text, "text", "testdata/tinyshakespeare/input.txt", "text of the recipe")
	flag.StringVar(&d.libraries.jemalloc, "jemalloc", "", "library to preload")
	flag.StringVar(&d.libraries.tcmalloc, "tcmalloc", "", "library to preload")
	flag.StringVar(&d.libraries.intel, "intel", "", "library that makes MKL take Intel's paths")
	flag.Parse()
	if names == "" {
		names = "W1,W2,W3,W4,W5,W6"
		if d.quick {
			names = "W1,W2,W4,W5,W6"
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	report := report{Machine: machine(), Load: []string{load()}}
	err := d.prepare()
	switch {
	case err != nil:
	case gemm:
		err = d.measureProducts(ctx, &report)
	default:
		err = d.measureSteps(ctx, strings.Split(names, ","), agree, &report)
	}
	report.Load = append(report.Load, load())
	fmt.Printf("load %s before, %s after\n", report.Load[0], report.Load[1])
	if figures != "" && err == nil {
		err = report.write(figures)
	}
	finish(err)
}

func finish(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// work is the life of a worker of ours.
func work(kind, argument string) error {
	if kind == "gemm-worker" {
		return serveProducts(argument, os.Stdin, os.Stdout)
	}
	var s spec
	if err := json.Unmarshal([]byte(argument), &s); err != nil {
		return fmt.Errorf("read spec: %w", err)
	}
	return serve(s, os.Stdin, os.Stdout)
}

func (d *driver) prepare() (err error) {
	if d.self, err = os.Executable(); err != nil {
		return err
	}
	if d.out, err = filepath.Abs(d.out); err != nil { // the peer's cache needs a whole path
		return err
	}
	return os.MkdirAll(d.out, 0o777)
}

// file holds the weights and the batch of a workload, or the text of the recipe.
func (d *driver) file(w *workload) string {
	if w.trainsWhole() {
		return d.text
	}
	return filepath.Join(d.out, w.name+".safetensors")
}

func (d *driver) measureSteps(ctx context.Context, names []string, agree bool, report *report) error {
	fmt.Println(report.Machine)
	report.FMA = map[int]float64{}
	for _, name := range names {
		w, err := findWorkload(name)
		if err == nil && !w.trainsWhole() {
			err = writeProblem(d.file(w), w)
		}
		if err != nil {
			return err
		}
		for _, step := range w.kinds {
			if err := d.measure(ctx, w, step, agree, report); err != nil {
				return err
			}
		}
	}
	return nil
}

// measure compares one kind of step and then races its variants, as many at a
// time as memory allows, ours in every race.
func (d *driver) measure(ctx context.Context, w *workload, step string, agree bool, report *report) error {
	switch {
	case !agree || step == recipe:
	case step == sampling || step == writing:
		found, err := d.compareTexts(ctx, w, step)
		if err != nil {
			return err
		}
		report.alike(found)
	default:
		found, err := d.agree(ctx, w, step)
		if err != nil {
			return err
		}
		report.agreed(found)
	}
	d.measurePeak(report)
	var mine, theirs []variant
	for _, v := range variants(w, d.libraries, d.quick) {
		if v.ours {
			mine = append(mine, v)
		} else {
			theirs = append(theirs, v)
		}
	}
	var all []*result
	for len(theirs) > 0 {
		n := min(w.together, len(theirs))
		all = append(all, d.race(ctx, w, step, append(mine[:len(mine):len(mine)], theirs[:n]...))...)
		theirs = theirs[n:]
		mine = slices.DeleteFunc(mine, func(v variant) bool { return v.threads > 0 }) // once is enough
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
	}
	d.measurePeak(report)
	report.raced(w, step, all)
	return nil
}

// measurePeak finds how much the machine can do at most, in floating-point
// operations a second. It is asked again and again, since the machine may be busy.
func (d *driver) measurePeak(report *report) {
	for _, threads := range []int{1, d.threads} {
		pool := kernels.NewPool(threads)
		report.FMA[threads] = max(report.FMA[threads], pool.Peak(time.Second))
		pool.Close()
	}
}
