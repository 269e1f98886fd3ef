package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed-4c77ef92/textwarp/internal/chart"
)

// renderPage writes what was measured of the experiments between the marks of
// the page that carry their names. The prose around them is written by hand.
func renderPage(page, images string, experiments []Experiment, results string) error {
	data, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	text := string(data)
	for _, e := range experiments {
		picture := filepath.Join(images, e.Name+".png")
		link, err := filepath.Rel(filepath.Dir(page), picture)
		if err != nil {
			return err
		}
		block, plots, err := e.render(results, filepath.ToSlash(link))
		if err != nil {
			return fmt.Errorf("experiment %s: %w", e.Name, err)
		}
		if text, err = between(text, e.Name, block); err != nil {
			return fmt.Errorf("%s: %w", page, err)
		}
		if len(plots) > 0 {
			if err := writePicture(picture, plots); err != nil {
				return err
			}
		}
	}
	return os.WriteFile(page, []byte(text), 0o644)
}

// between replaces what stands between the marks of a name.
func between(text, name, block string) (string, error) {
	begin, end := "<!-- science:"+name+" -->\n", "<!-- /science:"+name+" -->"
	head, rest, ok := strings.Cut(text, begin)
	_, tail, also := strings.Cut(rest, end)
	if !ok || !also {
		return "", fmt.Errorf("put %q and %q where the results of the experiment belong", strings.TrimSpace(begin), end)
	}
	return head + begin + block + end + tail, nil
}

// check reports what the tables and plots ask for and cannot have.
func (e Experiment) check(all []row) error {
	for _, t := range e.Tables {
		if err := t.check(all); err != nil {
			return fmt.Errorf("experiment %s: %w", e.Name, err)
		}
	}
	for _, p := range e.Plots {
		if err := p.check(); err != nil {
			return fmt.Errorf("experiment %s: %w", e.Name, err)
		}
	}
	return nil
}

// render gives the block of an experiment and its plots.
func (e Experiment) render(results, link string) (string, []chart.Figure, error) {
	trials, err := e.Trials()
	if err != nil {
		return "", nil, err
	}
	l, err := openLedger(results, e.Name)
	if err != nil {
		return "", nil, err
	}
	all := rows(trials)
	var b strings.Builder
	fmt.Fprintf(&b, "*Question.* %s\n\n", e.Question)
	if e.Paper != "" {
		fmt.Fprintf(&b, "*Published.* %s\n\n", e.Paper)
	}
	if len(l.done) == 0 {
		fmt.Fprintf(&b, "Not measured yet: `bench/science/run %s`\n", e.Name)
		return b.String(), nil, nil
	}
	if err := e.check(all); err != nil {
		return "", nil, err
	}
	for _, t := range e.Tables {
		b.WriteString(t.markdown(l, all) + "\n")
	}
	if e.Scaling {
		b.WriteString(scalingTable(l, all) + "\n")
	}
	var plots []chart.Figure
	for _, p := range e.Plots {
		plots = append(plots, p.draw(l, all))
	}
	if len(plots) > 0 {
		fmt.Fprintf(&b, "![%s](%s)\n\n", e.Title, link)
	}
	b.WriteString(e.conditions(l, trials) + "\n")
	return b.String(), plots, nil
}

// conditions says what stands behind the figures.
func (e Experiment) conditions(l *ledger, trials []Trial) string {
	measured := 0
	for _, t := range trials {
		if len(l.missing(t, e.Measure)) == 0 {
			measured++
		}
	}
	s := "One seed"
	if n := len(e.Seeds); n >= leastSeeds {
		s = fmt.Sprintf("%d seeds, mean ± half of the 95 %% interval of Student's t", n)
	}
	for _, t := range e.Tables {
		if t.Against != "" {
			s += fmt.Sprintf("; Δ against “%s”, seed by seed", t.Against)
			break
		}
	}
	if measured < len(trials) {
		s += fmt.Sprintf("; %d of %d measured", measured, len(trials))
	}
	return s + fmt.Sprintf(". `bench/science/run %s`\n", e.Name)
}
