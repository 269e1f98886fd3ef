package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// result is what a variant did.
type result struct {
	Variant   string    `json:"variant"`
	About     string    `json:"about"`
	Ours      bool      `json:"ours"`
	Precision string    `json:"precision"`
	Threads   int       `json:"threads"`
	Steps     int       `json:"steps"`     // of a whole recipe
	Rounds    []float64 `json:"rounds_ms"` // median step of every round
	Peak      int64     `json:"peak_bytes"`
	Base      int64     `json:"base_bytes"` // before the model was made
	HeldOut   float64   `json:"held_out_nats,omitempty"`
	Failed    string    `json:"failed,omitempty"`
}

// racer is a variant and its worker, while it lives.
type racer struct {
	*result
	worker *worker
}

// race measures variants of one kind of step by turns: in every round each
// worker makes a few steps while the others sleep, so that all meet the same
// machine. The pause lets its threads go to sleep: those of OpenMP, unless passive,
// look out for work for some milliseconds before they do.
func (d *driver) race(ctx context.Context, w *workload, step string, list []variant) []*result {
	var racers []*racer
	for _, v := range list {
		fmt.Fprintf(os.Stderr, "%s %s: start %s\n", w.name, step, v.name)
		racers = append(racers, d.enter(ctx, w, step, v))
	}
	rounds := w.rounds
	if d.quick && step != recipe {
		rounds = 3
	}
	for n := range rounds {
		fmt.Fprintf(os.Stderr, "%s %s: round %d of %d\n", w.name, step, n+1, rounds)
		for _, r := range racers {
			if w.trainsWhole() && len(r.Rounds)*w.steps == r.Steps {
				continue // its run is over
			}
			r.run(w.steps)
			time.Sleep(pause)
		}
	}
	results := make([]*result, len(racers))
	for i, r := range racers {
		if step == recipe {
			r.evaluate()
		}
		r.leave()
		results[i] = r.result
	}
	return results
}

const pause = 50 * time.Millisecond

// tooSlow tells whether a variant is out of the race, so that it is not asked
// again: bf16 on a processor that lacks it. One slow step may be the machine's.
func tooSlow(w *workload, steps []float64) bool {
	limit := 20e3 * float64(w.tokens()) / 4096
	return len(steps) > 1 && slices.Min(steps) > limit
}

// enter starts a worker and warms it up. A variant that does not run is a result
// as well.
func (d *driver) enter(ctx context.Context, w *workload, step string, v variant) *racer {
	s := w.spec(d.file(w), step, d.threads)
	s.Compile, s.Chunk = v.compile, v.chunk
	if v.threads > 0 {
		s.Threads = v.threads
	}
	if v.steps > 0 {
		s.Steps = v.steps
	}
	if v.precision != "" {
		s.Precision = v.precision
	}
	r := &racer{result: &result{Variant: v.name, Ours: v.ours, Precision: s.Precision, Threads: s.Threads, Steps: s.Steps}}
	if err := r.start(ctx, d, v, s); err != nil {
		r.Failed = err.Error()
		return r
	}
	warmup := 3 // torch.compile works on the first two
	if step == recipe {
		warmup = 0 // every step is of the run; the median passes over the first ones
	}
	var warm []float64
	for range warmup {
		var times []float64
		if err := r.worker.ask(&times, "run 1"); err != nil {
			r.drop(err)
			return r
		}
		warm = append(warm, times...)
		if !v.compile && tooSlow(w, warm) {
			r.Rounds = warm
			r.leave()
			return r
		}
	}
	if err := r.worker.resetPeak(); err != nil {
		r.drop(err)
	}
	return r
}

func (r *racer) start(ctx context.Context, d *driver, v variant, s spec) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	env, argv := v.env, []string{d.python, filepath.Join(d.peers, script(s.Step)), string(text)}
	if v.ours {
		argv = []string{d.self, "worker", string(text)}
	} else {
		env = append([]string{"OMP_NUM_THREADS=" + strconv.Itoa(s.Threads), "TORCHINDUCTOR_CACHE_DIR=" + d.out + "/inductor"}, env...)
		if !v.spins {
			env = append(env, "OMP_WAIT_POLICY=PASSIVE")
		}
	}
	var hello ready
	r.worker, hello, err = startWorker(ctx, env, argv...)
	r.About, r.Base = hello.About, hello.Base
	return err
}

// script is the peer that makes a kind of step.
func script(step string) string {
	if step == recipe {
		return "gpt.py"
	}
	return "peer.py"
}

// run adds a round.
func (r *racer) run(steps int) {
	if r.worker == nil {
		return
	}
	var times []float64
	if err := r.worker.ask(&times, "run %d", steps); err != nil {
		r.drop(err)
		return
	}
	r.Rounds = append(r.Rounds, median(times))
}

// evaluate asks what the run has come to.
func (r *racer) evaluate() {
	if r.worker == nil {
		return
	}
	if err := r.worker.ask(&r.HeldOut, "evaluate"); err != nil {
		r.drop(err)
	}
}

// leave ends the worker and notes how large it was.
func (r *racer) leave() {
	if r.worker == nil {
		return
	}
	peak, err := r.worker.peak()
	if err != nil {
		r.Failed = err.Error()
	}
	r.Peak = peak
	r.worker.stop()
	r.worker = nil
}

func (r *racer) drop(err error) {
	r.Failed = err.Error()
	r.worker.stop()
	r.worker = nil
}

func median(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(x))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
