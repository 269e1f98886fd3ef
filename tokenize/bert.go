package tokenize

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// bertPreTokenizer has as words what is between white space, and each punctuation
// character by itself.
type bertPreTokenizer struct {
	plain
	classes *classes
}

func (b *bertPreTokenizer) compile() error {
	b.classes = unicodeClasses()
	return nil
}

func (b *bertPreTokenizer) next(s string, i int) (start, end int) {
	for i < len(s) {
		k, n := b.classes.at(s, i)
		switch {
		case k&punctuative != 0:
			return i, i + n
		case k&space == 0:
			return i, b.classes.runNot(s, i+n, space|punctuative)
		}
		i += n
	}
	return i, i
}

// charDelimiterSplit has as words what is between a character.
type charDelimiterSplit struct {
	Type      string `json:"type"`
	Delimiter string `json:"delimiter"`
	pieces
}

func (c *charDelimiterSplit) compile() error {
	if utf8.RuneCountInString(c.Delimiter) != 1 {
		return fmt.Errorf("%w: pre_tokenizer: CharDelimiterSplit: delimiter %q is not one character", ErrFormat, c.Delimiter)
	}
	c.pieces = pieces{wordPattern: literal(c.Delimiter), behavior: "Removed"}
	return nil
}

// wordPieceDecoder joins continuing tokens to what they continue, and puts spaces
// between the others.
type wordPieceDecoder struct {
	Type    string `json:"type"`
	Prefix  string `json:"prefix"`
	Cleanup bool   `json:"cleanup"`
}

func (d *wordPieceDecoder) decode(tokens []string) []string {
	for i, token := range tokens {
		if i > 0 {
			var continued bool
			if token, continued = strings.CutPrefix(token, d.Prefix); !continued {
				token = " " + token
			}
		}
		if d.Cleanup && strings.Contains(token, " ") {
			token = cleanUp(token)
		}
		tokens[i] = token
	}
	return tokens
}
