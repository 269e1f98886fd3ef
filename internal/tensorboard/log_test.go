package tensorboard

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed-4c77ef92/textwarp/embeddings"
	"github.com/seed-4c77ef92/textwarp/timewarp"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// tail is an Event without its wall time, which is the first field and nine bytes.
func tail(m message) string { return string(m[9:]) }

func scalarEvent(step int, tag string, v float64) string {
	return tail(event(zero, step, summary, summaryOf(tag, scalar(v), nil)))
}

func histogramEvent(step int, tag string, h Histogram) string {
	return tail(event(zero, step, summary, summaryOf(tag, h.value(), nil)))
}

func TestLog(t *testing.T) {
	snapshot := timewarp.Snapshot{
		T: []float64{.1, 1, 100}, CDF: []float64{0, .25, 1}, Quantiles: []timewarp.Quantile{{U: .5, T: 3}},
	}
	stats := embeddings.Stats{
		MeanCosine: .125, MaxCosine: .5, EffectiveRank: 7, RawNorm: embeddings.Quantiles{Median: .75},
		Norms: embeddings.Histogram{Edges: []float64{.5, 1, 2}, Counts: []int{3, 4}},
	}
	cases := []struct {
		name  string
		event trainer.Event
		want  []string
	}{
		{"training", line(trainer.MetricsLine{Step: 10, Tokens: 640, Loss: 2, GradNorm: 3, LR: .5, Skipped: 1}), []string{
			scalarEvent(10, "train/loss", 2), scalarEvent(10, "train/grad_norm", 3), scalarEvent(10, "train/lr", .5),
			scalarEvent(10, "train/tokens", 640), scalarEvent(10, "train/skipped", 1),
		}},
		{"steps all skipped", line(trainer.MetricsLine{Step: 10, Tokens: 640, LR: .5, Skipped: 10}), []string{
			scalarEvent(10, "train/lr", .5), scalarEvent(10, "train/tokens", 640), scalarEvent(10, "train/skipped", 10),
		}},
		{"held out", line(trainer.MetricsLine{Step: 20, Eval: &trainer.Evaluation{T: []float64{.25, 32}, CE: []float64{1, 4}}}), []string{
			scalarEvent(20, "held_out/t=0.25", 1), scalarEvent(20, "held_out/t=32", 4),
		}},
		{"likelihood", line(trainer.MetricsLine{Step: 20, Eval: &trainer.Evaluation{Likelihood: &trainer.Likelihood{Nats: 2, AfterFirst: 1}}}), []string{
			scalarEvent(20, "held_out/nats", 2), scalarEvent(20, "held_out/after_first", 1),
		}},
		{"speed", line(trainer.TimingLine{Step: 10, TokensPerSecond: 100, GFLOPS: 2}), []string{
			scalarEvent(10, "speed/tokens_per_second", 100), scalarEvent(10, "speed/gflops", 2),
		}},
		{"warp", line(trainer.WarpLine{Step: 50, Warp: snapshot}), []string{
			histogramEvent(50, "warp/log10_t", Histogram{Edges: []float64{math.Log10(.1), 0, 2}, Counts: []float64{.25, .75}}),
			scalarEvent(50, "warp/t_at_u=0.5", 3),
		}},
		{"embeddings", line(trainer.EmbeddingsLine{Step: 50, Stats: stats}), []string{
			scalarEvent(50, "embeddings/mean_cosine", .125), scalarEvent(50, "embeddings/max_cosine", .5),
			scalarEvent(50, "embeddings/effective_rank", 7), scalarEvent(50, "embeddings/raw_norm_median", .75),
			histogramEvent(50, "embeddings/raw_norm", Histogram{Edges: []float64{.5, 1, 2}, Counts: []float64{3, 4}}),
		}},
		{"hostile sample", line(trainer.SampleLine{Step: 60, Text: "# <b>\n\xff`x`\n"}), []string{
			tail(event(zero, 60, summary, summaryOf("sample", text("    # <b>\n    \ufffd`x`\n    "), textPlugin()))),
		}},
		{"rollback", trainer.Event{Kind: "rollback", Step: 70}, []string{tail(event(zero, 71, sessionLog, sessionStart()))}},
		{"nothing to tell", trainer.Event{Kind: "waiting", Step: 80}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w, err := Create(t.TempDir(), 1)
			if err != nil {
				t.Fatal(err)
			}
			l := NewLog(w, func(err error) { t.Error(err) })
			l.Event(c.event)
			l.Close()
			data, err := os.ReadFile(w.file.Name())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range records(t, data)[2:] { // behind version and start
				got = append(got, tail(r))
			}
			if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", c.want) {
				t.Errorf("got\n%q, want\n%q", got, c.want)
			}
		})
	}
}

func line(l any) trainer.Event { return trainer.Event{Kind: "line", Line: l} }

// What was written when a checkpoint is saved is in the file: a run that is
// killed then goes on from there.
func TestSavedIsFlushed(t *testing.T) {
	dir := t.TempDir()
	w, err := Create(dir, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	l := NewLog(w, func(err error) { t.Error(err) })
	l.Event(line(trainer.SampleLine{Step: 1, Text: "flushed"}))
	l.Event(trainer.Event{Kind: "saved", Step: 1})
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	data, err := os.ReadFile(files[0])
	if err != nil || !bytes.Contains(data, []byte("flushed")) {
		t.Errorf("%v, got %q", err, data)
	}
}

func TestFailureIsToldOnce(t *testing.T) {
	w, err := Create(t.TempDir(), 1)
	if err != nil {
		t.Fatal(err)
	}
	w.file.Close() // what a write meets when the disk is gone
	var told []error
	l := NewLog(w, func(err error) { told = append(told, err) })
	for i := range 5 {
		l.Event(line(trainer.TimingLine{Step: i}))
		l.Event(trainer.Event{Kind: "saved", Step: i})
	}
	l.Close()
	if len(told) != 1 || !errors.Is(told[0], os.ErrClosed) {
		t.Errorf("told %v", told)
	}
}
