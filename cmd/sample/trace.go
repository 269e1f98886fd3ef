package main

import (
	"encoding/json"
	"io"

	"github.com/seed-4c77ef92/textwarp/internal/generate"
	"github.com/seed-4c77ef92/textwarp/tokenize"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// trace writes what the network thinks of each text after each step. A nil
// trace writes nothing.
type trace struct {
	w          io.Writer
	tok        *tokenize.Tokenizer
	candidates int   // of a text in each layout
	err        error // the first
}

// traced is one text after one step as JSON.
type traced struct {
	Index     int     `json:"index"`
	Candidate int     `json:"candidate"`
	Step      int     `json:"step"`
	T         float64 `json:"t"`     // noise level
	U         float64 `json:"u"`     // its place on the clock
	Calls     int     `json:"calls"` // so far, for this candidate
	Text      string  `json:"text"`
	Tokens    []token `json:"tokens"`
}

func (r *trace) see(m generate.Moment) {
	if r == nil || r.err != nil {
		return
	}
	ids, prob := m.Tokens()
	l := len(m.Canvas.IDs)
	out := json.NewEncoder(r.w)
	for i := range m.Texts {
		ids, prob := ids[i*l:(i+1)*l], prob[i*l:(i+1)*l]
		r.err = out.Encode(traced{
			Index: (m.First + i) / r.candidates, Candidate: m.Canvas.Layout*r.candidates + (m.First+i)%r.candidates, Step: m.Step, T: m.T, U: m.U, Calls: m.Calls,
			Text: trainer.Text(r.tok, ids), Tokens: tokens(r.tok, m.Canvas, ids, prob),
		})
		if r.err != nil {
			return
		}
	}
}

// failed returns what kept the trace from being written.
func (r *trace) failed() error {
	if r == nil {
		return nil
	}
	return r.err
}
