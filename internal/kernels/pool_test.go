package kernels

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type countTask struct{ seen []atomic.Int32 }

func (c *countTask) Do(i int) { c.seen[i].Add(1) }

func TestRunDoesEveryPartOnce(t *testing.T) {
	for _, workers := range []int{1, 2, 3, 8} {
		p := NewPool(workers)
		if p.Workers() != workers {
			t.Fatalf("pool has %d workers, want %d", p.Workers(), workers)
		}
		for _, parts := range []int{0, 1, 2, 7, 100, 1000} {
			for range 20 {
				c := &countTask{seen: make([]atomic.Int32, parts)}
				p.Run(parts, c)
				for i := range c.seen {
					if n := c.seen[i].Load(); n != 1 {
						t.Fatalf("%d workers: part %d of %d ran %d times", workers, i, parts, n)
					}
				}
			}
		}
		p.Close()
		p.Close()
	}
}

// A pool that has gone to sleep must wake up, and one that is closed while its
// workers spin or sleep must let them go.
func TestPoolSleepsAndWakes(t *testing.T) {
	p := NewPool(3)
	for i := range 60 {
		c := &countTask{seen: make([]atomic.Int32, 9)}
		p.Run(9, c)
		for j := range c.seen {
			if c.seen[j].Load() != 1 {
				t.Fatalf("run %d lost part %d", i, j)
			}
		}
		if i%3 == 0 {
			time.Sleep(2 * time.Millisecond) // longer than a worker spins
		}
	}
	p.Close()
}

func TestPoolServesSeveralCallers(t *testing.T) {
	p := NewPool(2)
	defer p.Close()
	var callers sync.WaitGroup
	for c := range 4 {
		callers.Go(func() {
			r := newRand(uint64(c))
			a, b, got, want := random(r, 40*40), random(r, 40*40), make([]float32, 1600), make([]float64, 1600)
			abs := constant(1600, 1)
			refMatMul(want, abs, a, b, 40, 40, 40, Op{})
			for range 200 {
				p.MatMul(got, a, b, 40, 40, 40, Op{})
			}
			for i := range want {
				if d := float64(got[i]) - want[i]; d > 1e-4 || d < -1e-4 {
					t.Errorf("caller %d: element %d is off by %g", c, i, d)
					return
				}
			}
		})
	}
	callers.Wait()
}

// A garbage collection must be able to stop workers that spin.
func TestSpinningDoesNotBlockTheCollector(t *testing.T) {
	p := NewPool(4)
	defer p.Close()
	c := &countTask{seen: make([]atomic.Int32, 8)}
	start := time.Now()
	for range 20 {
		p.Run(8, c)
		runtime.GC()
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Fatalf("20 collections took %v", d)
	}
}

func BenchmarkRunEmpty(b *testing.B) {
	p := NewPool(2)
	defer p.Close()
	c := &countTask{seen: make([]atomic.Int32, 2)}
	for b.Loop() {
		p.Run(2, c)
	}
}
