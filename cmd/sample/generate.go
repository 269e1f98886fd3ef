package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/tokenize"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// batchTokens bounds the positions that go through the network at once.
const batchTokens = 2048

// sample is one text as JSON.
type sample struct {
	Text        string  `json:"text"`
	Seed        uint64  `json:"seed"`
	Index       int     `json:"index"`
	Sampler     string  `json:"sampler"`
	Steps       int     `json:"steps"`
	Temperature float64 `json:"temperature"`
	Guidance    float64 `json:"guidance"`
	Tokens      []token `json:"tokens"`
}

type token struct {
	ID         int32   `json:"id"`
	Text       string  `json:"text"`
	Given      bool    `json:"given"`
	Confidence float32 `json:"confidence"` // the network's probability of this token
}

// generate writes n samples, a batch at a time.
func generate(ctx context.Context, w io.Writer, model *trainer.Trained, o options) error {
	if o.n < 1 {
		return cli.Usagef("--n %d: ask for at least one sample", o.n)
	}
	length := o.length
	if length == 0 {
		length = model.Config.Data.Length
	}
	if length < 1 || length > 1<<16 {
		return cli.Usagef("--length %d: want 1 to 65536", length)
	}
	c, err := newCanvas(model.Tokenizer, o, length)
	if err != nil {
		return err
	}
	s := o.sampler
	s.Schedule, s.SelfCondition = model.Warp, model.Config.Process.SelfConditioning > 0
	if err := s.Validate(); err != nil {
		return cli.Exit(cli.ExitUsage, err)
	}

	l := len(c.ids)
	batch := min(o.n, max(1, batchTokens/l))
	process := model.Model.Process(model.Config, model.Warp, batch, l)
	for first := 0; first < o.n; first += batch {
		b := min(batch, o.n-first)
		ids, prob := make([]int32, b*l), make([]float32, b*l)
		st := c.state(model, b, ids)
		s.First = uint64(first)
		if err := s.Run(ctx, process, st, ids, prob, nil); err != nil {
			return err
		}
		for i := range b {
			if err := write(w, model.Tokenizer, c, s, first+i, ids[i*l:(i+1)*l], prob[i*l:(i+1)*l], o.json); err != nil {
				return err
			}
		}
	}
	return nil
}

// state puts the canvas before the sampler, b times.
func (c *canvas) state(model *trainer.Trained, b int, ids []int32) *diffusion.State {
	l, d := len(c.ids), model.Model.Table.D
	st := diffusion.NewState(b, l, d)
	for i := range b {
		copy(ids[i*l:], c.ids)
		model.Model.Table.Lookup(st.C[i*l*d:(i+1)*l*d], c.ids)
		for j, noisy := range c.noisy {
			if r := i*l + j; noisy {
				clear(st.C[r*d : (r+1)*d])
			} else {
				st.M[r] = 0
			}
		}
	}
	return st
}

func write(w io.Writer, tok *tokenize.Tokenizer, c canvas, s diffusion.Sampler, index int, ids []int32, prob []float32, asJSON bool) error {
	text := trainer.Text(tok, ids)
	if !asJSON {
		if index > 0 {
			fmt.Fprintln(w, strings.Repeat("-", 40))
		}
		_, err := fmt.Fprintln(w, printable(w, text))
		return err
	}
	out := sample{
		Text: text, Seed: s.Seed, Index: index, Sampler: s.Method, Steps: s.Steps,
		Temperature: s.Temperature, Guidance: s.Guidance, Tokens: make([]token, len(ids)),
	}
	for i, id := range ids {
		out.Tokens[i] = token{ID: id, Text: tok.Token(id), Given: !c.noisy[i], Confidence: prob[i]}
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
