package inspect

import (
	"github.com/seed-4c77ef92/textwarp/internal/chart"
	"github.com/seed-4c77ef92/textwarp/internal/printable"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// Write shows the curves on a terminal.
func (v *Curves) Write(p *chart.Printer) {
	p.Printf("%s: step %d, %d tokens\n\n", printable.Line(v.Run), v.Step, v.Tokens)
	for _, f := range v.Figures() {
		if f.Name == "loss" || f.Name == "held-out" || f.Name == "speed" {
			p.Chart(f)
		}
	}
	if n := len(v.Training); n > 0 {
		m := v.Training[n-1]
		p.Printf("training at step %d: loss %.4f, gradient norm %.3g, learning rate %.3g, %d steps skipped\n", m.Step, m.Loss, m.GradNorm, m.LR, m.Skipped)
	}
	if n := len(v.Timing); n > 0 {
		t := v.Timing[n-1]
		p.Printf("speed at step %d: %.0f tokens/s, %.1f GFLOP/s\n", t.Step, t.TokensPerSecond, t.GFLOPS)
	}
	if n := len(v.Evaluations); n > 0 {
		writeEvaluation(p, v.Evaluations[n-1])
	}
	if s := v.Sample; s != nil {
		p.Printf("\nwritten at step %d (%d steps, temperature %g)\n  %s\n", s.Step, s.Steps, s.Temperature, printable.Line(s.Text))
	}
}

func writeEvaluation(p *chart.Printer, m trainer.MetricsLine) {
	e := m.Eval
	if l := e.Likelihood; l != nil {
		p.Printf("\nheld-out loss at step %d, nats a token (%d windows): %.4f, standard error %.4f\n", m.Step, e.Windows, l.Nats, l.StdErr)
		p.Printf("without the first token of each window: %.4f, standard error %.4f\n", l.AfterFirst, l.AfterFirstStdErr)
		return
	}
	p.Printf("\nheld-out loss at step %d, nats a token (mask %s, %d windows)\n       t    loss  std err\n", m.Step, printable.Line(e.Mask), e.Windows)
	for i, t := range e.T {
		p.Printf("%8.3g  %6.3f  %7.3f\n", t, e.CE[i], e.SE[i])
	}
}
