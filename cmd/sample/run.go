package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/internal/generate"
	"github.com/seed-4c77ef92/textwarp/tokenize"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// sample is one text as JSON.
type sample struct {
	Text        string  `json:"text"`
	Seed        uint64  `json:"seed"`
	Index       int     `json:"index"`
	Sampler     string  `json:"sampler"`
	Steps       int     `json:"steps"`
	Temperature float64 `json:"temperature"`
	Guidance    float64 `json:"guidance"`
	Calls       int     `json:"calls"` // of the network, for this text
	Tokens      []token `json:"tokens"`
}

type token struct {
	ID         int32   `json:"id"`
	Text       string  `json:"text"`
	Given      bool    `json:"given"`
	Confidence float32 `json:"confidence"` // the network's probability of this token
}

// run writes n samples.
func run(ctx context.Context, w io.Writer, model *trainer.Trained, o options) error {
	if o.n < 1 {
		return cli.Usagef("--n %d: ask for at least one sample", o.n)
	}
	c, err := canvas(model, o)
	if err != nil {
		return cli.Exit(cli.ExitUsage, err)
	}
	writer, err := generate.NewDiffusion(model, o.sampler)
	if err != nil {
		return cli.Exit(cli.ExitUsage, err)
	}
	index := 0
	return writer.Write(ctx, c, 0, o.n, func(t generate.Text) error {
		index++
		return write(w, model.Tokenizer, t, o, index-1)
	})
}

// canvas lays out the prompt, the text with holes, or nothing at all.
func canvas(model *trainer.Trained, o options) (generate.Canvas, error) {
	if o.infill != "" {
		return generate.Infill(model.Tokenizer, o.infill)
	}
	length := o.length
	if length == 0 {
		length = model.Config.Data.Length
	}
	return generate.Prompt(model.Tokenizer, o.prompt, length)
}

func write(w io.Writer, tok *tokenize.Tokenizer, t generate.Text, o options, index int) error {
	if !o.json {
		if index > 0 {
			fmt.Fprintln(w, strings.Repeat("-", 40))
		}
		_, err := fmt.Fprintln(w, printable(w, t.Text))
		return err
	}
	s := o.sampler
	out := sample{
		Text: t.Text, Seed: s.Seed, Index: index, Sampler: s.Method, Steps: s.Steps,
		Temperature: s.Temperature, Guidance: s.Guidance, Calls: t.Calls, Tokens: make([]token, len(t.IDs)),
	}
	for i, id := range t.IDs {
		out.Tokens[i] = token{ID: id, Text: tok.Token(id), Given: !t.Noisy[i], Confidence: t.Prob[i]}
	}
	return json.NewEncoder(w).Encode(out)
}

// printable escapes what would act on a terminal; into a file or a pipe the
// text goes as it is.
func printable(w io.Writer, text string) string {
	if f, ok := w.(*os.File); !ok || !cli.IsTerminal(f) {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = cli.Printable(line)
	}
	return strings.Join(lines, "\n")
}
