package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/seed-4c77ef92/textwarp/internal/chart"
	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/internal/eval"
	"github.com/seed-4c77ef92/textwarp/internal/judge"
)

// Write shows the report on the terminal.
func (r report) Write(p *chart.Printer) {
	h := r.HeldOut
	p.Printf("%s: step %d, %s, %d parameters, seed %d\n", cli.Printable(r.Run), r.Step, r.Objective, r.Parameters, r.Seed)
	p.Printf("held-out text: %d windows of %d tokens, %s split of %s\n\n", h.Windows, h.Length, h.Split, cli.Printable(h.Data))
	for _, f := range r.Figures() {
		if f.Name == "cross-entropy" || f.Name == "bound" {
			p.Chart(f)
		}
	}
	if r.Consistency != nil {
		r.writeLevels(p)
	}
	r.writeLikelihood(p)
	r.writeSources(p)
	r.writeInfilling(p)
	for _, s := range r.Sources {
		if s.Sampling == nil {
			continue
		}
		p.Printf("\n%s writes\n", s.Name)
		for _, text := range s.Examples {
			for line := range strings.Lines(text) {
				writeWrapped(p, cli.Printable(strings.TrimSuffix(line, "\n")))
			}
			p.Printf("  --\n")
		}
	}
}

// writeWrapped breaks a line that is wider than the terminal.
func writeWrapped(p *chart.Printer, line string) {
	const indent = "  "
	for runes := []rune(line); ; {
		n := min(len(runes), p.Width-len(indent))
		p.Printf("%s\n", strings.TrimRight(indent+string(runes[:n]), " "))
		if runes = runes[n:]; len(runes) == 0 {
			return
		}
	}
}

// writeLevels is a table of a line for each noise level. The check, which needs
// levels on both sides, leaves out the ends.
func (r report) writeLevels(p *chart.Printer) {
	const width, wider = 14, 15 // for a sign
	c := r.Consistency
	p.Printf("%6s", "t")
	for _, e := range r.CrossEntropy {
		p.Printf("%*s", width, "CE "+e.Mask)
	}
	p.Printf("%*s%*s%*s\n", wider, "t dCE/dt", wider, "MSE / t²", wider, "gap")
	for k, t := range r.CrossEntropy[0].T {
		p.Printf("%6.3g", t)
		for _, e := range r.CrossEntropy {
			p.Printf("%*s", width, figure(judge.Estimate{Value: e.CE[k], StdErr: e.SE[k]}))
		}
		if i := slices.Index(c.T, t); i >= 0 {
			for _, e := range []judge.Estimate{{Value: c.Slope[i], StdErr: c.SlopeErr[i]}, {Value: c.Squared[i], StdErr: c.SquaredErr[i]}, {Value: c.Gap[i], StdErr: c.GapErr[i]}} {
				p.Printf("%*s", wider, figure(judge.Estimate{Value: t * e.Value, StdErr: t * e.StdErr}))
			}
		}
		p.Printf("\n")
	}
	p.Printf("\nThe gap of a posterior is nowhere below zero; here it is, by three errors, at %d\n", c.Below)
	p.Printf("of %d levels. Above t = %.3g context is worth its area, %.3f nats a token.\n\n", len(c.T), r.Likelihood.Bound.From, c.Context)
}

func (r report) writeLikelihood(p *chart.Printer) {
	l := r.Likelihood
	relation := "likelihood"
	if l.Kind == "bound" {
		relation = "likelihood, at most"
	}
	for _, u := range []struct {
		e    judge.Estimate
		unit string
	}{{l.Token, "nats a token"}, {l.Character, "nats a character"}, {l.Byte, "bits a byte"}} {
		p.Printf("%-24s%*s  %s\n", relation, columnWidth, figure(u.e), u.unit)
		relation = ""
	}
	if b := l.Bound; b != nil {
		for _, term := range []struct {
			name  string
			value float64
		}{{"reconstruction", b.Reconstruction}, {"diffusion", b.Diffusion}, {"prior", b.Prior}} {
			p.Printf("  %-22s%*.4f  nats a token\n", term.name, columnWidth, term.value)
		}
		p.Printf("from t = %.3g, where it is least; %d noise levels a window\n", b.From, l.Draws)
	}
	if l.AfterFirst != nil {
		p.Printf("  %-22s%*s  nats a token\n", "after the first token", columnWidth, figure(*l.AfterFirst))
	}
}

// columnWidth holds a figure with its error.
const columnWidth = 17

// writeSources is a table of a column for each source.
func (r report) writeSources(p *chart.Printer) {
	p.Printf("\n%-26s", "texts")
	for _, s := range r.Sources {
		p.Printf("%*s", columnWidth, s.Name)
	}
	p.Printf("\n")
	row := func(name string, of func(eval.Source) string) {
		p.Printf("%-26s", name)
		for _, s := range r.Sources {
			p.Printf("%*s", columnWidth, of(s))
		}
		p.Printf("\n")
	}
	row("samples", func(s eval.Source) string { return fmt.Sprint(s.Samples) })
	if r.Judges.Second != "" {
		row("second judge, nats a token", func(s eval.Source) string { return figure(s.Second.NLL) })
		row("  entropy of tokens", func(s eval.Source) string { return figure(s.Second.Entropy) })
		row("  nats a character", func(s eval.Source) string { return figure(s.Second.PerChar) })
	}
	if t := r.Judges.Training; t != nil {
		for _, line := range []struct {
			name string
			of   func(*judge.Score) judge.Estimate
		}{
			{"Kneser-Ney, nats a char.", func(s *judge.Score) judge.Estimate { return s.NLL }},
			{"  entropy of characters", func(s *judge.Score) judge.Estimate { return s.Entropy }},
			{"words that are words", func(s *judge.Score) judge.Estimate { return s.Known }},
			{"  of 4 letters and more", func(s *judge.Score) judge.Estimate { return s.KnownLong }},
			{"distinct-1, words", func(s *judge.Score) judge.Estimate { return s.Distinct[0] }},
			{"distinct-2", func(s *judge.Score) judge.Estimate { return s.Distinct[1] }},
			{"distinct-3", func(s *judge.Score) judge.Estimate { return s.Distinct[2] }},
			{"distinct-4", func(s *judge.Score) judge.Estimate { return s.Distinct[3] }},
			{fmt.Sprintf("repeated, %d characters", judge.RepeatLength), func(s *judge.Score) judge.Estimate { return s.Repeated }},
			{fmt.Sprintf("copied, %d characters", judge.CopyLength), func(s *judge.Score) judge.Estimate { return s.Copied }},
		} {
			row(line.name, func(s eval.Source) string { return figure(line.of(s.Score)) })
		}
	}
	for _, s := range r.Sources {
		if s.Sampling != nil {
			p.Printf("%s: %s\n", s.Name, settings(*s.Sampling))
		}
	}
	if t := r.Judges.Training; t != nil {
		whole := "all"
		if !t.Whole {
			whole = "the beginning"
		}
		p.Printf("Kneser-Ney: %d-grams of %d characters, %s of %s\n", t.Order, t.Characters, whole, cli.Printable(t.Data))
	}
	if r.Judges.Second != "" {
		p.Printf("second judge, AR: %s\n", cli.Printable(r.Judges.Second))
	}
}

func (r report) writeInfilling(p *chart.Printer) {
	if len(r.Infilling) == 0 {
		return
	}
	p.Printf("\n%-26s%*s%*s%*s\n", "infilling", columnWidth, "whole spans", columnWidth, "characters", columnWidth, "windows")
	for _, i := range r.Infilling {
		p.Printf("%-26s%*s%*s%*d\n", i.Source, columnWidth, figure(i.Span), columnWidth, figure(i.Character), columnWidth, i.Windows)
	}
	i := r.Infilling[0]
	p.Printf("%.0f %% of the tokens cut out: %d spans, %d characters\n", 100*i.Share, i.Spans, i.Characters)
	p.Printf("diffusion fills all holes of a window at once, AR one after the other\n")
}

// settings is all that a sampler was told.
func settings(s eval.Sampling) string {
	parts := []string{
		s.Sampler, fmt.Sprintf("%d steps", s.Steps), fmt.Sprintf("%d calls", s.Calls), fmt.Sprintf("T %g", s.Temperature),
	}
	if s.Exact {
		parts[3] += " exact"
	}
	if s.TopP > 0 {
		parts = append(parts, fmt.Sprintf("top-p %g", s.TopP))
	} else {
		parts = append(parts, fmt.Sprintf("guidance %g", s.Guidance), fmt.Sprintf("noise %g", s.InitialNoise))
	}
	return strings.Join(append(parts, fmt.Sprintf("seed %d", s.Seed)), ", ")
}

// figure is an estimate with three decimals, fewer if it is large: columns are
// narrow.
func figure(e judge.Estimate) string {
	decimals := 3
	switch v := math.Abs(e.Value); {
	case v >= 100:
		decimals = 1
	case v >= 10:
		decimals = 2
	}
	return fmt.Sprintf("%.*f ± %.*f", decimals, e.Value, decimals, e.StdErr)
}
