package inspect

import (
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// States of a run.
const (
	Training = "training" // a process is writing to it
	Stopped  = "stopped"
	Finished = "finished"
)

// Summary says what a run is and how far it has come.
type Summary struct {
	Objective  string
	State      string
	Step       int
	Steps      int // planned; 0 if not known
	Tokens     int
	Length     int
	Vocab      int // of the tokenizer
	Dim        int
	Parameters int
	Tokenizer  string
	Problem    string
}

// Summary describes the run as of the last Update.
func (r *Run) Summary() Summary {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := Summary{Objective: trainer.CDCD, State: Stopped, Step: r.step, Tokens: r.tokens, Problem: r.problemLine()}
	if r.predicts() {
		s.Objective = trainer.AR
	}
	if t := r.tokenizer; t != nil {
		s.Vocab, s.Tokenizer = t.VocabSize(), t.Kind()
	}
	if c := r.config; c != nil {
		s.Steps, s.Length, s.Dim = c.Run.Steps, c.Data.Length, c.Model.EmbedDim
		if d := c.Denoiser(s.Vocab); s.Vocab > 0 && d.Validate() == nil {
			s.Parameters = d.Vocab*d.EmbedDim + d.NumParams()
		}
	}
	switch {
	case safeio.Writing(r.dir):
		s.State = Training
	case s.Steps > 0 && s.Step >= s.Steps:
		s.State = Finished
	}
	return s
}
