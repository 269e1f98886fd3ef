package judge

import (
	"fmt"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

// Rung is one line of the ladder: a source of text, how well it predicts
// held-out text, and how its own text is judged.
type Rung struct {
	Name    string  `json:"source"`
	HeldOut float64 `json:"held_out,omitempty"` // nats a character; 0 where the source is no model
	Score   Score   `json:"score"`
}

// Sizes of the samples that a ladder is made of.
const (
	ladderSamples = 400
	ladderLength  = 128
)

// Ladder makes the rungs from unigram to 5-gram, and real text last. The
// held-out figures are those of Kneser-Ney models; the samples, 400 of 128
// characters, are written by maximum-likelihood generators of the same order,
// or cut out of the held-out text.
func Ladder(train, heldOut string, seed uint64) ([]Rung, *Judge, error) {
	j, err := New(train)
	if err != nil {
		return nil, nil, err
	}
	var rungs []Rung
	for order, name := range []string{"unigram", "bigram", "trigram", "4-gram", "5-gram"} {
		m := j.model
		if order+1 < MaxOrder {
			if m, err = Train(train, order+1); err != nil {
				return nil, nil, err
			}
		}
		g, err := NewGenerator(train, order+1)
		if err != nil {
			return nil, nil, err
		}
		samples := make([]string, ladderSamples)
		for i := range samples {
			s := rng.New(seed, "judge.ladder", uint64(order), uint64(i))
			samples[i] = g.Sample(&s, ladderLength)
		}
		score, err := j.Score(samples)
		if err != nil {
			return nil, nil, err
		}
		rungs = append(rungs, Rung{Name: name, HeldOut: m.CrossEntropy(heldOut), Score: score})
	}
	real, err := pieces(heldOut, ladderLength, ladderSamples)
	if err != nil {
		return nil, nil, err
	}
	score, err := j.Score(real)
	if err != nil {
		return nil, nil, err
	}
	return append(rungs, Rung{Name: "real held-out text", Score: score}), j, nil
}

// pieces cuts up to count pieces of equal length out of text, evenly spread.
func pieces(text string, length, count int) ([]string, error) {
	chars := []rune(text)
	count = min(count, len(chars)/length)
	if count == 0 {
		return nil, fmt.Errorf("cut held-out text: %d characters are fewer than %d", len(chars), length)
	}
	out := make([]string, count)
	for i := range out {
		at := 0
		if count > 1 {
			at = i * (len(chars) - length) / (count - 1)
		}
		out[i] = string(chars[at : at+length])
	}
	return out, nil
}
