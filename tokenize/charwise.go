package tokenize

import (
	"slices"
	"sync/atomic"
	"unicode/utf8"
)

// charwise rewrites each character by itself, but for the order of combining marks.
// What a character becomes is computed when it is first met.
type charwise struct {
	// becomes appends what r becomes. Where it leaves out a character of combining
	// class zero, which keeps the marks before it apart from those after it, it appends
	// barrier.
	becomes func(dst []rune, r rune) []rune
	ordered bool // put combining marks in canonical order
	ascii   [utf8.RuneSelf]byte
	pages   [(utf8.MaxRune + 1) >> pageBits]atomic.Pointer[[1 << pageBits]written]
}

const barrier rune = -1

// written is what a character becomes, in UTF-8, if that is short.
type written struct {
	n    uint8
	text [7]byte
}

// Values of n that are not a length.
const (
	nothing = 8 + iota
	nothingButBarrier
	long // more than fits, or marks that may have to move
)

// newCharwise returns a charwise. An ASCII character must become none or one of them.
func newCharwise(ordered bool, becomes func(dst []rune, r rune) []rune) *charwise {
	c := &charwise{becomes: becomes, ordered: ordered}
	for b := range c.ascii {
		if to := becomes(nil, rune(b)); len(to) == 1 && to[0] < utf8.RuneSelf {
			c.ascii[b] = byte(to[0]) // NUL is 0, and takes the long way
		}
	}
	return c
}

func (c *charwise) normalize(dst []byte, text string, from *[]span) []byte {
	dst = slices.Grow(dst, len(text))
	still := len(dst) // what is before does not move any more
	for i := 0; i < len(text); {
		start := len(dst)
		if b := text[i]; b < utf8.RuneSelf && c.ascii[b] != 0 {
			dst = c.appendASCII(dst, text[i:])
			n := len(dst) - start
			for k := 0; from != nil && k < n; k++ {
				*from = append(*from, span{int32(i + k), int32(i + k + 1)})
			}
			i, still = i+n, len(dst)
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		at := span{int32(i), int32(i + n)}
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, text[i])
			trace(from, dst, start, at)
			still, i = len(dst), i+1
			continue
		}
		i += n
		switch w := c.written(r); {
		case w.n < nothing:
			dst = append(dst, w.text[:w.n]...)
			trace(from, dst, start, at)
			still = len(dst)
		case w.n == nothingButBarrier:
			still = len(dst)
		case w.n == long:
			dst, still = c.appendLong(dst, r, still, from, at)
		}
	}
	return dst
}

// appendASCII appends what the first bytes of text become, up to the first that is not
// an ASCII character that becomes one.
func (c *charwise) appendASCII(dst []byte, text string) []byte {
	for i := range len(text) {
		b := text[i]
		if b >= utf8.RuneSelf || c.ascii[b] == 0 {
			break
		}
		dst = append(dst, c.ascii[b])
	}
	return dst
}

// written returns what r becomes. Two goroutines may compute the same page.
func (c *charwise) written(r rune) *written {
	page := c.pages[r>>pageBits].Load()
	if page == nil {
		page = new([1 << pageBits]written)
		for i := range page {
			page[i] = c.write(r&^(1<<pageBits-1) | rune(i))
		}
		c.pages[r>>pageBits].Store(page)
	}
	return &page[r&(1<<pageBits-1)]
}

func (c *charwise) write(r rune) written {
	var buf [16]byte
	out, barred, u := buf[:0], false, unicodeCharacters()
	for _, to := range c.becomes(nil, r) {
		if to == barrier {
			barred = true
			continue
		}
		if c.ordered && u.at(to).class() != 0 {
			return written{n: long}
		}
		out = utf8.AppendRune(out, to)
	}
	switch {
	case len(out) > 7:
		return written{n: long}
	case len(out) > 0:
		w := written{n: uint8(len(out))}
		copy(w.text[:], out)
		return w
	case barred:
		return written{n: nothingButBarrier}
	}
	return written{n: nothing}
}

// appendLong appends what r becomes, each mark after those of its class and lower ones.
func (c *charwise) appendLong(dst []byte, r rune, still int, from *[]span, at span) ([]byte, int) {
	var buf [32]rune
	u := unicodeCharacters()
	for _, to := range c.becomes(buf[:0], r) {
		if to == barrier {
			still = len(dst)
			continue
		}
		start, place := len(dst), len(dst)
		if class := u.at(to).class(); c.ordered && class != 0 {
			for place > still {
				before, n := utf8.DecodeLastRune(dst[:place])
				if u.at(before).class() <= class {
					break
				}
				place -= n
			}
			var mark [utf8.UTFMax]byte
			n := utf8.EncodeRune(mark[:], to)
			dst = slices.Insert(dst, place, mark[:n]...)
		} else {
			dst = utf8.AppendRune(dst, to)
			still = len(dst)
		}
		trace(from, dst, start, at)
	}
	return dst, still
}
