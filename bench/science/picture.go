package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-4c77ef92/textwarp/internal/chart"
)

// plot puts the variants of an experiment, averaged over the seeds, on two axes:
// figures ("measure.value") or settings ("sample.calls", "train.model.width").
// Variants of a group make a line.
type plot struct {
	Title  string `toml:"title"`
	X      string `toml:"x"`
	Y      string `toml:"y"`
	LogX   bool   `toml:"log_x"`
	LogY   bool   `toml:"log_y"`
	Labels bool   `toml:"labels"` // write the variants' names at the points
	Loose  bool   `toml:"loose"`  // no lines
}

// axes of settings; those of figures have the figures' headings.
var axes = map[string]string{
	"sample.calls":      "calls of the network",
	"train.run.steps":   "steps of training",
	"train.data.length": "length of a text, characters",
}

func axisTitle(key string) string {
	if title, ok := axes[key]; ok {
		return title
	}
	return figures[key].heading
}

func (p plot) check() error {
	for _, key := range []string{p.X, p.Y} {
		if axisTitle(key) == "" {
			return fmt.Errorf("plot %q: unknown axis %q", p.Title, key)
		}
	}
	return nil
}

// place is a variant's value on an axis and its standard error.
func (l *ledger) place(r row, key string) (v, stderr float64, ok bool) {
	if _, setting := axes[key]; !setting {
		e := l.estimate(r, key)
		return e.mean, e.stderr, e.n > 0
	}
	t := r.trials[0]
	var value any
	if name, train := strings.CutPrefix(key, "train."); train {
		value = t.Train[name]
	} else {
		value = t.Sample[strings.TrimPrefix(key, "sample.")]
	}
	switch x := value.(type) {
	case int64:
		return float64(x), 0, true
	case float64:
		return x, 0, true
	}
	return 0, 0, false
}

// draw makes the figure of a plot.
func (p plot) draw(l *ledger, all []row) chart.Figure {
	f := chart.Figure{Name: "plot", Title: p.Title, X: chart.Axis{Label: axisTitle(p.X)}, Y: chart.Axis{Label: axisTitle(p.Y)}}
	if p.LogX {
		f.X.Scale = chart.Log
	}
	if p.LogY {
		f.Y.Scale = chart.Log
	}
	type point struct {
		x, y, stderr float64
		name         string
	}
	var groups []string
	points := map[string][]point{}
	for _, r := range all {
		x, _, okX := l.place(r, p.X)
		y, e, okY := l.place(r, p.Y)
		if !okX || !okY {
			continue
		}
		if !slices.Contains(groups, r.group) {
			groups = append(groups, r.group)
		}
		points[r.group] = append(points[r.group], point{x, y, e, r.name})
	}
	for i, g := range groups {
		if g != "" {
			slices.SortStableFunc(points[g], func(a, b point) int { return cmp.Compare(a.x, b.x) })
		}
		dots := chart.Series{Kind: chart.Scatter, Color: i}
		for _, q := range points[g] {
			dots.X, dots.Y, dots.StdErr = append(dots.X, q.x), append(dots.Y, q.y), append(dots.StdErr, q.stderr)
			if p.Labels {
				dots.Labels = append(dots.Labels, q.name)
			}
		}
		switch {
		case p.Loose:
			dots.Name = g
		case g != "":
			f.Series = append(f.Series, chart.Series{Name: g, Kind: chart.Line, X: dots.X, Y: dots.Y, Color: i})
		}
		f.Series = append(f.Series, dots)
	}
	return f
}

// writePicture draws all plots of an experiment into one file.
func writePicture(path string, figures []chart.Figure) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := chart.WritePicture(f, chart.PNG, figures); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
