package inspect

import (
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// decodeSample takes the line but for its text and its frames, which are the most
// of it.
func decodeSample(line []byte) (int, trainer.SampleLine, error) {
	var s struct {
		Step        int     `json:"step"`
		Seed        uint64  `json:"seed"`
		Steps       int     `json:"steps"`
		Temperature float64 `json:"temperature"`
	}
	err := unmarshal(line, &s)
	return s.Step, trainer.SampleLine{Step: s.Step, Seed: s.Seed, Steps: s.Steps, Temperature: s.Temperature}, err
}

// Samples lists the texts that the run wrote, without the texts.
func (r *Run) Samples() []trainer.SampleLine {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []trainer.SampleLine
	for _, e := range r.samples.all() {
		all = append(all, e.kept)
	}
	return all
}

// Sample reads the text of a step of [Run.Samples].
func (r *Run) Sample(step int) (trainer.SampleLine, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var s trainer.SampleLine
	line, err := lineOf(&r.samples, r.root, step)
	if err != nil {
		return s, err
	}
	return s, unmarshal(line, &s)
}
