package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

// Every file of experiments/ can be run and shown: settings, measures, tables
// and plots exist, and the page has a place for it.
func TestExperimentsAreSound(t *testing.T) {
	experiments, err := loadExperiments(".", nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(experiments) == 0 {
		t.Fatal("no experiments")
	}
	l := &lab{corpus: &corpus{}}
	if _, err := l.plan(experiments, t.TempDir()); err != nil {
		t.Error(err)
	}
	text, err := os.ReadFile("../../docs/science.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range experiments {
		if e.Title == "" || e.Question == "" || len(e.Seeds) != 1 && len(e.Seeds) < leastSeeds {
			t.Errorf("%s: title %q, question %q, seeds %v", e.Name, e.Title, e.Question, e.Seeds)
		}
		block, _, err := e.render("results", "x.png")
		if err != nil {
			t.Errorf("%s: %v", e.Name, err)
		}
		if _, err := between(string(text), e.Name, block); err != nil {
			t.Error(err)
		}
	}
}

func TestTrials(t *testing.T) {
	e := Experiment{
		Seeds: []uint64{7, 8}, Train: settings{"run.steps": int64(600)}, Sample: settings{"calls": int64(50)},
		Variants: []variant{
			{Name: "base"},
			{
				Name: "{sample.method} {sample.calls}", Group: "{sample.method}",
				Sample: settings{"method": []any{"euler", "heun"}, "calls": []any{int64(10), int64(20)}},
			},
		},
	}
	trials, err := e.Trials()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	runs := map[string]bool{}
	for _, trial := range trials {
		names = append(names, trial.Variant)
		runs[trial.Run()] = true
	}
	const seed = "base,euler 10,heun 10,euler 20,heun 20"
	if got := strings.Join(names, ","); got != seed+","+seed {
		t.Errorf("trials %s", got)
	}
	if len(runs) != 2 {
		t.Errorf("%d training runs for 2 seeds", len(runs))
	}
	if trials[1].Sampling() == trials[2].Sampling() || trials[0].Train["run.seed"] != uint64(7) || trials[4].Sample["calls"] != int64(20) {
		t.Errorf("trials %+v", trials)
	}
	e.Variants = append(e.Variants, variant{Name: "base"})
	if _, err := e.Trials(); err == nil {
		t.Error("two variants of one name were taken")
	}
}

// The 95 % interval of 1, 2, 3 is 2 ± 4.303/√3 (any table of Student's t).
func TestEstimate(t *testing.T) {
	e := newEstimate([]float64{1, 2, 3})
	if math.Abs(e.half-4.3027/math.Sqrt(3)) > 1e-4 {
		t.Errorf("half interval %v", e.half)
	}
	if got := e.format(2, true); got != "+2.00 ± 2.48" {
		t.Error(got)
	}
	if got := newEstimate([]float64{1, 2}).format(1, false); got != "1.5" {
		t.Error("two seeds: ", got)
	}
	if got := newEstimate(nil).format(1, false); got != "–" {
		t.Error("no seeds: ", got)
	}
}

// A ledger that is opened again knows what was done, and lines of one trial add
// up; another setting under the same name is another trial.
func TestLedger(t *testing.T) {
	dir := t.TempDir()
	trial := Trial{Variant: "a", Seed: 1, Train: settings{"run.steps": 5}}
	for _, found := range []map[string]values{{"held-out": {"bound": 3}}, {"samples": {"judge": 4}}} {
		l, err := openLedger(dir, "x")
		if err != nil {
			t.Fatal(err)
		}
		if err := l.add(trial, found); err != nil {
			t.Fatal(err)
		}
	}
	l, err := openLedger(dir, "x")
	if err != nil {
		t.Fatal(err)
	}
	all := []string{"held-out", "samples", "cost"}
	if got := l.missing(trial, all); len(got) != 1 || got[0] != "cost" {
		t.Errorf("missing %v", got)
	}
	if v, ok := l.figure(trial, "samples", "judge"); !ok || v != 4 {
		t.Errorf("judge %v %v", v, ok)
	}
	trial.Train = settings{"run.steps": 6}
	if got := l.missing(trial, all); len(got) != 3 {
		t.Errorf("missing of another trial %v", got)
	}
}

// The table has the means, the differences seed by seed, and a dash for what was
// not measured.
func TestRender(t *testing.T) {
	dir := t.TempDir()
	e := Experiment{
		Name: "x", Title: "X", Question: "Why?", Seeds: []uint64{1, 2, 3}, Measure: []string{"samples"},
		Variants: []variant{{Name: "base"}, {Name: "other", Sample: settings{"calls": int64(1)}}, {Name: "later", Sample: settings{"calls": int64(2)}}},
		Tables:   []table{{Columns: []string{"samples.judge"}, Against: "base", Differences: []string{"samples.judge"}}},
		Plots:    []plot{{Title: "p", X: "samples.entropy", Y: "samples.judge"}},
	}
	trials, err := e.Trials()
	if err != nil {
		t.Fatal(err)
	}
	l, err := openLedger(dir, "x")
	if err != nil {
		t.Fatal(err)
	}
	for i, trial := range trials {
		if trial.Variant == "later" {
			continue
		}
		v := values{"judge": float64(i / 3), "entropy": 3}
		if trial.Variant == "other" {
			v["judge"] += .5
		}
		if err := l.add(trial, map[string]values{"samples": v}); err != nil {
			t.Fatal(err)
		}
	}
	block, plots, err := e.render(dir, "x.png")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"*Question.* Why?", "| base | 1.00 ± 2.48 | |", "| other | 1.50 ± 2.48 | +0.50 ± 0.00 |", "| later | – | – |",
		"![X](x.png)", "6 of 9 measured",
	} {
		if !strings.Contains(block, want) {
			t.Errorf("no %q in\n%s", want, block)
		}
	}
	if err := writePicture(filepath.Join(dir, "x.png"), plots); err != nil {
		t.Error(err)
	}
}

func TestBetween(t *testing.T) {
	const page = "a\n<!-- science:x -->\nold\n<!-- /science:x -->\nz\n"
	got, err := between(page, "x", "new\n")
	if want := "a\n<!-- science:x -->\nnew\n<!-- /science:x -->\nz\n"; err != nil || got != want {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := between(page, "y", ""); err == nil {
		t.Error("a page without marks was taken")
	}
}

// A law is found again from points of it, with noise of half a percent, within
// the spread that such noise gives.
func TestFitLaw(t *testing.T) {
	want := law{e: 1.2, a: .5, alpha: .4, b: .6, beta: .5}
	s := rng.New(1, "test", 0, 0)
	var points []trained
	for _, n := range []float64{.1, .2, .5, 1, 2, 5} {
		for _, d := range []float64{.3, 1, 3} {
			points = append(points, trained{n, d, want.at(n, d) * math.Exp(.005*s.Normal())})
		}
	}
	got := fitLaw(points, 1, 1, guesses()...)
	if math.Abs(got.e-want.e) > .15 || math.Abs(got.alpha-want.alpha) > .08 || math.Abs(got.beta-want.beta) > .1 {
		t.Errorf("%+v, want %+v", got, want)
	}
	if row := lawRow("x", points); !strings.HasPrefix(row, "| x | 18 | 1.") {
		t.Errorf("row %q", row)
	}
}
