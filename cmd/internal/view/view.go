// Package view shows what a command found out: a value first, of which charts on
// the terminal, pictures, tables and JSON are renderings.
package view

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-4c77ef92/textwarp/internal/chart"
	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// View is what was found out: a struct that encodes as JSON, from which all other
// renderings follow.
type View interface {
	Figures() []chart.Figure
	Write(p *chart.Printer)
}

// Output is where and how to show a view.
type Output struct {
	png, svg, csv string
	json          bool
	color         string
}

// AddFlags adds the flags that choose.
func (o *Output) AddFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.png, "png", "", "write pictures: all on one page FILE.png, or one file a figure into a directory")
	f.StringVar(&o.svg, "svg", "", "the same as SVG")
	f.StringVar(&o.csv, "csv", "", "write the points of all figures: one FILE.csv (- for standard output), or a directory")
	f.BoolVar(&o.json, "json", false, "write everything as one JSON object to standard output")
	f.StringVar(&o.color, "color", "auto", "colour on the terminal: auto, always or never")
	cli.FlagChoices(cmd, "color", "auto", "always", "never")
}

// Show writes the view as asked for: to files, as JSON, or else as charts.
func (o *Output) Show(w io.Writer, v View) error {
	var color bool
	switch o.color {
	case "auto":
		color = cli.Color(os.Stdout)
	case "always", "never":
		color = o.color == "always"
	default:
		return cli.Usagef("--color is auto, always or never, not %q", o.color)
	}
	files := []struct {
		path, extension string
		write           func(io.Writer, []chart.Figure) error
	}{
		{o.png, ".png", func(w io.Writer, f []chart.Figure) error { return chart.WritePicture(w, chart.PNG, f) }},
		{o.svg, ".svg", func(w io.Writer, f []chart.Figure) error { return chart.WritePicture(w, chart.SVG, f) }},
		{o.csv, ".csv", chart.WriteCSV},
	}
	written := o.json
	for _, f := range files {
		if f.path == "" {
			continue
		}
		written = true
		if f.path == "-" && f.extension == ".csv" {
			if err := f.write(w, v.Figures()); err != nil {
				return err
			}
			continue
		}
		if err := writeFigures(f.path, f.extension, v.Figures(), f.write); err != nil {
			return err
		}
	}
	if o.json {
		return cli.WriteJSON(w, v)
	}
	if written {
		return nil
	}
	p := chart.NewPrinter(w, min(cli.Width(os.Stdout), 120), color)
	v.Write(p)
	return p.Err()
}

// writeFigures writes one page if path is named like a file, else a file for
// each figure into the directory path. It says on stderr what it wrote.
func writeFigures(path, extension string, figures []chart.Figure, write func(io.Writer, []chart.Figure) error) error {
	pages := map[string][]chart.Figure{path: figures}
	order := []string{path}
	if !strings.EqualFold(filepath.Ext(path), extension) {
		if err := os.MkdirAll(path, 0o755); err != nil {
			return fmt.Errorf("make directory for figures: %w", err)
		}
		pages, order = map[string][]chart.Figure{}, nil
		for _, f := range figures {
			name := filepath.Join(path, f.Name+extension)
			pages[name], order = []chart.Figure{f}, append(order, name)
		}
	}
	for _, name := range order {
		err := safeio.FS{}.WriteFile(name, func(w io.Writer) error { return write(w, pages[name]) })
		if err != nil {
			return err
		}
		cli.Tell("wrote %s", name)
	}
	return nil
}
