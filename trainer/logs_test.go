package trainer

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestLogsOfRollback: each step stands in a log once, after a rollback and after a
// resumption, and speeds are those of the time since the line before.
func TestLogsOfRollback(t *testing.T) {
	s := tiny(t, shards(t))
	s.Run.Steps, s.Run.SaveEvery, s.Run.LogEvery, s.Run.WarpEvery = 20, 4, 1, 1
	dir := filepath.Join(t.TempDir(), "run")
	tr := begin(t, dir, s, 1, Options{})
	tr.process = poisoned{tr.process, tr.model.Grads, func(d uint64) bool { return d >= 9 && d < 20 }}
	began := time.Now()
	finish(t, tr)
	if tr.state.Detours != 1 {
		t.Fatalf("%d rollbacks", tr.state.Detours)
	}
	least := 1 / time.Since(began).Seconds() // a token in all that time
	logs := contents(t, dir)
	timing, err := os.ReadFile(filepath.Join(dir, TimingFile))
	if err != nil {
		t.Fatal(err)
	}
	logs["/"+TimingFile] = string(timing)
	for _, name := range []string{MetricsFile, WarpFile, TimingFile} {
		last := 0
		for line := range strings.Lines(logs["/"+name]) {
			var l struct {
				Step  int
				Eval  *Evaluation
				Speed float64 `json:"tokens_per_second"`
			}
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				t.Fatal(err)
			}
			if l.Eval != nil {
				continue
			}
			if name == TimingFile { // it goes on over rollbacks
				if l.Speed < least {
					t.Errorf("step %d: %g tokens a second", l.Step, l.Speed)
				}
				continue
			}
			if l.Step != last+1 {
				t.Errorf("%s: step %d after %d", name, l.Step, last)
			}
			last = l.Step
		}
	}
}

// TestSpeedOfResumedRun: the tokens of earlier sessions are not of this one.
func TestSpeedOfResumedRun(t *testing.T) {
	s := tiny(t, shards(t))
	s.Run.LogEvery = 1
	dir := filepath.Join(t.TempDir(), "run")
	tr := begin(t, dir, s, 1, Options{})
	for tr.Step() < 28 {
		if err := errors.Join(tr.step(), tr.record()); err != nil {
			t.Fatal(err)
		}
	}
	tr.Close()
	var lines []TimingLine
	began := time.Now()
	finish(t, resume(t, dir, Options{Notify: func(e Event) {
		if l, ok := e.Line.(TimingLine); ok {
			lines = append(lines, l)
		}
	}}))
	if len(lines) != 2 {
		t.Fatalf("%d lines", len(lines))
	}
	// A step has 64 tokens. The first line's time is a part of what has gone by.
	if tokens := lines[0].TokensPerSecond * lines[0].Seconds; math.Abs(tokens-64) > 1 {
		t.Errorf("%.0f tokens in the first %g s, want 64 (%v in all)", tokens, lines[0].Seconds, time.Since(began))
	}
}

// TestTornTiming: a line of the one log that is not cut to the checkpoint goes if a
// crash has torn it.
func TestTornTiming(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	s := tiny(t, shards(t))
	tr := begin(t, dir, s, 1, Options{})
	for tr.Step() < 12 {
		if err := errors.Join(tr.step(), tr.record()); err != nil {
			t.Fatal(err)
		}
	}
	tr.Close()
	path := filepath.Join(dir, TimingFile)
	before, err := os.ReadFile(path)
	if err != nil || len(before) == 0 {
		t.Fatal(len(before), err)
	}
	if err := os.WriteFile(path, append(slices.Clone(before), `{"step":12,"sec`...), 0o644); err != nil {
		t.Fatal(err)
	}
	finish(t, resume(t, dir, Options{}))
	after, err := os.ReadFile(path)
	if err != nil || !bytes.HasPrefix(after, before) {
		t.Fatalf("%q does not go on from %q, %v", after, before, err)
	}
	for line := range bytes.Lines(after) {
		var l TimingLine
		if err := json.Unmarshal(line, &l); err != nil {
			t.Errorf("%q: %v", line, err)
		}
	}
}
