package judge

import (
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// Skipped is the number of characters at the start of a sample that are not
// scored: those for which the judge has no full context.
const Skipped = MaxOrder - 1

// Judge scores samples against a training text.
type Judge struct {
	model *Model
	words Words
}

// New makes the judge of a training text: a Kneser-Ney 5-gram model and the
// list of words.
func New(train string) (*Judge, error) {
	m, err := Train(train, MaxOrder)
	if err != nil {
		return nil, err
	}
	return &Judge{model: m, words: NewWords(train)}, nil
}

// Score is what the judge says about a set of samples. Shares whose base is
// empty are 0.
type Score struct {
	Samples    int     `json:"samples"`
	Characters int     `json:"characters"`
	NLL        float64 `json:"nll"`          // nats a character, first [Skipped] of each sample left out
	Entropy    float64 `json:"entropy"`      // of the characters of all samples together, nats
	Words      int     `json:"words"`        // whole words
	Known      float64 `json:"word_share"`   // share of whole words that the training text has
	LongWords  int     `json:"long_words"`   // whole words of at least 4 characters
	KnownLong  float64 `json:"word4_share"`  // share of those that the training text has
	KnownErr   float64 `json:"word_stderr"`  // binomial standard error of Known
	LongErr    float64 `json:"word4_stderr"` // and of KnownLong
}

// Score judges samples.
func (j *Judge) Score(samples []string) (Score, error) {
	s := Score{Samples: len(samples), Characters: characters(samples)}
	var nats float64
	var scored int
	for _, text := range samples {
		d, n := j.model.Surprise(text, Skipped)
		nats, scored = nats+d, scored+n
	}
	if scored == 0 {
		return s, fmt.Errorf("score samples: none of %d samples is longer than %d characters", len(samples), Skipped)
	}
	s.NLL = nats / float64(scored)
	s.Entropy = entropy(samples)
	var known, knownLong float64
	for _, text := range samples {
		for _, w := range wholeWords(text) {
			s.Words++
			long := utf8.RuneCountInString(w) >= 4
			if long {
				s.LongWords++
			}
			if j.words[w] {
				known++
				if long {
					knownLong++
				}
			}
		}
	}
	s.Known, s.KnownErr = share(known, s.Words)
	s.KnownLong, s.LongErr = share(knownLong, s.LongWords)
	return s, nil
}

// share is k/n with its binomial standard error.
func share(k float64, n int) (p, stderr float64) {
	if n == 0 {
		return 0, 0
	}
	p = k / float64(n)
	return p, math.Sqrt(p * (1 - p) / float64(n))
}

// entropy is that of the characters of all samples together, in nats.
func entropy(samples []string) float64 {
	counts := map[rune]float64{}
	total := 0.0
	for _, text := range samples {
		for _, r := range text {
			counts[r]++
			total++
		}
	}
	ordered := make([]float64, 0, len(counts))
	for _, c := range counts {
		ordered = append(ordered, c)
	}
	slices.Sort(ordered) // a fixed order of summation
	h := 0.0
	for _, c := range ordered {
		h -= c / total * math.Log(c/total)
	}
	return h
}
