// Package metrics shows a run in training to Prometheus.
//
//	trainer ──▶ lines of the run ──▶ Run: the newest value of each ──▶ GET /metrics
//
// A value that is not known yet is not shown, rather than as 0. The text format is
// left to prometheus/client_golang, which defines it: escaping, HELP and TYPE,
// compression and the newer formats that a scraper may ask for. It is linked
// by train alone and brings five modules; what is smaller leaves out HELP, or keeps
// its settings in global variables.
package metrics

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/seed-4c77ef92/textwarp/trainer"
)

// Run is what is known of a run. Its methods may be called from several
// goroutines.
type Run struct {
	info   prometheus.Metric
	mu     sync.Mutex
	values map[key]float64
}

// key is a metric with the value of its label, if it has one.
type key struct {
	family *family
	label  string
}

// family is a metric of Prometheus.
type family struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

func newFamily(kind prometheus.ValueType, name, help string, labels ...string) *family {
	return &family{prometheus.NewDesc("textwarp_"+name, help, labels, nil), kind}
}

// The metrics, of which none changes.
var (
	info = prometheus.NewDesc("textwarp_run_info", "The run, always 1.", []string{"run", "objective", "version"}, nil)

	stepNow    = newFamily(prometheus.GaugeValue, "step", "Training steps made.")
	stepsAll   = newFamily(prometheus.GaugeValue, "steps_planned", "Training steps of the whole run.")
	tokens     = newFamily(prometheus.CounterValue, "tokens_total", "Tokens trained on.")
	skipped    = newFamily(prometheus.CounterValue, "skipped_steps_total", "Steps that were not finite and not applied.")
	loss       = newFamily(prometheus.GaugeValue, "loss_nats", "Training loss in nats a token, mean of the last steps.")
	gradient   = newFamily(prometheus.GaugeValue, "gradient_norm", "Norm of the gradient, mean of the last steps.")
	rate       = newFamily(prometheus.GaugeValue, "learning_rate", "Learning rate.")
	speed      = newFamily(prometheus.GaugeValue, "tokens_per_second", "Tokens trained on in a second.")
	heldOut    = newFamily(prometheus.GaugeValue, "held_out_loss_nats", "Held-out cross-entropy at noise level t, in nats a noisy token.", "t")
	likelihood = newFamily(prometheus.GaugeValue, "held_out_nats", "Held-out negative log-likelihood in nats a token (objective ar).")
	saved      = newFamily(prometheus.GaugeValue, "checkpoint_step", "Step of the newest checkpoint of this session.")
	savedAt    = newFamily(prometheus.GaugeValue, "checkpoint_timestamp_seconds", "When that checkpoint was saved, as Unix time.")
)

// New begins with a run that has made some steps of its configuration.
func New(name, version string, c trainer.Config, step int) *Run {
	r := &Run{
		info:   prometheus.MustNewConstMetric(info, prometheus.GaugeValue, 1, utf8(name), c.Process.Objective, version),
		values: map[key]float64{},
	}
	r.set(stepNow, "", float64(step))
	r.set(stepsAll, "", float64(c.Run.Steps))
	return r
}

// Event takes in what happened in training.
func (r *Run) Event(e trainer.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.set(stepNow, "", float64(e.Step))
	switch e.Kind {
	case "saved":
		r.set(saved, "", float64(e.Step))
		r.set(savedAt, "", float64(time.Now().UnixMilli())/1000)
	case "line":
		switch line := e.Line.(type) {
		case trainer.MetricsLine:
			r.metrics(line)
		case trainer.TimingLine:
			r.set(speed, "", line.TokensPerSecond)
		}
	}
}

func (r *Run) metrics(m trainer.MetricsLine) {
	r.set(tokens, "", float64(m.Tokens))
	if m.Eval == nil {
		r.set(skipped, "", float64(m.Skipped))
		r.set(rate, "", m.LR)
		if m.Loss != 0 { // steps that were skipped have none
			r.set(loss, "", m.Loss)
			r.set(gradient, "", m.GradNorm)
		}
		return
	}
	for i, t := range m.Eval.T {
		r.set(heldOut, strconv.FormatFloat(t, 'g', -1, 64), m.Eval.CE[i])
	}
	if p := m.Eval.Likelihood; p != nil {
		r.set(likelihood, "", p.Nats)
	}
}

func (r *Run) set(f *family, label string, v float64) { r.values[key{f, label}] = v }

// Handler answers GET /metrics.
func (r *Run) Handler() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(r)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return mux
}

// Describe is of prometheus.Collector. It names nothing: which metrics there are
// changes as the run goes on.
func (r *Run) Describe(chan<- *prometheus.Desc) {}

// Collect is of prometheus.Collector.
func (r *Run) Collect(out chan<- prometheus.Metric) {
	r.mu.Lock()
	defer r.mu.Unlock()
	out <- r.info
	for k, v := range r.values {
		var labels []string
		if k.label != "" {
			labels = []string{k.label}
		}
		out <- prometheus.MustNewConstMetric(k.family.desc, k.family.kind, v, labels...)
	}
}

// utf8 makes a label of a path, which may be any bytes.
func utf8(s string) string { return string([]rune(s)) }
