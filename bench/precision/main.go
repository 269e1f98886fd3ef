// Command precision prints the held-out losses of the runs that bench/precision/run
// trains, step by step: mean over the seeds, and how far the seeds lie apart, in
// float32 and in bf16.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"gonum.org/v1/gonum/stat"

	"github.com/seed-4c77ef92/textwarp/trainer"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: precision DIRECTORY")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	precisions := []string{"fp32", "bf16"}
	curves := map[string]map[int][]float64{} // precision, step: a loss of each seed
	var steps []int
	for _, p := range precisions {
		curves[p] = map[int][]float64{}
		runs, err := filepath.Glob(filepath.Join(dir, p+"-*"))
		if err != nil {
			return err
		}
		for _, r := range runs {
			if err := read(filepath.Join(r, trainer.MetricsFile), curves[p]); err != nil {
				return err
			}
		}
	}
	for step := range curves["fp32"] {
		steps = append(steps, step)
	}
	slices.Sort(steps)
	fmt.Println("held-out loss, nats a noisy token: mean ± spread of the seeds (standard deviation)")
	for _, step := range steps {
		fmt.Printf("step %5d", step)
		for _, p := range precisions {
			mean, sd := stat.MeanStdDev(curves[p][step], nil)
			fmt.Printf("   %s %.4f ± %.4f", p, mean, sd)
		}
		fmt.Println()
	}
	return nil
}

// read adds the held-out losses of a run, each the mean over the noise levels.
func read(path string, into map[int][]float64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line trainer.MetricsLine
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return fmt.Errorf("read %q: %w", path, err)
		}
		if line.Eval != nil {
			into[line.Step] = append(into[line.Step], stat.Mean(line.Eval.CE, nil))
		}
	}
	return lines.Err()
}
