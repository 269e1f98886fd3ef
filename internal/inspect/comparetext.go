package inspect

import (
	"fmt"

	"github.com/seed-4c77ef92/textwarp/internal/chart"
	"github.com/seed-4c77ef92/textwarp/internal/printable"
)

// Write shows the comparison on a terminal.
func (c *Comparison) Write(p *chart.Printer) {
	for _, f := range c.Figures() {
		switch f.Name {
		case "loss", "loss-ar", "held-out", "held-out-ar", "density":
			p.Chart(f)
		}
	}
	p.Printf("%-6s %7s %11s %10s %8s %8s %8s %8s %8s  run\n", "learns", "step", "tokens", "parameters", "tokens/s", "loss", "held-out", "best", "at step")
	for _, r := range c.Runs {
		held, best, at := "-", "-", "-"
		if r.HeldOut != nil {
			held, best, at = fmt.Sprintf("%.4f", r.HeldOut.Loss), fmt.Sprintf("%.4f", r.Best.Loss), fmt.Sprint(r.Best.Step)
		}
		p.Printf("%-6s %7d %11d %10d %8s %8s %8s %8s %8s  %s\n", r.Objective, r.Step, r.Tokens, r.Parameters,
			number("%.0f", r.TokensPerSecond), number("%.4f", r.Loss), held, best, at, printable.Line(r.Name))
	}
	p.Printf("\nloss: of training, mean over the last tenth; at the noise levels that each run's warp chose, it does not compare\n" +
		"held-out: mean over the evaluation's noise levels, or nats a token of a run that predicts the next one\n")
	if c.mixed() {
		p.Printf("runs of different objectives: their losses do not compare\n")
	}
	if len(c.Settings) == 0 {
		return
	}
	p.Printf("\n%-28s", "settings that differ")
	for _, r := range c.Runs {
		p.Printf(" %12.12s", printable.Line(r.Name))
	}
	p.Printf("\n")
	for _, s := range c.Settings {
		p.Printf("  %-26s", s.Key)
		for _, v := range s.Values {
			text := "-"
			if v != nil {
				text = printable.Line(fmt.Sprint(v))
			}
			p.Printf(" %12s", text)
		}
		p.Printf("\n")
	}
}
