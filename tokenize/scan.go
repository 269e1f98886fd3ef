package tokenize

import (
	"sync"
	"unicode"
	"unicode/utf8"
)

// class is what GPT-2's word pattern needs to know of a character.
type class = uint8

const (
	other  class = iota // [^\s\p{L}\p{N}], and every byte that is not UTF-8
	letter              // \p{L}
	number              // \p{N}
	space               // \s, which is White_Space
)

// pageBits splits a code point: pages of 256 characters, most of them shared.
const pageBits = 8

// classes is a two-level table of the class of every code point.
type classes struct {
	ascii [utf8.RuneSelf]class
	pages [(unicode.MaxRune + 1) >> pageBits]*[1 << pageBits]class
}

// unicodeClasses returns the table, built on first use. It does not follow the Unicode
// version of the Go release: the same text has the same words whatever built it.
var unicodeClasses = sync.OnceValue(func() *classes {
	c := new(classes)
	blank := new([1 << pageBits]class)
	for i := range c.pages {
		c.pages[i] = blank
	}
	for i, start := range classStarts {
		end := uint32(unicode.MaxRune + 1)
		if i+1 < len(classStarts) {
			end = classStarts[i+1] >> 2
		}
		k := class(start & 3)
		if k == other {
			continue
		}
		for r := start >> 2; r < end; r++ {
			page := &c.pages[r>>pageBits]
			if *page == blank {
				*page = new([1 << pageBits]class)
			}
			(*page)[r&(1<<pageBits-1)] = k
		}
	}
	copy(c.ascii[:], c.pages[0][:])
	return c
})

// at returns the class and the length in bytes of the character that starts at s[i].
func (c *classes) at(s string, i int) (class, int) {
	if b := s[i]; b < utf8.RuneSelf {
		return c.ascii[b], 1
	}
	r, n := utf8.DecodeRuneInString(s[i:])
	if n == 1 {
		return other, 1
	}
	return c.pages[r>>pageBits][r&(1<<pageBits-1)], n
}

// run returns the end of the run of class k that goes on at s[i].
func (c *classes) run(s string, i int, k class) int {
	for i < len(s) {
		next, n := c.at(s, i)
		if next != k {
			break
		}
		i += n
	}
	return i
}

// word returns the length of the first word of s, which is not empty: the first
// match of GPT-2's pattern (Radford et al. 2019, encoder.py),
//
//	's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//
// The words of a text, one after the other, are the whole text.
func (c *classes) word(s string) int {
	if s[0] == '\'' {
		if n := contraction(s); n > 0 {
			return n
		}
	}
	k, n := c.at(s, 0)
	if s[0] == ' ' && len(s) > 1 {
		if next, m := c.at(s, 1); next != space {
			return c.run(s, 1+m, next)
		}
	}
	if k != space {
		return c.run(s, n, k)
	}
	// \s+(?!\S): white space before a word leaves its last character to the word,
	// unless it is the only one.
	last, end := 0, n
	for end < len(s) {
		next, m := c.at(s, end)
		if next != space {
			if last > 0 {
				return last
			}
			return end
		}
		last, end = end, end+m
	}
	return end
}

// contraction returns the length of the contraction that s starts with, or 0.
func contraction(s string) int {
	if len(s) < 2 {
		return 0
	}
	switch s[1] {
	case 's', 't', 'm', 'd':
		return 2
	}
	if len(s) > 2 {
		switch s[1:3] {
		case "re", "ve", "ll":
			return 3
		}
	}
	return 0
}
