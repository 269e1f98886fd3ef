package autoregressive

import (
	"context"
	"fmt"
	"math"

	"github.com/seed-4c77ef92/textwarp/embeddings"
	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

// Decoder is the network a position at a time. *denoiser.Decoder is one.
type Decoder interface {
	// Begin forgets all sequences and begins one for each noise level.
	Begin(t []float64)
	// Step takes the features [b, 3D+1] of every sequence's next position and
	// returns its logits [b, V], which stay until the next call.
	Step(features []float32) []float32
}

// Writer is a trained model that writes.
type Writer struct {
	Table   *embeddings.Table
	Decoder Decoder
	FIM     bool // the last NumSentinels rows of the table are those of FIM
}

// text is the number of tokens that text consists of.
func (w Writer) text() int {
	if w.FIM {
		return w.Table.V - NumSentinels
	}
	return w.Table.V
}

// Sequence is one text: what is given of it, and what a sampler has written.
type Sequence struct {
	Given []int32 // tokens that are read first; may be empty
	Most  int     // tokens that are written at most
	Hole  bool    // End of FIM ends the text before that

	IDs   []int32   // what was written
	Prob  []float32 // the network's probability of each, at temperature 1
	Ended bool      // End was drawn; it is not among IDs
}

// Positions is the length up to which a decoder has to go for some sequences.
func Positions(sequences []Sequence) (n int) {
	for _, s := range sequences {
		n = max(n, len(s.Given)+s.Most)
	}
	return n
}

// Sampler draws one token after the other.
type Sampler struct {
	Temperature float64 // divides the logits; 1 is as trained, 0 takes the most probable token
	TopP        float64 // draws from the fewest tokens that have this share of the probability; 1 is all
	Seed        uint64
	First       uint64 // number of the first sequence among all that are drawn
}

// Validate tells what is wrong with the options.
func (s Sampler) Validate() error {
	switch {
	case !(s.Temperature >= 0) || math.IsInf(s.Temperature, 0):
		return fmt.Errorf("sample: temperature %v is negative or not finite", s.Temperature)
	case !(s.TopP > 0 && s.TopP <= 1):
		return fmt.Errorf("sample: top-p %v is not above 0 and up to 1", s.TopP)
	}
	return nil
}

// Run writes every sequence to its end. observe, if not nil, sees each token as
// it is written.
//
// The random numbers of a sequence come from streams named by (Seed, First + its
// place, number of the token), so a batch and its sequences alone give the same
// text. It stops at the next token when the context ends.
func (s Sampler) Run(ctx context.Context, w Writer, sequences []Sequence, observe func(sequence int, id int32, prob float32)) error {
	if err := s.Validate(); err != nil {
		return err
	}
	for i := range sequences {
		q := &sequences[i]
		if q.Most < 1 {
			return fmt.Errorf("sample: sequence %d has no room for a token", i)
		}
		if q.Hole && !w.FIM {
			return fmt.Errorf("sample: sequence %d has a hole, which the model has not learned to fill", i)
		}
		q.IDs, q.Prob, q.Ended = make([]int32, 0, q.Most), make([]float32, 0, q.Most), false
	}
	r := newRun(s, w, len(sequences))
	for at := 0; ; at++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !r.read(sequences, at) {
			return nil
		}
		logits := w.Decoder.Step(r.features)
		for i := range sequences {
			q := &sequences[i]
			if q.done() || at < len(q.Given) {
				continue
			}
			id, prob := r.draw(logits[i*w.Table.V:(i+1)*w.Table.V], i, q)
			if q.Ended {
				continue
			}
			q.IDs, q.Prob = append(q.IDs, id), append(q.Prob, prob)
			if observe != nil {
				observe(i, id, prob)
			}
		}
	}
}

func (q *Sequence) done() bool { return q.Ended || len(q.IDs) == q.Most }

// token is the i-th of the whole text.
func (q *Sequence) token(i int) int32 {
	if i < len(q.Given) {
		return q.Given[i]
	}
	return q.IDs[i-len(q.Given)]
}

// run is the memory of one Run.
type run struct {
	Sampler
	Writer
	features []float32 // [b, 3D+1]
	nucleus  nucleus
}

func newRun(s Sampler, w Writer, b int) *run {
	levels := make([]float64, b)
	for i := range levels {
		levels[i] = level
	}
	w.Decoder.Begin(levels)
	return &run{
		Sampler: s, Writer: w, features: make([]float32, b*(3*w.Table.D+1)),
		nucleus: newNucleus(w.Table.V),
	}
}

// read puts the token before position at into every sequence's features and
// tells whether any is left to be written. What a finished one reads does not
// matter.
func (r *run) read(sequences []Sequence, at int) (any bool) {
	size := 3*r.Table.D + 1
	for i := range sequences {
		q, row := &sequences[i], r.features[i*size:(i+1)*size]
		if q.done() {
			continue
		}
		any = true
		if at == 0 {
			see(row, nil)
		} else {
			see(row, r.Table.Row(q.token(at-1)))
		}
	}
	return any
}

// draw chooses the next token of a sequence among those of text and, in a hole,
// the one that ends it.
func (r *run) draw(logits []float32, i int, q *Sequence) (id int32, prob float32) {
	text := r.text()
	if q.Hole {
		end := NewFIM(text).End
		logits[text] = logits[end] // beside the text's
		text++
	}
	s := rng.New(r.Seed, "token", r.First+uint64(i), uint64(len(q.IDs)))
	id, p := r.nucleus.draw(logits[:text], r.Temperature, r.TopP, s.Float64())
	q.Ended = int(id) == r.text()
	return id, float32(p)
}
