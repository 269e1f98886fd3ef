package inspect

import (
	"github.com/seed-4c77ef92/textwarp/internal/chart"
	"github.com/seed-4c77ef92/textwarp/internal/printable"
)

// Write shows the warp on a terminal.
func (v *Warp) Write(p *chart.Printer) {
	w := v.Warp
	p.Printf("%s: step %d, %s warp on [%g, %g], %d updates\n\n", printable.Line(v.Run), v.Step, printable.Line(w.Kind), w.TMin, w.TMax, w.Steps)
	for _, f := range v.Figures() {
		if f.Name == "cdf" || f.Name == "loss" {
			p.Chart(f)
		}
	}
	if len(w.Loss) > 0 {
		p.Printf("mean loss under the warp %.3f nats; half of the top of the curve %.3f\n\n", v.MeanLoss, v.HalfTop)
	}
	p.Printf("noise level t by warped time\n%8s", "step")
	for _, q := range w.Quantiles {
		p.Printf("  u=%-5.3g", q.U)
	}
	p.Printf("\n")
	for _, l := range v.History {
		p.Printf("%8d", l.Step)
		for _, q := range l.Warp.Quantiles {
			p.Printf("  %-7.3g", q.T)
		}
		p.Printf("\n")
	}
	p.Printf("\nrecent losses\n       t    loss  std err  observations   fitted\n")
	for _, b := range w.Observed {
		p.Printf("%8.3g  %6.3f  %7.3f  %12.0f", b.T, b.Mean, b.StdErr, b.Count)
		if len(w.Loss) > 0 {
			p.Printf("  %7.3f", interpolate(w.T, w.Loss, b.T))
		}
		p.Printf("\n")
	}
}
