package main

import (
	"fmt"
	"os"

	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/internal/generate"
	"github.com/seed-4c77ef92/textwarp/tokenize"
)

// display shows on standard error how the texts come along.
type display interface {
	see(m generate.Moment)
	clear() // makes room on the terminal
}

func newDisplay(tok *tokenize.Tokenizer, o options) display {
	if o.watch {
		return newView(os.Stderr, tok, o.n)
	}
	return progress{cli.NewBar(os.Stderr, "sample", int64(o.n*o.sampler.Calls()), "network calls"), o}
}

// progress is a bar over all network calls.
type progress struct {
	bar *cli.Bar
	o   options
}

func (p progress) see(m generate.Moment) {
	done := m.First*p.o.sampler.Calls() + m.Texts*m.Calls
	p.bar.Set(int64(done), fmt.Sprintf("%d of %d texts at t %.3g", m.Texts, p.o.n, m.T))
}

func (p progress) clear() { p.bar.Clear() }
