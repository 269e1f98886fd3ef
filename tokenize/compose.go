package tokenize

import (
	"slices"
	"unicode/utf8"
)

// unicodeForm is one of the four normalization forms of Unicode (UAX #15).
type unicodeForm struct {
	plain
	form   normalizer
	traced normalizer // does the same, and knows what stems from where
}

func (f *unicodeForm) compile() error {
	u := unicodeCharacters()
	compat := f.Type == "NFKC" || f.Type == "NFKD"
	switch f.Type {
	case "NFC":
		f.form = &composer{chars: u, inside: inside, changed: excluded}
	case "NFKC":
		f.form = &composer{chars: u, compat: true, inside: insideCompat, changed: excluded | compatible}
	default:
		f.traced = &composer{chars: u, compat: compat, apart: true, inside: insideCompat, changed: excluded | compatible}
		f.form = newCharwise(true, func(dst []rune, r rune) []rune { return u.decompose(dst, r, compat) })
	}
	return nil
}

func (f *unicodeForm) normalize(dst []byte, text string, from *[]span) []byte {
	if from != nil && f.traced != nil {
		return f.traced.normalize(dst, text, from)
	}
	return f.form.normalize(dst, text, from)
}

// composer decomposes a text, orders its marks and composes what composes. It does so
// only in the segments that need it: what is between characters that never compose with
// what is before them is on its own.
type composer struct {
	chars   *characters
	compat  bool
	apart   bool     // decompose only
	inside  property // of characters that belong to the segment before them
	changed property // of characters that do not stay as they are when alone
}

// part is a character on its way. Its change is how Hugging Face counts where it comes
// from: 1 if it was added to the one before it, else how many of the characters that
// follow in the text it takes with it, as a negative number. Where marks change places,
// this is not where they were.
type part struct {
	r      rune
	class  uint8
	change int
}

func (c *composer) normalize(dst []byte, text string, from *[]span) []byte {
	dst = slices.Grow(dst, len(text))
	var parts []part
	for i := 0; i < len(text); {
		end := plainASCII(text, i)
		if end == i {
			var still bool
			if end, still = c.segment(text, i); !still || c.apart && text[i] >= utf8.RuneSelf && charLen(text, i) > 1 {
				parts = c.decompose(parts[:0], text, i, end)
				if !c.apart {
					parts = c.compose(parts)
				}
				last := span{int32(i), int32(i)} // of the character taken last
				for _, p := range parts {
					at := last
					for k := p.change; k <= 0 && i < end; k++ {
						last = span{int32(i), int32(i + charLen(text, i))}
						if k == p.change {
							at = last
						}
						i = int(last.end)
					}
					start := len(dst)
					dst = utf8.AppendRune(dst, p.r)
					trace(from, dst, start, at)
				}
				i = end
				continue
			}
		}
		dst = verbatim(dst, text, i, end, from)
		i = end
	}
	return dst
}

// plainASCII returns the end of the ASCII characters from text[i] on that another one
// or the end of the text follows.
func plainASCII(text string, i int) int {
	start := i
	for i < len(text) && text[i] < utf8.RuneSelf {
		i++
	}
	if i < len(text) && i > start {
		i--
	}
	return i
}

// segment returns the end of the segment that starts at text[i], and whether it stays
// as it is. A byte that is not UTF-8 is a segment.
func (c *composer) segment(text string, i int) (end int, still bool) {
	r, n := utf8.DecodeRuneInString(text[i:])
	if r == utf8.RuneError && n == 1 {
		return i + 1, true
	}
	end = i + n
	still = !c.chars.at(r).has(c.inside | c.changed)
	for end < len(text) && text[end] >= utf8.RuneSelf {
		r, n := utf8.DecodeRuneInString(text[end:])
		if r == utf8.RuneError && n == 1 || !c.chars.at(r).has(c.inside) {
			break
		}
		end, still = end+n, false
	}
	return end, still
}

func (c *composer) decompose(parts []part, text string, i, end int) []part {
	var buf [32]rune
	for i < end {
		r, n := utf8.DecodeRuneInString(text[i:])
		for k, d := range c.chars.decompose(buf[:0], r, c.compat) {
			p := part{d, c.chars.at(d).class(), min(k, 1)}
			place := len(parts)
			for p.class != 0 && place > 0 && parts[place-1].class > p.class {
				place--
			}
			parts = slices.Insert(parts, place, p)
		}
		i += n
	}
	return parts
}

// compose merges parts into the last starter before them, where nothing between the
// two keeps them apart.
func (c *composer) compose(parts []part) []part {
	out, starter, last := parts[:0], -1, uint8(0)
	for _, p := range parts {
		if starter >= 0 && (last < p.class || len(out)-1 == starter) {
			if r, ok := c.chars.compose(out[starter].r, p.r); ok {
				out[starter].r = r
				out[starter].change += p.change - 1
				continue
			}
		}
		if p.class == 0 {
			starter = len(out)
		}
		last = p.class
		out = append(out, p)
	}
	return out
}
