package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// screen shows a run on standard error.
type screen interface {
	event(trainer.Event)
	say(format string, args ...any) // prints a line of its own
	done()
}

// newScreen is live where somebody looks on, and plain lines elsewhere.
func newScreen(f *os.File, label string) screen {
	if cli.IsTerminal(f) && os.Getenv("TERM") != "dumb" {
		return newLive(f, label)
	}
	return &progress{w: f, label: label}
}

// notice is what is told in a line of its own, "" for nothing.
func notice(e trainer.Event) string {
	switch e.Kind {
	case "skipped":
		return fmt.Sprintf("warning: step %d is not finite and was skipped (%s)", e.Step, e.Text)
	case "waiting":
		return fmt.Sprintf("step %d: waiting for shards that are not made yet", e.Step)
	case "rollback":
		return fmt.Sprintf("warning: too many skipped steps: back to step %d (%s)", e.Step, e.Text)
	}
	return ""
}

// progress shows a run in plain lines, one each few seconds.
type progress struct {
	w     *os.File
	label string
	bar   *cli.Bar // from the first step on
	loss  float64  // newest
}

// event takes in what the trainer tells.
func (p *progress) event(e trainer.Event) {
	if note := notice(e); note != "" {
		p.say("%s", note)
	}
	p.line(e)
}

// line takes in a line of a log.
func (p *progress) line(e trainer.Event) {
	switch l := e.Line.(type) {
	case trainer.MetricsLine:
		if l.Eval == nil {
			p.loss = l.Loss
		}
	case trainer.TimingLine: // follows that of the losses
		if p.bar == nil {
			p.bar = cli.NewBar(p.w, p.label, int64(e.Steps), "steps")
			p.bar.From(int64(e.Step))
		}
		p.bar.Set(int64(e.Step), fmt.Sprintf("loss %.3f, %.0f tokens/s", p.loss, l.TokensPerSecond))
	case trainer.SampleLine:
		if text := shorten(l.Text); text != "" {
			p.say("step %d writes: %s", e.Step, text)
		}
	}
}

// say prints a line of its own.
func (p *progress) say(format string, args ...any) {
	line := cli.Printable(fmt.Sprintf(format, args...))
	if p.bar == nil {
		fmt.Fprintln(p.w, line)
		return
	}
	p.bar.Say(line)
}

// done ends the bar.
func (p *progress) done() { p.bar.Done() }

// shorten keeps what fits on a line.
func shorten(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > 100 {
		return string(r[:100]) + "…"
	}
	return text
}
