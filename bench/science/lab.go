package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"sync"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
)

// lab runs experiments. Below out it keeps the shards, and every training run
// under the name that its settings give it, for all experiments that ask for it.
type lab struct {
	out    string
	corpus *corpus
	judge  settings // of the training of the network that judges
	jobs   int
	smoke  bool
	stderr io.Writer

	mu    sync.Mutex
	locks map[string]*sync.Mutex // of training runs
}

// job is one training run and the trials of an experiment that want it.
type job struct {
	experiment *Experiment
	ledger     *ledger
	trials     []Trial
}

// run does all that was not done yet.
func (l *lab) run(ctx context.Context, experiments []Experiment, results string) error {
	jobs, err := l.plan(experiments, results)
	if err != nil {
		return err
	}
	l.log("%d training runs to measure", len(jobs))
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan job)
	var workers sync.WaitGroup
	for range l.jobs {
		workers.Go(func() {
			pool := kernels.NewPool(max(1, kernelThreads/l.jobs))
			defer pool.Close()
			for j := range next {
				if err := l.do(ctx, j, pool); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, j := range jobs {
		if ctx.Err() != nil {
			break
		}
		next <- j
	}
	close(next)
	workers.Wait()
	return context.Cause(ctx)
}

// kernelThreads is what all jobs share. The figures do not depend on it.
const kernelThreads = 2

// plan lists the jobs in the order of the experiments and their seeds.
func (l *lab) plan(experiments []Experiment, results string) ([]job, error) {
	var jobs []job
	for i := range experiments {
		e := &experiments[i]
		for _, name := range e.Measure {
			if m := measures[name]; m.take == nil && m.alone == nil {
				return nil, fmt.Errorf("experiment %s: unknown measure %q", e.Name, name)
			}
		}
		trials, err := e.Trials()
		if err != nil {
			return nil, err
		}
		if err := e.check(rows(trials)); err != nil {
			return nil, err
		}
		book, err := openLedger(results, e.Name)
		if err != nil {
			return nil, err
		}
		byRun := map[string]int{}
		for _, t := range trials {
			if l.smoke {
				t.shrink()
			}
			if _, err := l.settings(t); err != nil {
				return nil, fmt.Errorf("experiment %s, %s: %w", e.Name, t, err)
			}
			if _, err := t.sampling(); err != nil {
				return nil, fmt.Errorf("experiment %s, %s: %w", e.Name, t, err)
			}
			if len(book.missing(t, e.Measure)) == 0 {
				continue
			}
			at, ok := byRun[t.Run()]
			if !ok {
				at = len(jobs)
				byRun[t.Run()] = at
				jobs = append(jobs, job{experiment: e, ledger: book})
			}
			jobs[at].trials = append(jobs[at].trials, t)
		}
	}
	return jobs, nil
}

// do trains and measures.
func (l *lab) do(ctx context.Context, j job, pool *kernels.Pool) error {
	if ctx.Err() != nil {
		return nil
	}
	var s *subject
	if slices.ContainsFunc(j.experiment.Measure, func(name string) bool { return measures[name].alone == nil }) {
		dir, err := l.train(ctx, j.trials[0], pool)
		if err != nil {
			return err
		}
		if s, err = l.open(dir, pool); err != nil {
			return err
		}
		defer s.close()
	}
	for _, t := range j.trials {
		found := map[string]values{}
		for _, name := range j.ledger.missing(t, j.experiment.Measure) {
			var v values
			var err error
			if m := measures[name]; m.alone != nil {
				v, err = m.alone(ctx, l, t, pool)
			} else {
				v, err = s.take(ctx, name, t)
			}
			if err != nil {
				return fmt.Errorf("measure %s of %s (run %s): %w", name, t, t.Run(), err)
			}
			found[name] = v
		}
		if len(found) == 0 { // the same as one before it
			continue
		}
		if err := j.ledger.add(t, found); err != nil {
			return err
		}
		l.log("%s: %s: %s", j.experiment.Name, t, brief(found))
	}
	return nil
}

// lock keeps a training run to one job at a time.
func (l *lab) lock(run string) (unlock func()) {
	l.mu.Lock()
	if l.locks[run] == nil {
		if l.locks == nil {
			l.locks = map[string]*sync.Mutex{}
		}
		l.locks[run] = new(sync.Mutex)
	}
	m := l.locks[run]
	l.mu.Unlock()
	m.Lock()
	return m.Unlock
}

func (l *lab) log(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.stderr, format+"\n", args...)
}

// shrink makes a trial small enough to see whether it works at all.
func (t Trial) shrink() {
	t.Train["run.steps"] = 12
	t.Sample["samples"] = 4
	t.Sample["calls"] = 4
}

// windows is how many to measure on.
func (l *lab) windows(n int) int {
	if l.smoke {
		return 2
	}
	return n
}

var errNoHeldOut = errors.New("the held-out text has no window of this length")

// runs is where training runs are kept.
func (l *lab) runs() string { return filepath.Join(l.out, "runs") }
