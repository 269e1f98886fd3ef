package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// Result is a line of results/NAME.jsonl: what was measured of a trial. Lines of
// the same trial add up.
type Result struct {
	Variant  string            `json:"variant"`
	Seed     uint64            `json:"seed"`
	Run      string            `json:"run"`
	Sampling string            `json:"sampling"`
	Measures map[string]values `json:"measures"`
}

// values are the figures of one measure.
type values map[string]float64

// ledger is what was measured in one experiment. It is safe for concurrent use.
type ledger struct {
	path string
	mu   sync.Mutex
	done map[trialKey]map[string]values
}

// trialKey tells trials apart. A variant that was given other settings is
// another trial, whatever it is called.
type trialKey struct {
	seed          uint64
	run, sampling string
}

func (t Trial) key() trialKey { return trialKey{t.Seed, t.Run(), t.Sampling()} }

func openLedger(dir, experiment string) (*ledger, error) {
	l := &ledger{path: filepath.Join(dir, experiment+".jsonl"), done: map[trialKey]map[string]values{}}
	f, err := os.Open(l.path)
	if os.IsNotExist(err) {
		return l, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		var r Result
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("read %q, line %d: %w", l.path, n, err)
		}
		l.enter(r)
	}
	return l, lines.Err()
}

func (l *ledger) enter(r Result) {
	key := trialKey{r.Seed, r.Run, r.Sampling}
	if l.done[key] == nil {
		l.done[key] = map[string]values{}
	}
	for name, v := range r.Measures {
		l.done[key][name] = v
	}
}

// missing lists those of the measures that were not taken of a trial yet.
func (l *ledger) missing(t Trial, measures []string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, name := range measures {
		if _, ok := l.done[t.key()][name]; !ok {
			out = append(out, name)
		}
	}
	return out
}

// figure looks up "measure.value" of a trial.
func (l *ledger) figure(t Trial, measure, value string) (float64, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v, ok := l.done[t.key()][measure][value]
	return v, ok
}

// add writes down what was measured of a trial. The line is written at once, so
// that a campaign which is stopped leaves whole lines.
func (l *ledger) add(t Trial, measures map[string]values) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := t.key()
	r := Result{Variant: t.Variant, Seed: k.seed, Run: k.run, Sampling: k.sampling, Measures: measures}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(l.path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(l.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.Write(slices.Concat(line, []byte("\n"))); err != nil {
		f.Close()
		return err
	}
	l.enter(r)
	return f.Close()
}
