package main

import (
	"fmt"
	"os"

	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/internal/generate"
)

// display shows on standard error how the texts come along.
type display interface {
	see(m generate.Moment)
	clear() // makes room on the terminal
}

func newDisplay(j *job) display {
	of := j.n * j.candidates
	if j.watch {
		return newView(os.Stderr, j.model.Tokenizer, of)
	}
	of *= len(j.search.Layouts)
	return &progress{bar: cli.NewBar(os.Stderr, "sample", int64(of*j.writer.Sampler.Calls()), "network calls")}
}

// progress is a bar over all network calls of the sampler.
type progress struct {
	bar  *cli.Bar
	done int // of the batches before
}

func (p *progress) see(m generate.Moment) {
	done := p.done + m.Texts*m.Calls
	p.bar.Set(int64(done), fmt.Sprintf("%d at a time, noise %.3g", m.Texts, m.T))
	if m.Step == m.Steps {
		p.done = done
	}
}

func (p *progress) clear() { p.bar.Clear() }
