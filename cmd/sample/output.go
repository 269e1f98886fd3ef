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
	Calls       int     `json:"calls"`           // of the network, for this text and its candidates
	Holes       []int   `json:"holes,omitempty"` // tokens that were written into each
	Choice      *choice `json:"choice,omitempty"`
	Asked       []asked `json:"asked,omitempty"`
	Tokens      []token `json:"tokens"`
}

// choice says which candidate the text is.
type choice struct {
	Candidate int     `json:"candidate"`
	Of        int     `json:"of"`
	Rank      string  `json:"rank"`
	Score     float64 `json:"score"` // higher is better
}

// asked is a constraint and whether the text keeps to it.
type asked struct {
	generate.Constraint
	Met bool `json:"met"`
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

// put puts one sample out.
func (j *job) put(w io.Writer, c generate.Choice) error {
	var verdicts []asked
	for _, k := range j.wanted.List() {
		met := k.Met(c.Text.Text)
		if !met {
			j.unmet[k]++
		}
		verdicts = append(verdicts, asked{k, met})
	}
	if !j.json {
		return show(w, c.Index, c.Text.Text)
	}
	s := j.writer.Sampler
	out := sample{
		Text: c.Text.Text, Seed: s.Seed, Index: c.Index, Sampler: s.Method, Steps: s.Steps,
		Temperature: s.Temperature, Guidance: s.Guidance, Calls: c.Calls, Holes: c.Canvas.Holes,
		Choice: j.choice(c), Asked: verdicts, Tokens: tokens(j.model.Tokenizer, c.Canvas, c.IDs, c.Prob),
	}
	return json.NewEncoder(w).Encode(out)
}

// choice tells of a choice, if there was one.
func (o options) choice(c generate.Choice) *choice {
	if c.Of == 1 {
		return nil
	}
	return &choice{Candidate: c.Candidate, Of: c.Of, Rank: o.rank, Score: c.Score}
}

// show writes a text below the one before.
func show(w io.Writer, index int, text string) error {
	if index > 0 {
		fmt.Fprintln(w, strings.Repeat("-", 40))
	}
	_, err := fmt.Fprintln(w, printable(w, text))
	return err
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
