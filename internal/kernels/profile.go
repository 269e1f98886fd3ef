package kernels

import (
	"cmp"
	"slices"
	"time"
)

// Stat is what one kernel did while a pool was profiled.
type Stat struct {
	Kernel  string // such as "matmul NT" or "attention backward"
	M, N, K int    // the shape, as far as the kernel has one
	Calls   int
	Time    time.Duration
	FLOPs   float64 // two for each multiply-add of products; a nominal count otherwise
	Bytes   float64 // every operand read once, every result written once
}

// Add gathers the calls of two stats.
func (s *Stat) Add(o Stat) {
	s.Calls += o.Calls
	s.Time += o.Time
	s.FLOPs += o.FLOPs
	s.Bytes += o.Bytes
}

// shape identifies a line of the profile.
type shape struct {
	kernel  string
	m, n, k int
}

// Profile starts to gather, for every kernel and shape, calls and time; stop ends
// it and returns what was gathered, longest time first. The times are those
// that the caller of the pool waits.
func (p *Pool) Profile() (stop func() []Stat) {
	p.mu.Lock()
	p.profile = map[shape]*Stat{}
	p.mu.Unlock()
	return func() []Stat {
		p.mu.Lock()
		defer p.mu.Unlock()
		var stats []Stat
		for _, s := range p.profile {
			stats = append(stats, *s)
		}
		p.profile = nil
		slices.SortFunc(stats, func(a, b Stat) int { return cmp.Compare(b.Time, a.Time) })
		return stats
	}
}

// call does parts 0..n-1 of j and, in a profiled pool, notes that they were so
// much work. The caller holds mu.
func (p *Pool) call(s shape, flops, values, n int, j job) {
	began := p.begin()
	p.run(n, j)
	p.end(began, s, flops, values)
}

// begin and end enclose a call that runs several jobs.
func (p *Pool) begin() time.Time {
	if p.profile == nil {
		return time.Time{}
	}
	return time.Now()
}

func (p *Pool) end(began time.Time, s shape, flops, values int) {
	if p.profile == nil {
		return
	}
	if p.profile[s] == nil {
		p.profile[s] = &Stat{Kernel: s.kernel, M: s.m, N: s.n, K: s.k}
	}
	p.profile[s].Add(Stat{Calls: 1, Time: time.Since(began), FLOPs: float64(flops), Bytes: 4 * float64(values)})
}

// Peak measures what all workers together can do at most, in floating-point
// operations a second: fused multiply-adds on registers, for about d. It is 0
// where the level has no vector instructions.
func (p *Pool) Peak(d time.Duration) float64 {
	return p.limit(d, peakRounds*float64(p.isa.peakFlops()), (&peakJob{}))
}

const peakRounds = 20_000

type peakJob struct{}

func (*peakJob) do(w *worker, _ int) { w.isa.peak(peakRounds) }

// Bandwidth measures how fast all workers together read memory that no cache
// holds, in bytes a second, for about d.
func (p *Pool) Bandwidth(d time.Duration) float64 {
	const each = 64 << 20 / 4
	j := &readJob{x: make([]float32, each*len(p.workers))}
	for i := range j.x {
		j.x[i] = 1 // a page that was never written is not read from memory
	}
	j.each = each
	return p.limit(d, 4*each, j)
}

type readJob struct {
	x    []float32
	each int
}

func (r *readJob) do(w *worker, i int) { w.isa.sum(r.x[i*r.each : (i+1)*r.each]) }

// limit returns the best rate of a job of which each part does so much.
func (p *Pool) limit(d time.Duration, work float64, j job) float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	best := 0.0
	for began := time.Now(); time.Since(began) < d; {
		start := time.Now()
		p.run(len(p.workers), j)
		best = max(best, work*float64(len(p.workers))/time.Since(start).Seconds())
	}
	return best
}
