package page

import (
	"fmt"
	"math"
	"net/http"
	"strings"

	"github.com/seed-4c77ef92/textwarp/tokenize"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

type samplesAnswer struct {
	Steps       []int   `json:"steps"`
	Seed        uint64  `json:"seed"`
	Temperature float64 `json:"temperature"`
}

// frame is a text at one moment on its way from noise: all of its tokens, the
// probability that the network gave each, and which were given to it.
type frame struct {
	Step   int      `json:"step"`
	Steps  int      `json:"steps"`
	T      *float64 `json:"t"`
	U      *float64 `json:"u"`
	Tokens []string `json:"tokens"`
	P      column   `json:"p"`
	Given  []bool   `json:"given"`
}

type sampleAnswer struct {
	Step   int     `json:"step"`
	Text   string  `json:"text"`
	Frames []frame `json:"frames"`
}

func (s *Server) getSamples(r *http.Request) (samplesAnswer, error) {
	a := samplesAnswer{Steps: []int{}}
	run, err := s.run(r)
	if err != nil {
		return a, err
	}
	for _, l := range run.Samples() {
		a.Steps = append(a.Steps, l.Step)
		a.Seed, a.Temperature = l.Seed, l.Temperature
	}
	return a, nil
}

func (s *Server) getSample(r *http.Request) (sampleAnswer, error) {
	run, err := s.run(r)
	if err != nil {
		return sampleAnswer{}, err
	}
	step, err := inPath(r, "step")
	if err != nil {
		return sampleAnswer{}, err
	}
	l, err := run.Sample(step)
	if err != nil {
		return sampleAnswer{}, err
	}
	a := sampleAnswer{Step: l.Step, Text: l.Text, Frames: []frame{}}
	tok, err := run.Tokenizer()
	if err != nil { // nothing to take the text apart with
		a.Frames = append(a.Frames, frame{Step: l.Steps, Steps: l.Steps, Tokens: []string{l.Text}})
		return a, nil
	}
	for _, f := range l.Frames {
		a.Frames = append(a.Frames, recordedFrame(tok, f, l.Steps))
	}
	if len(a.Frames) == 0 { // a run of an older version
		a.Frames = append(a.Frames, frame{Step: l.Steps, Steps: l.Steps, Tokens: pieces(tok, tok.Encode(nil, l.Text))})
	}
	return a, nil
}

func recordedFrame(tok *tokenize.Tokenizer, f trainer.Frame, steps int) frame {
	a := frame{Step: f.Step, Steps: steps, Tokens: pieces(tok, f.IDs), P: f.P}
	if f.T > 0 { // a text written from left to right knows no noise
		a.T, a.U = finite(f.T), finite(f.U)
	}
	return a
}

func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// pieces are what each token adds to the text, a blank line at the end of a
// document.
func pieces(tok *tokenize.Tokenizer, ids []int32) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		switch {
		case id == tok.EOS():
			out[i] = "\n\n"
		case i == 0 || ids[i-1] == tok.EOS():
			out[i] = string(tok.Decode(nil, ids[i:i+1]))
		default:
			// Some tokenizers put spaces between tokens, or take them off the first one.
			before := string(tok.Decode(nil, ids[i-1:i]))
			piece, ok := strings.CutPrefix(string(tok.Decode(nil, ids[i-1:i+1])), before)
			if !ok {
				piece = string(tok.Decode(nil, ids[i:i+1]))
			}
			out[i] = piece
		}
	}
	return out
}

// asked is what a request for a text may say.
type asked struct {
	Text        string  `json:"text"`
	Mode        string  `json:"mode"`
	Length      int     `json:"length"`
	Steps       int     `json:"steps"`
	Temperature float64 `json:"temperature"`
	Guidance    float64 `json:"guidance"`
	Seed        uint64  `json:"seed"`
}

// Bounds of what is written for one request.
const (
	mostAsked  = 64 << 10 // bytes of the request
	mostTokens = 2048
	mostSteps  = 1000
	mostFrames = 100
)

func (a *asked) check(length int) error {
	if a.Length == 0 {
		a.Length = length
	}
	switch {
	case a.Length < 1 || a.Length > mostTokens:
		return fmt.Errorf("length is from 1 to %d tokens, not %d: %w", mostTokens, a.Length, errBad)
	case a.Steps < 1 || a.Steps > mostSteps:
		return fmt.Errorf("steps are from 1 to %d, not %d: %w", mostSteps, a.Steps, errBad)
	}
	return nil
}
