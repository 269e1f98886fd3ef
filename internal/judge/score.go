package judge

import (
	"fmt"
	"index/suffixarray"
	"unicode/utf8"
)

// Skipped is the number of characters at the start of a sample that are not
// scored: those for which the judge has no full context.
const Skipped = MaxOrder - 1

// longWord is the length from which a word is long. Short ones are easily hit
// by chance, and text that has collapsed to a letter has few others.
const longWord = 4

// Judge scores samples against a training text.
type Judge struct {
	model *Model
	words Words
	index *suffixarray.Index
}

// New makes the judge of a training text: a Kneser-Ney 5-gram model, the list
// of words, and an index of the text itself.
func New(train string) (*Judge, error) {
	m, err := Train(train, MaxOrder)
	if err != nil {
		return nil, err
	}
	return &Judge{model: m, words: NewWords(train), index: suffixarray.New([]byte(train))}, nil
}

// Score is what the judge says about a set of samples, with standard errors
// over samples. What has nothing to be counted in is 0 ± 0.
type Score struct {
	Samples    int      `json:"samples"`
	Characters int      `json:"characters"`
	NLL        Estimate `json:"nll"`         // nats a character, first [Skipped] of each sample left out
	Entropy    Estimate `json:"entropy"`     // of the characters of all samples together, nats
	Words      int      `json:"words"`       // whole words
	LongWords  int      `json:"long_words"`  // whole words of at least 4 characters
	Known      Estimate `json:"word_share"`  // share of whole words that the training text has
	KnownLong  Estimate `json:"word4_share"` // share of the long ones

	Distinct [MaxDistinct]Estimate `json:"distinct"` // see [Distinct], n = 1 to 4
	Repeated Estimate              `json:"repeated"` // see [Repeated], [RepeatLength]
	Copied   Estimate              `json:"copied"`   // see [Copied], [CopyLength]
}

// Score judges samples.
func (j *Judge) Score(samples []string) (Score, error) {
	s := Score{Samples: len(samples), Characters: characters(samples)}
	nll, known, long := make([]Part, len(samples)), make([]Part, len(samples)), make([]Part, len(samples))
	chars := make([][]rune, len(samples))
	scored := 0
	for i, text := range samples {
		nats, n := j.model.Surprise(text, Skipped)
		nll[i] = Part{nats, float64(n)}
		scored += n
		chars[i] = []rune(text)
		for _, w := range wholeWords(text) {
			is := 0.
			if j.words[w] {
				is = 1
			}
			known[i].Sum += is
			known[i].Base++
			s.Words++
			if utf8.RuneCountInString(w) >= longWord {
				long[i].Sum += is
				long[i].Base++
				s.LongWords++
			}
		}
	}
	if scored == 0 {
		return s, fmt.Errorf("score samples: none of %d samples is longer than %d characters", len(samples), Skipped)
	}
	s.NLL, s.Entropy, s.Known, s.KnownLong = Ratio(nll), entropy(chars), Ratio(known), Ratio(long)
	for n := range s.Distinct {
		s.Distinct[n] = Distinct(samples, n+1)
	}
	s.Repeated, s.Copied = Repeated(samples, RepeatLength), Copied(samples, CopyLength, j.index)
	return s, nil
}
