package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed-4c77ef92/textwarp/internal/chart"
	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/timewarp"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// live shows a run on a terminal: a few lines that are drawn again in place with
// each thing that the trainer tells, and each second, as the terminal may have
// another size.
type live struct {
	mu    sync.Mutex
	out   io.Writer
	frame *cli.Frame
	size  func() (width, height int)
	now   func() time.Time
	color bool
	stop  chan struct{} // nil before the first step
	ended sync.WaitGroup

	label          string
	from, step, of int       // of training
	began, at      time.Time // of steps from and step
	loss, speed    float64
	losses         history
	warp           *timewarp.Snapshot
	sample         *trainer.SampleLine
}

func newLive(f *os.File, label string) *live {
	return &live{
		out: f, frame: cli.NewFrame(f), label: cli.Printable(label), color: cli.Color(f),
		size: func() (int, int) { return cli.Width(f), cli.Height(f) }, now: time.Now,
	}
}

// event takes in what the trainer tells.
func (l *live) event(e trainer.Event) {
	if note := notice(e); note != "" {
		l.say("%s", note)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch line := e.Line.(type) {
	case trainer.MetricsLine:
		if line.Eval == nil && line.Loss != 0 {
			l.loss = line.Loss
			l.losses.add(line.Loss)
		}
	case trainer.TimingLine: // follows that of the losses
		l.speed, l.step, l.of, l.at = line.TokensPerSecond, e.Step, e.Steps, l.now()
		if l.stop == nil {
			l.from, l.began = l.step, l.at
			l.begin()
		}
		l.draw()
	case trainer.WarpLine:
		l.warp = &line.Warp
	case trainer.SampleLine:
		l.sample = &line
	}
}

// begin draws each second until done.
func (l *live) begin() {
	l.stop = make(chan struct{})
	l.ended.Go(func() {
		second := time.NewTicker(time.Second)
		defer second.Stop()
		for {
			select {
			case <-l.stop:
				return
			case <-second.C:
				l.mu.Lock()
				l.draw()
				l.mu.Unlock()
			}
		}
	})
}

// say prints a line of its own above the others.
func (l *live) say(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	width, _ := l.size()
	l.frame.Clear(width)
	fmt.Fprintln(l.out, cli.Printable(fmt.Sprintf(format, args...)))
	if l.stop != nil {
		l.draw()
	}
}

// done leaves the last state on the terminal.
func (l *live) done() {
	if l.stop == nil {
		return
	}
	close(l.stop)
	l.ended.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.draw()
	l.stop = nil
}

func (l *live) draw() {
	width, height := l.size()
	l.frame.Draw(l.lines(width-1, height-1), width)
}

// lines lays the run out in a width, in at most height lines, what matters most
// first.
func (l *live) lines(width, height int) []string {
	lines := []string{clip(l.head(width), width)}
	tail := fmt.Sprintf("  %s tokens/s", cli.Thousands(int64(l.speed)))
	head := fmt.Sprintf("%.3f  ", l.loss)
	if values := l.losses.resampled(min(sparkCells, width-label-len(head)-len(tail))); len(values) > 0 {
		head += chart.Sparkline(values, slices.Min(values), slices.Max(values))
	}
	lines = append(lines, l.paint("loss", clip(head+tail, width-label)))
	if l.warp != nil {
		lines = append(lines, l.paint("warp", clip(density(l.warp, width-label), width-label)))
	}
	if l.sample != nil {
		for i, text := range broken(l.sample.Text, width-label, max(1, (height+1)/5)) {
			name := ""
			if i == 0 {
				name = "text"
			}
			lines = append(lines, l.paint(name, text))
		}
	}
	return lines[:max(1, min(len(lines), height))]
}

const (
	label      = 6  // columns before what a line says
	sparkCells = 96 // more says nothing more
)

// paint puts the name of a line before it, and colour where there is some.
func (l *live) paint(name, text string) string {
	if l.color {
		return fmt.Sprintf("\x1b[36m%-*s\x1b[0m%s", label, name, text)
	}
	return fmt.Sprintf("%-*s%s", label, name, text)
}

// head is the place in the run.
func (l *live) head(width int) string {
	share := float64(l.step) / float64(max(1, l.of))
	s := fmt.Sprintf("%s  %3.0f%%  %s of %s steps", l.label, 100*share, cli.Thousands(int64(l.step)), cli.Thousands(int64(l.of)))
	if elapsed := l.at.Sub(l.began); elapsed > 0 && l.step > l.from {
		rate := float64(l.step-l.from) / elapsed.Seconds()
		s += fmt.Sprintf("  %.3g/s", rate)
		if l.step < l.of {
			left := time.Duration(float64(l.of-l.step)/rate*float64(time.Second)) - l.now().Sub(l.at)
			s += fmt.Sprintf("  %s left", cli.Clock(max(0, left)))
		} else {
			s += "  " + cli.Clock(elapsed)
		}
	}
	if room := min(sparkCells, width-len([]rune(s))-4); room >= 10 {
		full := int(min(1, share) * float64(room))
		s += "  [" + strings.Repeat("#", full) + strings.Repeat("-", room-full) + "]"
	}
	return s
}

// density draws where the warp spends its time, over ln t.
func density(w *timewarp.Snapshot, width int) string {
	if len(w.T) < 2 || w.T[0] <= 0 {
		return ""
	}
	low, high := w.T[0], w.T[len(w.T)-1]
	left, right := fmt.Sprintf("t %.2g ", low), fmt.Sprintf(" %.3g", high)
	for _, q := range w.Quantiles {
		if q.U == .5 {
			right += fmt.Sprintf("  half below %.3g", q.T)
		}
	}
	n := min(sparkCells, width-len(left)-len(right))
	if n < 8 {
		return strings.TrimSpace(left + "…" + right)
	}
	mass, before := make([]float64, n), w.CDF[0]
	for i := range mass {
		t := low * math.Pow(high/low, float64(i+1)/float64(n))
		f := interpolate(w.T, w.CDF, t)
		mass[i], before = f-before, f
	}
	return left + chart.Sparkline(mass, 0, slices.Max(mass)) + right
}

// interpolate reads a curve whose x rise, by straight lines.
func interpolate(x, y []float64, at float64) float64 {
	i, _ := slices.BinarySearch(x, at)
	switch {
	case i == 0:
		return y[0]
	case i == len(x):
		return y[i-1]
	}
	return y[i-1] + (y[i]-y[i-1])*(at-x[i-1])/(x[i]-x[i-1])
}

// broken breaks a text into at most n lines of a width. What is not printable
// is written as Go would escape it.
func broken(text string, width, n int) []string {
	width = max(1, width)
	var lines []string
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		rest := []rune(cli.Printable(line))
		for len(rest) > width {
			lines, rest = append(lines, string(rest[:width])), rest[width:]
		}
		if lines = append(lines, string(rest)); len(lines) > n {
			break
		}
	}
	if len(lines) > n {
		lines = lines[:n]
		last := []rune(lines[n-1])
		lines[n-1] = string(last[:min(len(last), width-1)]) + "…"
	}
	return lines
}

func clip(s string, width int) string {
	if r := []rune(s); len(r) > width {
		return string(r[:max(0, width)])
	}
	return s
}

// history keeps the course of a value in bounded memory: when it is full, each two
// values become their mean.
type history struct {
	values []float64
	each   int // how many were taken for a value
	sum    float64
	n      int // of sum
}

const historyLength = 1024

func (h *history) add(v float64) {
	h.each = max(1, h.each)
	h.sum, h.n = h.sum+v, h.n+1
	if h.n < h.each {
		return
	}
	h.values, h.sum, h.n = append(h.values, h.sum/float64(h.n)), 0, 0
	if len(h.values) == historyLength {
		for i := range historyLength / 2 {
			h.values[i] = (h.values[2*i] + h.values[2*i+1]) / 2
		}
		h.values = h.values[:historyLength/2]
		h.each *= 2
	}
}

// resampled is the course in at most n values, means of those that fall together.
func (h *history) resampled(n int) []float64 {
	if n <= 0 || len(h.values) <= n {
		return h.values[:max(0, min(n, len(h.values)))]
	}
	means := make([]float64, n)
	for i := range means {
		group := h.values[i*len(h.values)/n : (i+1)*len(h.values)/n]
		for _, v := range group {
			means[i] += v / float64(len(group))
		}
	}
	return means
}
