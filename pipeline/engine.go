package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Engine has the tasks of a data set done by workers in other processes or on
// other machines. Those must see the corpus and dir, the directory of the data
// set, under the same names as this process; [Tasks] lists there what is to be
// done and a [Worker] does it.
//
// An Engine returns once every task has been done, or with the error that
// prevented it. What it does with a worker that is lost is to give the task to
// another: a task may be done several times, even at once, and comes out the same.
type Engine func(ctx context.Context, dir string) error

// engage is build by an engine. What travels is descriptors: the workers read
// the corpus and write shards and records, all of it on storage they share.
func engage(ctx context.Context, o Options, w *work, tasks [][]unit) ([]record, error) {
	if len(o.TokenizerJSON) == 0 {
		return nil, fmt.Errorf("make data set %q: an engine needs the file of the tokenizer", o.Out)
	}
	dir, err := filepath.Abs(o.Out)
	if err != nil {
		return nil, fmt.Errorf("find %q: %w", o.Out, bare(err))
	}
	// A finished data set has no .work until it is mended.
	if err := o.FS.MkdirAll(w.path(workDir)); err != nil {
		return nil, err
	}
	if err := w.write(filepath.Join(workDir, tokenizerName), o.TokenizerJSON); err != nil {
		return nil, err
	}
	if err := w.writeTasks(tasks); err != nil {
		return nil, err
	}
	stop := w.watch(tasks, newMeter("shard", w.plan.Corpus.Bytes, o.Progress))
	err = o.Engine(ctx, dir)
	stop()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("make data set %q: %w", o.Out, err)
	}
	records, err := w.collect(countUnits(tasks))
	if err == nil {
		err = w.fs.RemoveTemps(w.dir) // of workers that were killed; nobody has anything left to do
	}
	return records, err
}

// tasksFile holds a task a line.
var tasksFile = filepath.Join(workDir, "tasks.jsonl")

func (w *work) writeTasks(tasks [][]unit) error {
	return w.fs.WriteFile(w.path(tasksFile), func(to io.Writer) error {
		enc := json.NewEncoder(to)
		enc.SetEscapeHTML(false)
		for _, units := range tasks {
			t, err := describe(units)
			if err == nil {
				err = enc.Encode(t)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// collect returns the records of all units once an engine is done.
func (w *work) collect(units int) ([]record, error) {
	records := make([]record, units)
	for i := range records {
		r, ok := w.recorded(i)
		for _, s := range r.Shards {
			info, err := os.Stat(w.path(s.File))
			ok = ok && err == nil && info.Size() == s.Bytes
		}
		if !ok {
			return nil, fmt.Errorf("make data set %q: the engine ended without an error, but unit %d is not done (do its workers see this directory?)", w.dir, i)
		}
		records[i] = r
	}
	return records, nil
}

// watchEvery is how often progress is told of what an engine does.
const watchEvery = 500 * time.Millisecond

// watch tells progress of the units that have a record, until stop is called.
func (w *work) watch(tasks [][]unit, m *meter) (stop func()) {
	waiting := map[string]int64{}
	for _, units := range tasks {
		for _, u := range units {
			waiting[filepath.Base(recordName(u.index))] = u.size()
		}
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			entries, _ := os.ReadDir(w.path(workDir)) // a failure is the engine's to find
			for _, e := range entries {
				if n, ok := waiting[e.Name()]; ok {
					m.add(n)
					delete(waiting, e.Name())
				}
			}
		}
	})
	return func() {
		close(done)
		wg.Wait()
	}
}
