package inspect

import (
	"slices"
	"strings"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/chart"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

func evaluation(t *testing.T, step int, ce ...float64) string {
	e := &trainer.Evaluation{CE: ce}
	for i := range ce {
		e.T, e.SE = append(e.T, float64(i+1)), append(e.SE, .1)
	}
	return line(t, trainer.MetricsLine{Step: step, Eval: e})
}

// TestComparison: the last tenth, the newest and the best evaluation, and what
// the configurations have not in common.
func TestComparison(t *testing.T) {
	var metrics strings.Builder
	for step := 1; step <= 100; step++ {
		metrics.WriteString(line(t, trainer.MetricsLine{Step: step, Loss: float64(step), Skipped: step / 50}))
	}
	config := preset(t)
	a := write(t, map[string]string{
		"config.toml": config, "metrics.jsonl": metrics.String() + evaluation(t, 100, 1, 3) + evaluation(t, 101, 1, 2) + evaluation(t, 102, 2, 4),
		"warp.jsonl": snapshotLine(t, 1), "timing.jsonl": `{"step":1,"tokens_per_second":3}` + "\n" + `{"step":2,"tokens_per_second":900}` + "\n" + `{"step":3,"tokens_per_second":5}` + "\n",
	})
	b := write(t, map[string]string{
		"config.toml":   strings.Replace(config, `objective = "cdcd"`, `objective = "ar"`, 1),
		"metrics.jsonl": line(t, trainer.MetricsLine{Step: 1, Loss: 2}) + line(t, trainer.MetricsLine{Step: 7, Eval: &trainer.Evaluation{Likelihood: &trainer.Likelihood{Nats: 1.25}}}),
	})
	bare := write(t, map[string]string{"metrics.jsonl": line(t, trainer.MetricsLine{Step: 1, Loss: 2})})
	c, err := ReadComparison([]string{a, b, bare})
	if err != nil {
		t.Fatal(err)
	}
	first := c.Runs[0]
	if *first.Loss != 95.5 || first.Skipped != 2 || *first.TokensPerSecond != 5 { // (91 + … + 100) / 10, and a median
		t.Errorf("loss %v, %d skipped, %v tokens/s", *first.Loss, first.Skipped, *first.TokensPerSecond)
	}
	if *first.HeldOut != (Held{102, 3}) || *first.Best != (Held{101, 1.5}) {
		t.Errorf("held-out %+v, best %+v", *first.HeldOut, *first.Best)
	}
	if *c.Runs[1].HeldOut != (Held{7, 1.25}) || c.Runs[2].HeldOut != nil {
		t.Errorf("held-out %+v and %+v", c.Runs[1].HeldOut, c.Runs[2].HeldOut)
	}
	if len(c.Settings) != 1 || c.Settings[0].Key != "process.objective" || !slices.Equal(c.Settings[0].Values, []any{"cdcd", "ar", nil}) {
		t.Errorf("settings %+v", c.Settings)
	}
	var names []string
	for _, f := range c.Figures() {
		if err := f.Validate(); err != nil {
			t.Error(err)
		}
		names = append(names, f.Name)
	}
	if want := []string{"loss", "loss-ar", "held-out", "held-out-ar", "held-out-noise", "cdf", "density", "grad-norm", "speed"}; !slices.Equal(names, want) {
		t.Errorf("figures %v, want %v", names, want)
	}
	var text strings.Builder
	c.Write(chart.NewPrinter(&text, 80, false))
	if !strings.Contains(text.String(), "different objectives") {
		t.Error("nothing says that the losses do not compare")
	}
}

// TestComparedNames: runs of one name are told apart by their paths.
func TestComparedNames(t *testing.T) {
	c := Comparison{Runs: []Compared{{Run: "a/run"}, {Run: "b/run/"}, {Run: "c/other"}}}
	c.name()
	for i, want := range []string{"a/run", "b/run/", "other"} {
		if got := c.Runs[i].Name; got != want {
			t.Errorf("%q is called %q, want %q", c.Runs[i].Run, got, want)
		}
	}
}
