package kernels

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Task is work cut into independent parts. Implement it on a pointer to a
// struct that the caller keeps, so that a call allocates nothing.
type Task interface {
	// Do computes part i. It may run on any goroutine of the pool.
	Do(i int)
}

// job is a Task that wants to know which worker runs it, for its scratch.
type job interface {
	do(w *worker, i int)
}

// Pool is a set of persistent workers and the scratch memory they need. The
// goroutine that calls a method is one of the workers.
type Pool struct {
	mu      sync.Mutex // one call at a time
	isa     isa
	workers []*worker

	// A run publishes job and parts and then sets left. A worker claims a part
	// by taking one off left; only after a successful claim does it read job
	// and parts, which cannot change before its part is counted off pending.
	job     job
	parts   int
	left    atomic.Int64
	pending atomic.Int64
	waiting atomic.Bool // the caller is parked on done
	done    chan struct{}
	closed  atomic.Bool
	profile map[shape]*Stat // nil while nobody asks
	exited  sync.WaitGroup

	packed packed // a slab of B
	inputs inputs
	tasks  // the reusable bodies of the methods
}

// worker is one goroutine's place in the pool. Worker 0 is the caller.
type worker struct {
	isa    isa
	parked atomic.Bool
	wake   chan struct{}
	scratch
	_ [64]byte // keeps two workers' flags off one cache line
}

// NewPool returns a pool of n workers, or of GOMAXPROCS workers if n <= 0, on
// the best instruction level that the processor has (see Level).
func NewPool(n int) *Pool {
	return newPool(n, chooseISA())
}

func newPool(n int, s isa) *Pool {
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	p := &Pool{isa: s, done: make(chan struct{}, 1)}
	p.packed = newPacked(packedSize)
	for range n {
		p.workers = append(p.workers, &worker{isa: s, wake: make(chan struct{}, 1), scratch: newScratch()})
	}
	for _, w := range p.workers[1:] {
		p.exited.Add(1)
		go p.serve(w)
	}
	return p
}

// Workers is the number of goroutines that share the work, the caller included.
func (p *Pool) Workers() int { return len(p.workers) }

// Level names the instruction level in use: "generic", "avx2" (with FMA) or
// "avx512" (F, BW, DQ, VL). NewPool takes the best one that the processor has; the
// environment variable TEXTWARP_ISA forces one, and is ignored where the
// processor lacks it.
func (p *Pool) Level() string { return p.isa.String() }

// Close ends the workers and waits until they are gone. The pool must be idle
// and must not be used again. Closing twice is allowed.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed.Swap(true) {
		return
	}
	for _, w := range p.workers[1:] {
		if w.parked.CompareAndSwap(true, false) {
			w.wake <- struct{}{}
		}
	}
	p.exited.Wait()
}

// Run calls task.Do(i) once for each i in [0, n) and returns when all are done.
// The caller must not expect an order.
func (p *Pool) Run(n int, task Task) {
	p.mu.Lock()
	p.user.task = task
	p.call(shape{kernel: "task"}, 0, 0, n, &p.user)
	p.user.task = nil
	p.mu.Unlock()
}

// userJob lets a public Task run as a job.
type userJob struct{ task Task }

func (u *userJob) do(_ *worker, i int) { u.task.Do(i) }

// run does parts 0..n-1 of j. The caller holds mu.
func (p *Pool) run(n int, j job) {
	if n <= 0 {
		return
	}
	self := p.workers[0]
	if n == 1 || len(p.workers) == 1 {
		for i := range n {
			j.do(self, i)
		}
		return
	}
	p.job, p.parts = j, n
	p.pending.Store(int64(n))
	p.left.Store(int64(n))
	for _, w := range p.workers[1:min(n, len(p.workers))] {
		if w.parked.CompareAndSwap(true, false) {
			w.wake <- struct{}{}
		}
	}
	p.claim(self)
	for range spinRounds {
		if p.pending.Load() == 0 {
			return
		}
		pause()
	}
	for p.pending.Load() != 0 {
		p.waiting.Store(true)
		if p.pending.Load() == 0 && p.waiting.CompareAndSwap(true, false) {
			return
		}
		<-p.done // perhaps sent late by a worker of the run before: look again
	}
}

// claim takes parts and does them until none is left.
func (p *Pool) claim(w *worker) {
	for {
		left := p.left.Load()
		if left == 0 {
			return
		}
		if !p.left.CompareAndSwap(left, left-1) {
			continue
		}
		p.job.do(w, p.parts-int(left))
		if p.pending.Add(-1) == 0 && p.waiting.CompareAndSwap(true, false) {
			p.done <- struct{}{}
		}
	}
}

// serve is the life of a worker: claim, spin for a while, park.
//
// Kernels of one step follow each other within microseconds, where a wake-up
// through the scheduler costs several; so a worker first spins. The spin is
// bounded, so an idle pool costs nothing, and is an ordinary loop over an
// atomic load, which the garbage collector can interrupt.
func (p *Pool) serve(w *worker) {
	defer p.exited.Done()
	for spins := 0; ; spins++ {
		if p.closed.Load() {
			return
		}
		if p.left.Load() > 0 {
			p.claim(w)
			spins = 0
			continue
		}
		if spins < spinRounds {
			pause()
			continue
		}
		w.parked.Store(true)
		if (p.left.Load() > 0 || p.closed.Load()) && w.parked.CompareAndSwap(true, false) {
			continue
		}
		<-w.wake
		spins = 0
	}
}
