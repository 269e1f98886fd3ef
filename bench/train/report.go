package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
)

// report is all figures of a run. They are printed as they come.
type report struct {
	Machine  string          `json:"machine"`
	Load     []string        `json:"load"`     // before and after
	FMA      map[int]float64 `json:"peak_fma"` // FLOP/s by threads
	Agree    []agreement     `json:"agreement,omitempty"`
	Alike    []likeness      `json:"texts,omitempty"`
	Races    []raced         `json:"races,omitempty"`
	Products []product       `json:"products,omitempty"`
}

// raced is one kind of step of a workload.
type raced struct {
	Workload string    `json:"workload"`
	Step     string    `json:"step"`
	Tokens   int       `json:"tokens"`
	FLOPs    float64   `json:"flops"`
	Results  []*result `json:"results"`
}

func (r *report) agreed(found []agreement) {
	r.Agree = append(r.Agree, found...)
	for _, a := range found {
		head := "whole"
		if a.Chunk > 0 {
			head = "by chunks"
		}
		fmt.Printf("%s %s, head %s: loss %.6f and %.6f; inputs differ by %.1e; "+
			"of %d gradients the worst by norm is %s, %.1e, the worst number in %s, %.1e of its largest\n",
			a.Workload, a.Step, head, a.Ours, a.Peer, a.Features, a.Tensors, a.NormOf, a.Norm, a.MaxOf, a.Max)
	}
}

func (r *report) alike(found likeness) {
	r.Alike = append(r.Alike, found)
	fmt.Printf("%s %s: %d of %d tokens are the same; the last numbers differ by %.1e of the largest\n",
		found.Workload, found.Step, found.Same, found.Tokens, found.Last)
}

func (r *report) raced(w *workload, step string, results []*result) {
	race := raced{w.name, step, w.made(step), w.flops(step), results}
	r.Races = append(r.Races, race)
	fmt.Printf("\n%s %s (%s): %d x %d tokens, %.1f GFLOP a step; multiply-adds on registers reach", w.name, step, w.about, w.batch, w.length, race.FLOPs/1e9)
	for _, threads := range slices.Sorted(maps.Keys(r.FMA)) {
		fmt.Printf(" %.0f GFLOP/s with %d thread(s)", r.FMA[threads]/1e9, threads)
	}
	fmt.Println()
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "variant\tms/step\tmin–max\ttokens/s\tGFLOP/s\tof peak\tpeak RSS\tours is faster")
	for i, x := range results {
		switch {
		case x.Failed != "":
			fmt.Fprintf(t, "%s\tfailed: %s\n", x.Variant, x.Failed)
			continue
		case x.Ours && i > 0 && x.Variant == results[0].Variant:
			x.Variant += " again"
		}
		ms := median(x.Rounds)
		rate := race.FLOPs / ms * 1e3
		share := "–"
		if peak := r.FMA[x.Threads]; peak > 0 && x.Precision == "fp32" {
			share = fmt.Sprintf("%.0f %%", 100*rate/peak)
		}
		ratio := ""
		if !x.Ours {
			ratio = fmt.Sprintf("%.2f x", faster(x, rival(results, i)))
		}
		fmt.Fprintf(t, "%s\t%.1f\t%.1f–%.1f\t%.0f\t%.1f\t%s\t%d MB\t%s\n", x.Variant, ms, slices.Min(x.Rounds), slices.Max(x.Rounds),
			float64(race.Tokens)/ms*1e3, rate/1e9, share, x.Peak>>20, ratio)
	}
	t.Flush()
	for _, precision := range []string{"fp32", "bf16"} {
		race.conclude(precision)
	}
	race.nats()
	about := map[string]bool{}
	for _, x := range results {
		if x.About != "" && !about[x.About] {
			about[x.About] = true
			fmt.Printf("%s: %d MB before the model is made\n", x.About, x.Base>>20)
		}
	}
}

// rival finds the result of ours to compare result i with: of its own race, and of
// its precision where ours has it.
func rival(results []*result, i int) *result {
	best := results[0]
	for _, x := range results[:i] {
		if x.Ours && x.Failed == "" && x.Threads == results[i].Threads && x.Steps == results[i].Steps && (x.Precision == results[i].Precision || x.Precision == "fp32") {
			best = x
		}
	}
	return best
}

// faster is how many times as long x takes as ours: the median over the rounds,
// in each of which both met the same machine.
func faster(x, ours *result) float64 {
	n := min(len(x.Rounds), len(ours.Rounds))
	ratios := make([]float64, n)
	for i := range ratios {
		ratios[i] = x.Rounds[i] / ours.Rounds[i]
	}
	return median(ratios)
}

// conclude names the fastest variant of PyTorch. On a machine that is not quiet
// the fastest rounds say more than the median ones.
func (r *raced) conclude(precision string) {
	var best *result
	least := math.Inf(1)
	var mine *result
	quiet := math.Inf(1)
	for i, x := range r.Results {
		if x.Ours || x.Precision != precision || len(x.Rounds) == 0 {
			continue
		}
		quiet = min(quiet, slices.Min(x.Rounds))
		if ratio := faster(x, rival(r.Results, i)); ratio < least {
			best, least, mine = x, ratio, rival(r.Results, i)
		}
	}
	if best == nil {
		return
	}
	fmt.Printf("%s: ours takes %.2f of the time of the best PyTorch (%s) and %.2f of its memory\n",
		precision, 1/least, best.Variant, float64(mine.Peak)/float64(best.Peak))
	fastest := math.Inf(1)
	for _, x := range r.Results {
		if x.Ours && x.Threads == best.Threads && x.Precision == mine.Precision && len(x.Rounds) > 0 {
			fastest = min(fastest, slices.Min(x.Rounds))
		}
	}
	fmt.Printf("%s: the fastest rounds of both sides: %.1f and %.1f ms, %.2f x\n", precision, fastest, quiet, quiet/fastest)
	if aim, ok := aims[r.Step]; ok && precision == "fp32" {
		mark("train."+r.Step+".speed", least, ">=", aim, least >= aim)
	}
	if one := r.Results[1]; precision == "fp32" && one.Threads == 1 && len(one.Rounds) > 0 && r.Results[0].Threads > 1 {
		fmt.Printf("ours: %d threads are %.2f x as fast as one\n", r.Results[0].Threads, faster(one, r.Results[0]))
	}
}

// aims are how many times as fast as the best PyTorch ours is to be.
var aims = map[string]float64{sampling: 1.5}

// nats tells what the runs of a recipe have learned and how long they took.
func (r *raced) nats() {
	theirs := math.Inf(1)
	for _, x := range r.Results {
		if x.HeldOut == 0 {
			continue
		}
		fmt.Printf("%s: held-out loss %.4f nats a character after %d steps, %.0f s\n", x.Variant, x.HeldOut, x.Steps, x.seconds())
		if !x.Ours {
			theirs = min(theirs, x.seconds())
		}
	}
	for _, x := range r.Results {
		if !x.Ours || x.HeldOut == 0 || x.Threads != r.Results[0].Threads {
			continue
		}
		name := fmt.Sprintf("train.recipe.%d_steps.", x.Steps)
		mark(name+"held_out", x.HeldOut, "<=", recipeLoss, x.HeldOut <= recipeLoss)
		if ratio := theirs / x.seconds(); !math.IsInf(ratio, 1) {
			mark(name+"speed", ratio, ">=", 2, ratio >= 2)
		}
	}
}

// seconds is the time of all steps of a recipe.
func (x *result) seconds() (s float64) {
	for _, ms := range x.Rounds {
		s += ms / 1e3 * recipeRound
	}
	return s
}

func mark(name string, value float64, relation string, aim float64, met bool) {
	verdict := "short"
	if met {
		verdict = "ok"
	}
	fmt.Printf("mark %s %.3f %s %g %s\n", name, value, relation, aim, verdict)
}

func (r *report) write(path string) error {
	data, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o666)
}

// machine names the processor and the versions of both sides' tools.
func machine() string {
	model := "unknown processor"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if rest, ok := strings.CutPrefix(line, "model name"); ok {
				model = strings.Trim(rest, "\t :\n")
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d cores, %s/%s, %s", model, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// load is the load average of the last minute.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Fields(string(text))[0]
}
