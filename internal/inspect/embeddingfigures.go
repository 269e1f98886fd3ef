package inspect

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seed-4c77ef92/textwarp/internal/chart"
	"github.com/seed-4c77ef92/textwarp/internal/printable"
)

// labelled is how many tokens of a large vocabulary the projection names.
const labelled = 120

// Figures are the charts of the table.
func (v *Embeddings) Figures() []chart.Figure {
	f := []chart.Figure{v.norms(), v.projection(), v.spectrum()}
	if v.counted {
		f = append(f, v.byFrequency())
	}
	return f
}

func (v *Embeddings) norms() chart.Figure {
	s := chart.Series{Kind: chart.Bars, Name: "tokens", Color: 2, X: v.Stats.Norms.Edges}
	for _, n := range v.Stats.Norms.Counts {
		s.Y = append(s.Y, float64(n))
	}
	return chart.Figure{
		Name: "norms", Title: "Raw norms of the embedding rows",
		X: chart.Axis{Label: "raw norm ‖w‖", Scale: chart.Log}, Y: chart.Axis{Label: "tokens", Scale: chart.Whole}, Series: []chart.Series{s},
	}
}

// projection leaves out the tokens that training has never moved, whose place
// means nothing. Of a large vocabulary it names the most frequent, which without
// counts are those with the lowest ids, as byte-pair merges were learned in that
// order.
func (v *Embeddings) projection() chart.Figure {
	var order []int
	for i, t := range v.Tokens {
		if _, never := slices.BinarySearch(v.Stats.NeverUpdated, t.ID); !never {
			order = append(order, i)
		}
	}
	if v.counted {
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(*v.Tokens[b].Count, *v.Tokens[a].Count) })
	}
	s := chart.Series{Kind: chart.Scatter, Name: "token", Labels: []string{}}
	for rank, i := range order {
		t := v.Tokens[i]
		label := ""
		if rank < labelled {
			label = visible(t.Text)
		}
		s.X, s.Y, s.Labels = append(s.X, t.X), append(s.Y, t.Y), append(s.Labels, label)
	}
	axis := func(k int) chart.Axis {
		a := chart.Axis{Label: fmt.Sprintf("principal component %d", k+1)}
		if k < len(v.Explained) {
			a.Unit = fmt.Sprintf("%.0f %% of variance", 100*v.Explained[k])
		}
		return a
	}
	return chart.Figure{
		Name: "pca", Title: "Embeddings on their first two principal components",
		X: axis(0), Y: axis(1), Series: []chart.Series{s},
	}
}

// visible shows the spaces of a token as dots, and makes it safe to print.
func visible(s string) string { return printable.Line(strings.ReplaceAll(s, " ", "·")) }

func (v *Embeddings) spectrum() chart.Figure {
	s := chart.Series{Name: "singular values", Kind: chart.Scatter, Y: v.Stats.SingularValues}
	for i := range s.Y {
		s.X = append(s.X, float64(i+1))
	}
	return chart.Figure{
		Name: "spectrum", Title: fmt.Sprintf("Singular values: effective rank %.1f of %d", v.Stats.EffectiveRank, len(s.Y)),
		X: chart.Axis{Label: "direction, from the largest", Scale: chart.Whole}, Y: chart.Axis{Label: "singular value"}, Series: []chart.Series{s},
	}
}

func (v *Embeddings) byFrequency() chart.Figure {
	s := chart.Series{Kind: chart.Scatter, Name: "token", Color: 1, Labels: []string{}}
	for _, t := range v.Tokens {
		label := ""
		if len(v.Tokens) <= labelled {
			label = visible(t.Text)
		}
		s.X, s.Y, s.Labels = append(s.X, float64(*t.Count)), append(s.Y, t.Norm), append(s.Labels, label)
	}
	return chart.Figure{
		Name: "frequency", Title: "Raw norm against token frequency",
		X: chart.Axis{Label: "occurrences in the training shards", Scale: chart.Log},
		Y: chart.Axis{Label: "raw norm ‖w‖", Scale: chart.Log}, Series: []chart.Series{s},
	}
}
