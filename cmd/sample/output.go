package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/internal/generate"
	"github.com/seed-4c77ef92/textwarp/tokenize"
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

// tokens are those of a text on the canvas c.
func tokens(tok *tokenize.Tokenizer, c generate.Canvas, ids []int32, prob []float32) []token {
	out := make([]token, len(ids))
	for i, id := range ids {
		out[i] = token{ID: id, Text: tok.Token(id), Given: !c.Noisy[i], Confidence: prob[i]}
	}
	return out
}

// write puts one sample out.
func write(w io.Writer, tok *tokenize.Tokenizer, t generate.Text, o options, index int) error {
	if !o.json {
		if index > 0 {
			fmt.Fprintln(w, strings.Repeat("-", 40))
		}
		_, err := fmt.Fprintln(w, printable(w, t.Text))
		return err
	}
	s := o.sampler
	return json.NewEncoder(w).Encode(sample{
		Text: t.Text, Seed: s.Seed, Index: index, Sampler: s.Method, Steps: s.Steps,
		Temperature: s.Temperature, Guidance: s.Guidance, Calls: t.Calls, Tokens: tokens(tok, t.Canvas, t.IDs, t.Prob),
	})
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
