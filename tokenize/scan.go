package tokenize

import (
	"sync"
	"unicode"
	"unicode/utf8"
)

// class is what word patterns need to know of a character, a set of flags. A byte that
// is not UTF-8 has none.
type class = uint16

const (
	upper       class           = 1 << iota // \p{Lu}, \p{Lt}; and with lower \p{Lm}, \p{Lo}
	lower                                   // \p{Ll}
	mark                                    // \p{M}
	number                                  // \p{N}
	space                                   // \s, which is White_Space
	punct                                   // \p{P}
	symbol                                  // \p{S}
	wordChar                                // \w as the Rust crate regex has it
	punctuative                             // what the parts Punctuation and Bert take for punctuation
	letter      = upper | lower             // \p{L}
)

// classBits is how many flags there are.
const classBits = 9

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
	pageOf := map[class]*[1 << pageBits]class{} // pages of one class only
	for i, start := range classStarts {
		end := uint32(unicode.MaxRune + 1)
		if i+1 < len(classStarts) {
			end = classStarts[i+1] >> classBits
		}
		k := class(start & (1<<classBits - 1))
		for r := start >> classBits; r < end; {
			page := &c.pages[r>>pageBits]
			stop := min(end, (r>>pageBits+1)<<pageBits)
			if stop-r == 1<<pageBits {
				if pageOf[k] == nil {
					pageOf[k] = new([1 << pageBits]class)
					fill(pageOf[k][:], k)
				}
				*page = pageOf[k]
			} else {
				if *page == nil {
					*page = new([1 << pageBits]class)
				}
				first := r & (1<<pageBits - 1)
				fill((*page)[first:first+stop-r], k)
			}
			r = stop
		}
	}
	copy(c.ascii[:], c.pages[0][:])
	return c
})

func fill(page []class, k class) {
	for i := range page {
		page[i] = k
	}
}

// of returns the class of a character.
func (c *classes) of(r rune) class { return c.pages[r>>pageBits][r&(1<<pageBits-1)] }

// at returns the class and the length in bytes of the character that starts at s[i].
func (c *classes) at(s string, i int) (class, int) {
	if b := s[i]; b < utf8.RuneSelf {
		return c.ascii[b], 1
	}
	return c.wide(s, i)
}

// wide is at for characters beyond ASCII.
func (c *classes) wide(s string, i int) (class, int) {
	r, n := utf8.DecodeRuneInString(s[i:])
	if n == 1 {
		return 0, 1
	}
	return c.pages[r>>pageBits][r&(1<<pageBits-1)], n
}

// run returns the end of the run of characters from s[i] on whose class has any of
// the flags.
func (c *classes) run(s string, i int, any class) int {
	for i < len(s) {
		if b := s[i]; b < utf8.RuneSelf {
			if c.ascii[b]&any == 0 {
				break
			}
			i++
			continue
		}
		k, n := c.wide(s, i)
		if k&any == 0 {
			break
		}
		i += n
	}
	return i
}

// runNot returns the end of the run of characters from s[i] on whose class has none
// of the flags.
func (c *classes) runNot(s string, i int, none class) int {
	for i < len(s) {
		if b := s[i]; b < utf8.RuneSelf {
			if c.ascii[b]&none != 0 {
				break
			}
			i++
			continue
		}
		k, n := c.wide(s, i)
		if k&none != 0 {
			break
		}
		i += n
	}
	return i
}

// blank returns the end of the match of \s+(?!\S)|\s+ at s[i], which is white space:
// white space before a word leaves its last character to the word, unless it is the
// only one. With lines, \s*[\r\n]+ is tried before: white space up to its last line end.
func (c *classes) blank(s string, i int, lines bool) int {
	last, end, line := i, i, i
	for end < len(s) {
		k, n := c.at(s, end)
		if k&space == 0 {
			break
		}
		if lines && (s[end] == '\n' || s[end] == '\r') {
			line = end + 1
		}
		last, end = end, end+n
	}
	switch {
	case line > i:
		return line
	case end < len(s) && last > i:
		return last
	}
	return end
}

// lineEnds returns the end of the match of [\r\n]* at s[i].
func lineEnds(s string, i int) int {
	for i < len(s) && (s[i] == '\n' || s[i] == '\r') {
		i++
	}
	return i
}

// contraction returns the length of the match of 's|'t|'re|'ve|'m|'ll|'d at s[i], or
// 0; with fold, in upper case too, where U+017F is an s.
func contraction(s string, i int, fold bool) int {
	if i+1 >= len(s) || s[i] != '\'' {
		return 0
	}
	var a, b byte
	a = s[i+1]
	if i+2 < len(s) {
		b = s[i+2]
	}
	if fold {
		if a == 0xc5 && b == 0xbf {
			return 3
		}
		a, b = a|0x20, b|0x20
		if s[i+1] < 'A' {
			return 0
		}
	}
	switch a {
	case 's', 't', 'm', 'd':
		return 2
	case 'r', 'v':
		if b == 'e' {
			return 3
		}
	case 'l':
		if b == 'l' {
			return 3
		}
	}
	return 0
}
