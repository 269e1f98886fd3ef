package generate

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/seed-4c77ef92/textwarp/tokenize"
)

// maxLength bounds the positions of a canvas.
const maxLength = 1 << 16

// Canvas is what is known of a text before it is written: the tokens that are
// given, and noisy positions between them.
type Canvas struct {
	IDs   []int32 // [L], 0 at noisy positions
	Noisy []bool  // [L]
}

// Blank is a canvas of which nothing is known.
func Blank(length int) Canvas {
	var c Canvas
	c.leave(length)
	return c
}

// Prompt lays out a text that is to be continued, over length tokens in all.
func Prompt(tok *tokenize.Tokenizer, text string, length int) (Canvas, error) {
	if length < 1 || length > maxLength {
		return Canvas{}, fmt.Errorf("lay out text: %d tokens, want 1 to %d", length, maxLength)
	}
	var c Canvas
	c.give(tok, text)
	if err := c.known(tok); err != nil {
		return c, err
	}
	room := length - len(c.IDs)
	if room < 1 {
		return c, fmt.Errorf("lay out text: the prompt has %d tokens, which leaves none of %d to write: shorten it or write more", len(c.IDs), length)
	}
	c.leave(room)
	return c, nil
}

// hole matches [MASK:n].
var hole = regexp.MustCompile(`\[MASK:(\d+)\]`)

// Infill lays out a text with holes, [MASK:n] for n tokens. They set its length.
func Infill(tok *tokenize.Tokenizer, text string) (Canvas, error) {
	var c Canvas
	end := 0
	for _, at := range hole.FindAllStringSubmatchIndex(text, -1) {
		c.give(tok, text[end:at[0]])
		n, err := strconv.Atoi(text[at[2]:at[3]])
		if err != nil || n < 1 || n > maxLength {
			return c, fmt.Errorf("lay out text: hole %s: want [MASK:n] with n from 1 to %d", text[at[0]:at[1]], maxLength)
		}
		c.leave(n)
		end = at[1]
	}
	c.give(tok, text[end:])
	switch {
	case !slices.Contains(c.Noisy, true):
		return c, fmt.Errorf("lay out text: %q has no hole: write [MASK:n] for n tokens to be filled in", text)
	case len(c.IDs) > maxLength:
		return c, fmt.Errorf("lay out text: %d tokens, want at most %d", len(c.IDs), maxLength)
	}
	return c, c.known(tok)
}

func (c *Canvas) give(tok *tokenize.Tokenizer, text string) {
	c.IDs = tok.Encode(c.IDs, text)
	c.Noisy = append(c.Noisy, make([]bool, len(c.IDs)-len(c.Noisy))...)
}

func (c *Canvas) leave(n int) {
	for range n {
		c.IDs, c.Noisy = append(c.IDs, 0), append(c.Noisy, true)
	}
}

// known refuses given text that the vocabulary has no token for: the model has
// never seen it.
func (c *Canvas) known(tok *tokenize.Tokenizer) error {
	for i, id := range c.IDs {
		if !c.Noisy[i] && id == tok.UNK() {
			return fmt.Errorf("lay out text: the given text has a character at token %d that this model's vocabulary lacks", i+1)
		}
	}
	return nil
}
