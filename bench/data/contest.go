package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// contestant is one way to do a job: a command that prints an answer as the last
// line of its standard output.
type contestant struct {
	name    string
	ours    bool
	threads int
	argv    []string
	env     []string
	before  func() error           // makes room; not timed
	answer  func() (answer, error) // of a command that does not answer by itself; its time is the process's

	answers []answer
	wall    []float64 // seconds of the whole process
	peak    int64     // largest resident size, bytes
	failed  string
}

// answer is what a job says of itself.
type answer struct {
	Load    float64 `json:"load"`    // seconds until the work could begin
	Seconds float64 `json:"seconds"` // of the work
	Amount  float64 `json:"amount"`  // of work, in the unit of the race
	Tokens  int64   `json:"tokens"`
	Check   string  `json:"check"` // of the result; equal for equal results
}

// race lets each contestant do the job once a round, one after the other, each time
// in a process of its own: caches are cold.
func race(ctx context.Context, rounds int, list []*contestant) {
	for n := range rounds {
		for _, c := range list {
			if c.failed != "" || ctx.Err() != nil {
				continue
			}
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", n+1, rounds, c.name)
			if err := c.run(ctx); err != nil {
				c.failed = err.Error()
				fmt.Fprintf(os.Stderr, "    failed: %s\n", c.failed)
			}
		}
	}
}

// patience is the time that a contestant has for a round; the slowest that ends
// needs a quarter of it.
const patience = 10 * time.Minute

var errSlow = fmt.Errorf("not done after %v", patience)

func (c *contestant) run(ctx context.Context) error {
	if c.before != nil {
		if err := c.before(); err != nil {
			return err
		}
	}
	var out, problems bytes.Buffer
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errSlow)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.argv[0], c.argv[1:]...)
	cmd.Env = append(os.Environ(), c.env...)
	cmd.Stdout, cmd.Stderr = &out, &problems
	start := time.Now()
	err := cmd.Run()
	seconds := time.Since(start).Seconds()
	if err != nil {
		return fmt.Errorf("%w: %s", cmp.Or(context.Cause(ctx), err), lastLine(problems.String()))
	}
	c.wall = append(c.wall, seconds)
	c.peak = max(c.peak, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss<<10)
	var a answer
	if c.answer != nil {
		if a, err = c.answer(); err != nil {
			return err
		}
		a.Seconds = seconds
	} else if err := json.Unmarshal([]byte(lastLine(out.String())), &a); err != nil {
		return fmt.Errorf("it answered %q: %w", lastLine(out.String()), err)
	}
	c.answers = append(c.answers, a)
	return nil
}

// job is a contestant of the peers.
func (d *driver) job(name string, threads int, spec map[string]any) *contestant {
	spec["threads"] = threads
	env := []string{
		"RAYON_NUM_THREADS=" + strconv.Itoa(threads), "TOKENIZERS_PARALLELISM=" + strconv.FormatBool(threads > 1),
		"OMP_NUM_THREADS=" + strconv.Itoa(threads), "HF_HUB_OFFLINE=1", "HF_DATASETS_OFFLINE=1",
	}
	return &contestant{name: name, threads: threads, argv: []string{d.python, d.peer, encodeSpec(spec)}, env: env}
}

// own is a contestant of ours.
func (d *driver) own(name string, threads int, spec map[string]any) *contestant {
	spec["threads"] = threads
	return &contestant{
		name: name, threads: threads, ours: true,
		argv: []string{d.self, "worker", encodeSpec(spec)}, env: []string{"GOMAXPROCS=" + strconv.Itoa(threads)},
	}
}

func encodeSpec(spec map[string]any) string {
	text, err := json.Marshal(spec)
	if err != nil {
		panic(err) // unreachable: maps of strings and numbers
	}
	return string(text)
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// rates are the amounts a second of every round, with the time to load or without.
func (c *contestant) rates(load bool) []float64 {
	var r []float64
	for _, a := range c.answers {
		seconds := a.Seconds
		if load {
			seconds += a.Load
		}
		r = append(r, a.Amount/seconds)
	}
	return r
}

// ratio is how many times as fast a is as b: the median over the rounds, in each
// of which both met the same machine.
func ratio(a, b *contestant, load bool) float64 {
	x, y := a.rates(load), b.rates(load)
	ratios := make([]float64, min(len(x), len(y)))
	for i := range ratios {
		ratios[i] = x[i] / y[i]
	}
	return median(ratios)
}

func median(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(x))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// find returns the contestant of a name that has finished, or nil.
func find(list []*contestant, name string) *contestant {
	for _, c := range list {
		if c.name == name && len(c.answers) > 0 && c.failed == "" {
			return c
		}
	}
	return nil
}

// table prints a race. Each contestant is compared with ours of as many threads.
func table(list []*contestant, unit string, scale float64) {
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "contestant\t%s\tmin–max\twith load\tload, s\tpeak RSS\tsame result\tours is faster\twith load\n", unit)
	for _, c := range list {
		if c.failed != "" || len(c.answers) == 0 {
			fmt.Fprintf(t, "%s\tfailed: %.120s\n", c.name, c.failed)
			continue
		}
		rates := c.rates(false)
		var loads []float64
		for _, a := range c.answers {
			loads = append(loads, a.Load)
		}
		same, faster, loaded := "", "", ""
		if mine := rival(list, c); mine != nil && !c.ours {
			same = "no"
			if c.answers[0].Check == "" {
				same = "?"
			} else if c.answers[0].Check == mine.answers[0].Check {
				same = "yes"
			}
			faster, loaded = fmt.Sprintf("%.2f x", ratio(mine, c, false)), fmt.Sprintf("%.2f x", ratio(mine, c, true))
		}
		fmt.Fprintf(t, "%s\t%.2f\t%.2f–%.2f\t%.2f\t%.2f\t%d MB\t%s\t%s\t%s\n", c.name, median(rates)/scale, slices.Min(rates)/scale, slices.Max(rates)/scale,
			median(c.rates(true))/scale, median(loads), c.peak/1e6, same, faster, loaded)
	}
	t.Flush()
}

// rival is ours of as many threads.
func rival(list []*contestant, c *contestant) *contestant {
	for _, o := range list {
		if o.ours && o.threads == c.threads && len(o.answers) > 0 && o.failed == "" {
			return o
		}
	}
	return nil
}

// mark prints a figure beside what it should be.
func mark(name string, value float64, relation string, target float64) {
	ok := value == target
	switch relation {
	case ">=":
		ok = value >= target
	case "<=":
		ok = value <= target
	}
	verdict := "short"
	if ok {
		verdict = "ok"
	}
	fmt.Printf("mark %s %.4g %s %g %s\n", name, value, relation, target, verdict)
}
