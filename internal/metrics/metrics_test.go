package metrics

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/seed-4c77ef92/textwarp/trainer"
)

func scrape(t *testing.T, r *Run, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w.Code, w.Body.String()
}

func samples(text string) string {
	return regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(text, "")
}

func TestMetrics(t *testing.T) {
	var c trainer.Config
	c.Process.Objective, c.Run.Steps = trainer.CDCD, 500
	r := New("runs/\"a\"\n\xff", "devel", c, 20)

	code, text := scrape(t, r, "/metrics")
	want := `textwarp_run_info{objective="cdcd",run="runs/\"a\"\n�",version="devel"} 1
textwarp_step 20
textwarp_steps_planned 500
`
	if code != 200 || samples(text) != want {
		t.Errorf("at first: status %d, got\n%s, want\n%s", code, text, want)
	}

	for _, line := range []any{
		trainer.MetricsLine{Step: 30, Tokens: 30720, Loss: 2.5, GradNorm: .75, LR: 3e-4, Skipped: 1},
		trainer.TimingLine{Step: 30, TokensPerSecond: 1234.5},
		trainer.MetricsLine{Step: 30, Tokens: 30720, Eval: &trainer.Evaluation{T: []float64{.25, 16}, CE: []float64{.01, 3}}},
		trainer.MetricsLine{Step: 30, Tokens: 30720, Eval: &trainer.Evaluation{Likelihood: &trainer.Likelihood{Nats: 1.5}}},
		trainer.SampleLine{Step: 30, Text: "not a metric"},
	} {
		r.Event(trainer.Event{Kind: "line", Step: 30, Line: line})
	}
	r.Event(trainer.Event{Kind: "saved", Step: 30})
	// A line of skipped steps knows no loss; the one before it stays.
	r.Event(trainer.Event{Kind: "line", Step: 40, Line: trainer.MetricsLine{Step: 40, Tokens: 40960, LR: 4e-4, Skipped: 11}})

	_, text = scrape(t, r, "/metrics")
	got := regexp.MustCompile(`(?m)^(textwarp_checkpoint_timestamp_seconds) 1\.\d+e\+09$`).ReplaceAllString(samples(text), "$1 NOW")
	want = `textwarp_checkpoint_step 30
textwarp_checkpoint_timestamp_seconds NOW
textwarp_gradient_norm 0.75
textwarp_held_out_loss_nats{t="0.25"} 0.01
textwarp_held_out_loss_nats{t="16"} 3
textwarp_held_out_nats 1.5
textwarp_learning_rate 0.0004
textwarp_loss_nats 2.5
textwarp_run_info{objective="cdcd",run="runs/\"a\"\n�",version="devel"} 1
textwarp_skipped_steps_total 11
textwarp_step 40
textwarp_steps_planned 500
textwarp_tokens_per_second 1234.5
textwarp_tokens_total 40960
`
	if got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
	for _, line := range []string{"# TYPE textwarp_tokens_total counter", "# TYPE textwarp_step gauge", "# HELP textwarp_step Training steps made."} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %q", line)
		}
	}
	if code, _ := scrape(t, r, "/"); code != 404 {
		t.Errorf("status %d elsewhere", code)
	}
}

// TestScrapedWhileTraining is for the race detector.
func TestScrapedWhileTraining(t *testing.T) {
	r := New("run", "", trainer.Config{}, 0)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 100 {
			r.Event(trainer.Event{Kind: "line", Step: i, Line: trainer.TimingLine{TokensPerSecond: float64(i)}})
		}
	}()
	for range 20 {
		scrape(t, r, "/metrics")
	}
	<-done
	if _, text := scrape(t, r, "/metrics"); !strings.Contains(text, "textwarp_tokens_per_second 99\n") {
		t.Errorf("got\n%s", text)
	}
}
