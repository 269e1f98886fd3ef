package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// profile prints where the time of a training step goes. The roof of a kernel is
// the lower of two: what the processor can compute, and what it can compute of the
// numbers that memory brings it (Williams, Waterman and Patterson, "Roofline",
// 2009). Numbers that a kernel finds in a cache may lift it over its roof.
func profile(w io.Writer, c trainer.Config, data *trainer.Data, o trainer.Options) error {
	p, err := trainer.ProfileRun(c, data, o)
	if err != nil {
		return err
	}
	steps := float64(p.Steps)
	tokens := steps * float64(c.Optim.Batch*c.Data.Length)
	fmt.Fprintf(w, "%d steps of %.1f ms, %.0f tokens/s, %d threads, %s\n",
		p.Steps, ms(p.Took)/steps, tokens/p.Took.Seconds(), o.Pool.Workers(), o.Pool.Level())
	fmt.Fprintf(w, "peak %.0f GFLOP/s, memory %.0f GB/s\n\n", p.Peak/1e9, p.Bandwidth/1e9)
	fmt.Fprintf(w, "%-40s %6s %8s %7s %8s %6s %6s\n", "kernel", "calls", "ms", "time", "GFLOP/s", "GB/s", "roof")
	line := func(name string, calls float64, t time.Duration, flops, bytes float64) {
		of := ""
		if roof := roofline(p, flops, bytes); roof > 0 && flops > 0 {
			of = fmt.Sprintf("%.0f%%", 100*flops/t.Seconds()/roof)
		}
		fmt.Fprintf(w, "%-40s %6.4g %8.2f %6.1f%% %8.1f %6.1f %6s\n", name, calls/steps, ms(t)/steps,
			100*t.Seconds()/p.Took.Seconds(), flops/t.Seconds()/1e9, bytes/t.Seconds()/1e9, of)
	}
	var all, small kernels.Stat
	for _, k := range gather(p.Kernels, p.Steps) {
		all.Add(k)
		if k.Time < p.Took/500 {
			small.Add(k)
			continue
		}
		line(title(k), float64(k.Calls), k.Time, k.FLOPs, k.Bytes)
	}
	if small.Calls > 0 {
		line("smaller ones", float64(small.Calls), small.Time, small.FLOPs, small.Bytes)
	}
	outside := p.Took - all.Time
	fmt.Fprintf(w, "%-40s %6s %8.2f %6.1f%%\n", "outside of kernels", "", ms(outside)/steps, 100*outside.Seconds()/p.Took.Seconds())
	line("the step", float64(all.Calls), p.Took, all.FLOPs, all.Bytes)
	return nil
}

// roofline is the most that so much work on so many bytes can reach, in FLOP/s.
func roofline(p trainer.Profile, flops, bytes float64) float64 {
	if bytes == 0 {
		return p.Peak
	}
	return min(p.Peak, flops/bytes*p.Bandwidth)
}

// varies stands for a dimension that is another in every step.
const varies = -1

// gather makes one of the kernels that differ in the number of positions: the head
// sees as many as are noisy. Longest time first.
func gather(stats []kernels.Stat, steps int) []kernels.Stat {
	var all []kernels.Stat
	for _, s := range stats {
		switch {
		case s.Calls >= steps:
		case s.Kernel == "matmul TN":
			s.K = varies
		default:
			s.M = varies
		}
		i := slices.IndexFunc(all, func(o kernels.Stat) bool {
			return o.Kernel == s.Kernel && o.M == s.M && o.N == s.N && o.K == s.K
		})
		if i < 0 {
			all = append(all, s)
		} else {
			all[i].Add(s)
		}
	}
	slices.SortFunc(all, func(a, b kernels.Stat) int { return cmp.Compare(b.Time, a.Time) })
	return all
}

// title is a kernel with its shape.
func title(s kernels.Stat) string {
	name, by := s.Kernel, " "
	for _, d := range []int{s.M, s.N, s.K} {
		switch d {
		case 0:
			continue
		case varies:
			name += by + "…"
		default:
			name += by + strconv.Itoa(d)
		}
		by = " × "
	}
	return name
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
