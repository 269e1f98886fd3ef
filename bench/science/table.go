package main

import (
	"fmt"
	"strings"
)

// table says which figures stand in the columns. Differences are taken within a
// seed, against the variant named: with the same seed, runs begin with the same
// weights and see the same windows, so most of the noise is common to both.
type table struct {
	Columns     []string `toml:"columns"` // "measure.value"
	Against     string   `toml:"against"`
	Differences []string `toml:"differences"`
}

// figure is how a value is shown.
type figure struct {
	heading string
	digits  int
}

// figures by "measure.value".
var figures = map[string]figure{
	"held-out.ce1":               {"CE at t = 1", 3},
	"held-out.ce2":               {"CE at t = 2", 3},
	"held-out.ce4":               {"CE at t = 4", 3},
	"held-out.bound":             {"bound, nats a character", 2},
	"held-out.warp_median":       {"warp t(.5)", 2},
	"tasks.prefix":               {"CE at t = 2, prefix given", 3},
	"tasks.random":               {"random subset given", 3},
	"tasks.span":                 {"spans given", 3},
	"tasks.none":                 {"nothing given", 3},
	"embeddings.cosine":          {"cosine of two", 3},
	"embeddings.nearest":         {"of the nearest two", 3},
	"embeddings.kept":            {"with its beginning", 3},
	"collapse.norm0":             {"norm at the start", 3},
	"collapse.norm":              {"norm", 3},
	"collapse.distance0":         {"distance at the start", 3},
	"collapse.distance50":        {"after 50 steps", 3},
	"collapse.distance":          {"at the end", 3},
	"collapse.ce":                {"training CE", 3},
	"network.judge":              {"network's judgement", 2},
	"size.parameters":            {"parameters", 0},
	"size.tokens":                {"tokens", 0},
	"size.teraflops":             {"TFLOP of training", 1},
	"infilling.short":            {"4 characters: exact", 3},
	"infilling.short_characters": {"right characters", 3},
	"infilling.long":             {"12 characters: exact", 3},
	"infilling.long_characters":  {"right characters", 3},
	"break-even.text_ms":         {"a text, AR with cache, ms", 1},
	"break-even.call_ms":         {"a call for all positions, ms", 2},
	"break-even.calls":           {"calls that take as long", 0},
	"break-even.share":           {"as a share of the length", 2},
	"samples.judge":              {"judge, nats a character", 2},
	"samples.entropy":            {"entropy of characters", 2},
	"samples.words":              {"words", 3},
	"samples.long_words":         {"of 4 and more letters", 3},
}

// row is a variant with its trials, one a seed.
type row struct {
	name, group string
	trials      []Trial
}

// rows gathers the trials of a variant, in the order of the file.
func rows(trials []Trial) []row {
	var out []row
	at := map[string]int{}
	for _, t := range trials {
		i, ok := at[t.Variant]
		if !ok {
			i = len(out)
			at[t.Variant] = i
			out = append(out, row{name: t.Variant, group: t.Group})
		}
		out[i].trials = append(out[i].trials, t)
	}
	return out
}

// estimate averages a figure over the seeds that it was taken of.
func (l *ledger) estimate(r row, key string) estimate {
	var v []float64
	for _, t := range r.trials {
		if x, ok := l.value(t, key); ok {
			v = append(v, x)
		}
	}
	return newEstimate(v)
}

// difference averages r - base over the seeds that both were measured with.
func (l *ledger) difference(r, base row, key string) estimate {
	var v []float64
	for i, t := range r.trials {
		x, ok := l.value(t, key)
		y, also := l.value(base.trials[i], key)
		if ok && also {
			v = append(v, x-y)
		}
	}
	return newEstimate(v)
}

func (l *ledger) value(t Trial, key string) (float64, bool) {
	measure, value, _ := strings.Cut(key, ".")
	return l.figure(t, measure, value)
}

// check reports what a table asks for and cannot have.
func (t table) check(all []row) error {
	for _, key := range append(t.Columns, t.Differences...) {
		if figures[key].heading == "" {
			return fmt.Errorf("a table asks for the unknown figure %q", key)
		}
	}
	if t.Against != "" && find(all, t.Against) == nil {
		return fmt.Errorf("a table compares with %q, which is no variant", t.Against)
	}
	return nil
}

func find(all []row, name string) *row {
	for i := range all {
		if all[i].name == name {
			return &all[i]
		}
	}
	return nil
}

// markdown writes the table.
func (t table) markdown(l *ledger, all []row) string {
	var b strings.Builder
	head, rule := "| |", "|---|"
	for _, key := range t.Columns {
		head += " " + figures[key].heading + " |"
		rule += "---|"
	}
	for _, key := range t.Differences {
		short, _, _ := strings.Cut(figures[key].heading, ",")
		head += " Δ " + short + " |"
		rule += "---|"
	}
	b.WriteString(head + "\n" + rule + "\n")
	base := find(all, t.Against)
	for _, r := range all {
		fmt.Fprintf(&b, "| %s |", r.name)
		for _, key := range t.Columns {
			fmt.Fprintf(&b, " %s |", l.estimate(r, key).format(figures[key].digits, false))
		}
		for _, key := range t.Differences {
			if r.name == base.name {
				b.WriteString(" |")
				continue
			}
			fmt.Fprintf(&b, " %s |", l.difference(r, *base, key).format(figures[key].digits, true))
		}
		b.WriteByte('\n')
	}
	return b.String()
}
