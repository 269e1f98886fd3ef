package tensorboard

import (
	"fmt"
	"math"
	"strings"

	"github.com/seed-4c77ef92/textwarp/trainer"
)

// Log writes what a trainer tells. It is not safe for concurrent use.
type Log struct {
	w      *Writer
	failed func(error)
	told   bool
}

// NewLog writes to w. The first thing that goes wrong is told to failed, and
// nothing else: a run does not end for want of its pictures.
func NewLog(w *Writer, failed func(error)) *Log { return &Log{w: w, failed: failed} }

// Event takes in what happened in training.
func (l *Log) Event(e trainer.Event) {
	switch e.Kind {
	case "saved": // a run that is killed goes on from here, and does not repeat what came before
		l.tell(l.w.Flush())
	case "rollback":
		l.tell(l.w.Restart(e.Step + 1))
	case "line":
		switch line := e.Line.(type) {
		case trainer.MetricsLine:
			l.metrics(line)
		case trainer.TimingLine:
			l.scalar(line.Step, "speed/tokens_per_second", line.TokensPerSecond)
			l.scalar(line.Step, "speed/gflops", line.GFLOPS)
		case trainer.WarpLine:
			l.warp(line)
		case trainer.EmbeddingsLine:
			l.embeddings(line)
		case trainer.SampleLine:
			l.tell(l.w.Text(line.Step, "sample", verbatim(line.Text)))
		}
	}
}

// Close ends the file.
func (l *Log) Close() { l.tell(l.w.Close()) }

func (l *Log) tell(err error) {
	if err != nil && !l.told {
		l.told = true
		l.failed(err)
	}
}

func (l *Log) scalar(step int, tag string, v float64) { l.tell(l.w.Scalar(step, tag, v)) }

func (l *Log) metrics(m trainer.MetricsLine) {
	if m.Eval != nil {
		for i, t := range m.Eval.T {
			l.scalar(m.Step, fmt.Sprintf("held_out/t=%g", t), m.Eval.CE[i])
		}
		if p := m.Eval.Likelihood; p != nil {
			l.scalar(m.Step, "held_out/nats", p.Nats)
			l.scalar(m.Step, "held_out/after_first", p.AfterFirst)
		}
		return
	}
	if m.Loss != 0 { // steps that were skipped have none
		l.scalar(m.Step, "train/loss", m.Loss)
		l.scalar(m.Step, "train/grad_norm", m.GradNorm)
	}
	l.scalar(m.Step, "train/lr", m.LR)
	l.scalar(m.Step, "train/tokens", float64(m.Tokens))
	l.scalar(m.Step, "train/skipped", float64(m.Skipped))
}

// warp shows t on the logarithmic axis on which it is spread.
func (l *Log) warp(line trainer.WarpLine) {
	w := line.Warp
	h := Histogram{Edges: make([]float64, len(w.T)), Counts: make([]float64, len(w.T)-1)}
	for i, t := range w.T {
		h.Edges[i] = math.Log10(t)
	}
	for i := range h.Counts {
		h.Counts[i] = w.CDF[i+1] - w.CDF[i]
	}
	l.tell(l.w.Histogram(line.Step, "warp/log10_t", h))
	for _, q := range w.Quantiles {
		l.scalar(line.Step, fmt.Sprintf("warp/t_at_u=%g", q.U), q.T)
	}
}

func (l *Log) embeddings(line trainer.EmbeddingsLine) {
	s := line.Stats
	l.scalar(line.Step, "embeddings/mean_cosine", s.MeanCosine)
	l.scalar(line.Step, "embeddings/max_cosine", s.MaxCosine)
	l.scalar(line.Step, "embeddings/effective_rank", s.EffectiveRank)
	l.scalar(line.Step, "embeddings/raw_norm_median", s.RawNorm.Median)
	h := Histogram{Edges: s.Norms.Edges, Counts: make([]float64, len(s.Norms.Counts))}
	for i, n := range s.Norms.Counts {
		h.Counts[i] = float64(n)
	}
	l.tell(l.w.Histogram(line.Step, "embeddings/raw_norm", h))
}

// verbatim is the Markdown that shows a text as it is: indented by four, it is
// code. Bytes that are not UTF-8 become what they are in samples.jsonl.
func verbatim(text string) string {
	text = string([]rune(text))
	return "    " + strings.ReplaceAll(text, "\n", "\n    ")
}
