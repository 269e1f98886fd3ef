package inspect

import (
	"fmt"
	"strings"

	"github.com/seed-4c77ef92/textwarp/internal/chart"
	"github.com/seed-4c77ef92/textwarp/internal/printable"
)

// Write shows the table on a terminal.
func (v *Embeddings) Write(p *chart.Printer) {
	s := v.Stats
	p.Printf("%s: step %d, %d tokens in %d dimensions\n\n", printable.Line(v.Run), v.Step, s.Tokens, s.Dim)
	for _, f := range v.Figures() {
		if f.Name != "spectrum" {
			p.Chart(f)
		}
	}
	q := s.RawNorm
	p.Printf("raw norm         min %.3g, 5 %% %.3g, median %.3g, 95 %% %.3g, max %.3g\n", q.Min, q.Q05, q.Median, q.Q95, q.Max)
	p.Printf("cosine           mean %.3f, max %.3f", s.MeanCosine, s.MaxCosine)
	if s.Pairs > 0 {
		p.Printf(" (%s and %s)", v.name(s.NearestPair[0]), v.name(s.NearestPair[1]))
	}
	p.Printf("\neffective rank   %.1f of %d\n", s.EffectiveRank, len(s.SingularValues))
	p.Printf("never updated    %s\n", v.names(s.NeverUpdated, p.Width-18))
	if len(s.Alarms) == 0 {
		p.Printf("collapse         no sign of it\n")
	}
	for _, a := range s.Alarms {
		p.Printf("ALARM            %s\n", printable.Line(a))
	}
	for _, n := range v.Neighbours {
		p.Printf("\nnearest to %s\n", v.name(n.ID))
		for _, o := range n.Neighbours {
			p.Printf("  %6.3f  %s\n", o.Cosine, v.name(o.ID))
		}
	}
}

// name is a token in quotes, safe to print.
func (v *Embeddings) name(id int32) string {
	return "‘" + visible(v.Tokens[id].Text) + "’"
}

// names lists tokens within a width.
func (v *Embeddings) names(ids []int32, width int) string {
	if len(ids) == 0 {
		return "none"
	}
	var b strings.Builder
	used := 0
	for i, id := range ids {
		n := v.name(id)
		if used+len([]rune(n))+1 > width-12 {
			return fmt.Sprintf("%s and %d more", b.String(), len(ids)-i)
		}
		if i > 0 {
			b.WriteByte(' ')
			used++
		}
		b.WriteString(n)
		used += len([]rune(n))
	}
	return b.String()
}
