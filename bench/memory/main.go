// Command memory compares what train --dry-run says of a run's memory with what
// the run takes.
//
//	go run ./bench/memory -prep PREP -train TRAIN -text INPUT -out DIR
//
// Each run makes a few steps, a held-out evaluation, a sample and checkpoints. The
// peak is the resident set's (VmHWM, from getrusage).
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
)

// workload is a configuration of train.
type workload struct {
	name, tokenizer, flags string
	variants               []string
}

var workloads = []workload{
	{
		"nano: 8 × 128, width 128, 67 characters", "char",
		"--steps 20 --set run.eval_every=10 --set run.sample_every=10 --set run.save_every=10",
		[]string{"--threads 1", "--threads 2", "--threads 8", "--threads 2 --recompute", "--threads 2 --minutes 0.05"},
	},
	{
		"16 × 64, width 256, 4 layers, vocabulary 8,192", "train:bpe:8192",
		"--steps 6 --length 64 --batch 16 --set optim.micro_batch=16 --set model.embed_dim=64 --set model.width=256 " +
			"--set model.heads=4 --set model.mlp=1024 --set run.save_every=3",
		[]string{"--threads 1", "--threads 2", "--threads 8", "--threads 2 --recompute"},
	},
	{
		"8 × 512, width 512, 8 layers, vocabulary 12,149", "train:bpe:32768",
		"--steps 2 --length 512 --batch 8 --set optim.micro_batch=8 --set model.embed_dim=64 --set model.width=512 --set model.layers=8 " +
			"--set model.heads=8 --set model.mlp=2048 --set process.t_min=1 --set process.t_max=1.5",
		[]string{"--threads 2", "--threads 2 --recompute"},
	},
}

func main() {
	var b bench
	flag.StringVar(&b.prep, "prep", "", "the prep command")
	flag.StringVar(&b.train, "train", "", "the train command")
	flag.StringVar(&b.text, "text", "", "corpus")
	flag.StringVar(&b.out, "out", "", "directory for shards and runs")
	flag.Parse()
	if err := b.run(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

type bench struct{ prep, train, text, out string }

func (b *bench) run() error {
	fmt.Println("| run | | estimate, MiB | peak, MiB | estimate / peak |")
	fmt.Println("|---|---|---:|---:|---:|")
	for _, w := range workloads {
		shards := filepath.Join(b.out, strings.ReplaceAll(w.tokenizer, ":", "-"))
		if out, err := exec.Command(b.prep, "shard", b.text, "-o", shards, "--tokenizer", w.tokenizer,
			"--split-docs", "blank", "--val", "0.1").CombinedOutput(); err != nil {
			return fmt.Errorf("prepare shards: %w: %s", err, out)
		}
		for _, variant := range w.variants {
			args := append([]string{"--stream", shards}, strings.Fields(w.flags+" "+variant)...)
			if strings.Contains(variant, "--minutes") {
				args = append(args[:2], args[4:]...) // instead of --steps
			}
			estimate, err := b.estimate(args)
			if err != nil {
				return err
			}
			peak, err := b.peak(args)
			if err != nil {
				return err
			}
			fmt.Printf("| %s | %s | %.0f | %.0f | %.2f |\n", w.name, variant, estimate, peak, estimate/peak)
		}
	}
	return nil
}

var total = regexp.MustCompile(`(?m)^memory +([0-9]+) MiB`)

// estimate is what a dry run says, in MiB.
func (b *bench) estimate(args []string) (float64, error) {
	out, err := exec.Command(b.train, append(args, "--dry-run")...).Output()
	if err != nil {
		return 0, fmt.Errorf("dry run: %w", err)
	}
	m := total.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("a dry run says nothing of memory: %s", out)
	}
	return strconv.ParseFloat(string(m[1]), 64)
}

// peak is the largest resident set of a run, in MiB.
func (b *bench) peak(args []string) (float64, error) {
	run := filepath.Join(b.out, "run")
	if err := os.RemoveAll(run); err != nil {
		return 0, err
	}
	c := exec.Command(b.train, append(args, "-o", run)...)
	if out, err := c.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("train: %w: %s", err, out)
	}
	return float64(c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) / 1024, nil
}
