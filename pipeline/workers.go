package pipeline

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// each calls do for 0..n-1 on up to workers goroutines, in order of their
// beginning, and waits for all of them. The first error stops the rest, and is
// returned; of two, that of the smaller index, so that one input always gives
// one error.
func each(ctx context.Context, workers, n int, do func(ctx context.Context, i int) error) error {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		next   atomic.Int64
		wg     sync.WaitGroup
		mu     sync.Mutex
		failed error
		where  = n
	)
	for range min(workers, n) {
		wg.Go(func() {
			for inner.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := do(inner, i); err != nil {
					mu.Lock()
					if i < where && !(failed != nil && errors.Is(err, context.Canceled)) {
						failed, where = err, i
					}
					mu.Unlock()
					cancel()
				}
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return failed
}

// meter adds up progress from several goroutines and reports it, one call at a
// time.
type meter struct {
	mu     sync.Mutex
	now    Progress
	report func(Progress)
}

func newMeter(stage string, total int64, report func(Progress)) *meter {
	m := &meter{now: Progress{Stage: stage, Total: total}, report: report}
	m.add(0)
	return m
}

func (m *meter) add(n int64) {
	if m.report == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now.Done += n
	m.report(m.now)
}
