package page

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/seed-4c77ef92/textwarp/internal/chart"
	"github.com/seed-4c77ef92/textwarp/internal/inspect"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// drawnTokens is how many tokens a picture of the map shows.
const drawnTokens = 5000

// getFigure draws the figures of a panel: its name and, behind the dot, in what
// form.
func (s *Server) getFigure(r *http.Request) (answer, error) {
	run, err := s.run(r)
	if err != nil {
		return answer{}, err
	}
	panel, form, _ := strings.Cut(r.PathValue("figure"), ".")
	step, err := number(r, "step", 0, 1<<31-1, -1)
	if err != nil {
		return answer{}, err
	}
	view, figures, err := s.panel(r.Context(), run, panel, form, step)
	if err != nil {
		return answer{}, err
	}
	return draw(view, figures, form)
}

// panel is the value of a panel and its figures, for a form, of the warp as of a step
// or, if that is below 0, of the newest.
func (s *Server) panel(ctx context.Context, run *run, panel, form string, step int) (any, []chart.Figure, error) {
	switch panel {
	case "warp":
		v, err := warpAt(run, step)
		if err != nil {
			return nil, nil, err
		}
		return v, without(v.Figures(), "loss", "linearity"), nil
	case "loss":
		return lossPanel(run, step)
	case "embeddings":
		v, err := s.table(ctx, run)
		if err != nil {
			return nil, nil, err
		}
		if form == "png" || form == "svg" { // tables have them all
			v = v.First(chosen(v, drawnTokens))
		}
		return v, v.Figures(), nil
	case "run":
		v, err := run.Curves()
		if err != nil {
			return nil, nil, err
		}
		return v, v.Figures(), nil
	}
	return nil, nil, fmt.Errorf("there is no figure %q: %w", panel, safeio.ErrNotFound)
}

func warpAt(run *run, step int) (*inspect.Warp, error) {
	v, err := run.Warp()
	if err != nil || step < 0 {
		return v, err
	}
	line, err := run.Snapshot(step)
	if err != nil {
		return nil, err
	}
	return v.At(line), nil
}

// lossPanel has the losses by noise level: those of training with the fitted
// curve, and the held-out ones.
func lossPanel(run *run, step int) (any, []chart.Figure, error) {
	v, err := run.Curves()
	if err != nil {
		return nil, nil, err
	}
	var figures []chart.Figure
	if w, err := warpAt(run, step); err == nil {
		figures = only(w.Figures(), "loss", "linearity")
	}
	figures = append(figures, only(v.Figures(), "held-out", "held-out-noise", "classes")...)
	if len(figures) == 0 {
		return nil, nil, fmt.Errorf("run %q has no losses by noise level yet: %w", run.name, safeio.ErrNotFound)
	}
	return v.Evaluations, figures, nil
}

func only(figures []chart.Figure, names ...string) []chart.Figure {
	return slices.DeleteFunc(figures, func(f chart.Figure) bool { return !slices.Contains(names, f.Name) })
}

func without(figures []chart.Figure, names ...string) []chart.Figure {
	return slices.DeleteFunc(figures, func(f chart.Figure) bool { return slices.Contains(names, f.Name) })
}

func (s *Server) getShardFigure(r *http.Request) (answer, error) {
	panel, form, _ := strings.Cut(r.PathValue("figure"), ".")
	if panel != "shards" {
		return answer{}, fmt.Errorf("there is no figure %q: %w", panel, safeio.ErrNotFound)
	}
	v, err := s.getShards(r)
	if err != nil {
		return answer{}, err
	}
	return draw(v, v.Figures(), form)
}

// draw gives figures the form that is asked for.
func draw(view any, figures []chart.Figure, form string) (answer, error) {
	var b bytes.Buffer
	var err error
	kind := ""
	switch form {
	case "png":
		kind, err = "image/png", chart.WritePicture(&b, chart.PNG, figures)
	case "svg":
		kind, err = "image/svg+xml", chart.WritePicture(&b, chart.SVG, figures)
	case "csv":
		kind, err = "text/csv; charset=utf-8", chart.WriteCSV(&b, figures)
	case "json":
		return asJSON(view)
	default:
		err = fmt.Errorf("a figure is png, svg, csv or json, not %q: %w", form, safeio.ErrNotFound)
	}
	return answer{kind, b.Bytes()}, err
}
