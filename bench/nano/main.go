// Command nano compares a report of eval with what a correct CDCD of the nano
// preset reaches on tinyshakespeare.
//
//	bin/eval RUN --steps 200 --exact=false --windows 256 --json | go run ./bench/nano
//
// Targets are those of an independent PyTorch reference, with a margin; see
// docs/science.md.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/seed-4c77ef92/textwarp/internal/eval"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run() error {
	var r eval.Report
	if err := json.NewDecoder(os.Stdin).Decode(&r); err != nil {
		return fmt.Errorf("read report: %w", err)
	}
	model, err := trainer.Load(r.Run, nil)
	if err != nil {
		return err
	}
	fmt.Printf("run %s: step %d, seed %d\n", r.Run, r.Step, model.Config.Run.Seed)
	for _, e := range r.CrossEntropy {
		fmt.Printf("  mask %-6s", e.Mask)
		for _, t := range []float64{1, 2, 4, model.Config.Process.TMax} {
			if i := slices.Index(e.T, t); i >= 0 {
				fmt.Printf("  CE(%g) %.3f", t, e.CE[i])
			}
		}
		fmt.Println()
	}
	l := r.Likelihood
	fmt.Printf("  bound %.3f ± %.3f nats a token\n", l.Token.Value, l.Token.StdErr)
	for _, s := range r.Sources {
		fmt.Printf("  %-10s judge %.3f, entropy %.3f, words %.3f, of 4 letters and more %.3f\n",
			s.Name, s.Score.NLL.Value, s.Score.Entropy.Value, s.Score.Known.Value, s.Score.KnownLong.Value)
	}

	long := r.Step >= 4000 // else a run of 600
	ce := 1.45
	if long {
		ce = 1.20
	}
	mixed := r.CrossEntropy[0]
	mark("nano.ce_t2", mixed.CE[slices.Index(mixed.T, 2)], "<=", ce)
	mark("nano.warp_median", model.Warp.Quantile(.5), "in", 1.9)
	if long {
		own := r.Sources[1].Score
		mark("nano.bound", l.Token.Value, "<=", 2.45)
		mark("nano.words", own.Known.Value, ">=", .42)
		mark("nano.words4", own.KnownLong.Value, ">=", .22)
		mark("nano.entropy", own.Entropy.Value, ">=", 3.05)
	}
	return nil
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
