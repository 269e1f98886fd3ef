package main

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/tokenize"
)

// canvas is what is known of a text before it is written: the tokens that are
// given, and noisy positions between them.
type canvas struct {
	ids   []int32
	noisy []bool
}

// hole matches [MASK:n].
var hole = regexp.MustCompile(`\[MASK:(\d+)\]`)

// newCanvas lays out the prompt, the text with holes, or nothing at all, over
// length tokens; a text with holes sets its own length.
func newCanvas(tok *tokenize.Tokenizer, o options, length int) (canvas, error) {
	var c canvas
	if o.infill != "" {
		return infill(tok, o.infill)
	}
	c.give(tok, o.prompt)
	if err := c.known(tok); err != nil {
		return c, err
	}
	if room := length - len(c.ids); room < 1 {
		return c, cli.Usagef("the prompt has %d tokens, which leaves none of %d to write: shorten it or raise --length", len(c.ids), length)
	} else {
		c.leave(room)
	}
	return c, nil
}

func infill(tok *tokenize.Tokenizer, text string) (canvas, error) {
	var c canvas
	end := 0
	for _, at := range hole.FindAllStringSubmatchIndex(text, -1) {
		c.give(tok, text[end:at[0]])
		n, err := strconv.Atoi(text[at[2]:at[3]])
		if err != nil || n < 1 || n > 1<<16 {
			return c, cli.Usagef("hole %s: want [MASK:n] with n from 1 to 65536", text[at[0]:at[1]])
		}
		c.leave(n)
		end = at[1]
	}
	c.give(tok, text[end:])
	if !slices.Contains(c.noisy, true) {
		return c, cli.Usagef("--infill %q has no hole: write [MASK:n] for n tokens to be filled in", text)
	}
	return c, c.known(tok)
}

func (c *canvas) give(tok *tokenize.Tokenizer, text string) {
	c.ids = tok.Encode(c.ids, text)
	c.noisy = append(c.noisy, make([]bool, len(c.ids)-len(c.noisy))...)
}

func (c *canvas) leave(n int) {
	for range n {
		c.ids, c.noisy = append(c.ids, 0), append(c.noisy, true)
	}
}

// known refuses given text that the vocabulary has no token for: the model has
// never seen it.
func (c *canvas) known(tok *tokenize.Tokenizer) error {
	for i, id := range c.ids {
		if !c.noisy[i] && id == tok.UNK() {
			return cli.Usagef("the given text has a character at token %d that this model's vocabulary lacks", i+1)
		}
	}
	return nil
}
