package tokenize

import "unicode/utf8"

// Grapheme clusters (UAX #29), as far as they matter to clusters shorter than six bytes
// and to where those begin: pairs of regional indicators, four bytes each, do not.

// singles returns the length of the characters that text begins with that are clusters
// by themselves.
func (u *characters) singles(text string) int {
	i := 0
	for i+1 < len(text) && text[i] < utf8.RuneSelf && text[i] != '\r' && text[i+1] < utf8.RuneSelf {
		i++
	}
	if i == len(text) {
		return i
	}
	r, n := utf8.DecodeRuneInString(text[i:])
	for {
		if u.at(r).has(joinsNext) {
			return i
		}
		start := i
		if i += n; i == len(text) {
			return i
		}
		if r, n = utf8.DecodeRuneInString(text[i:]); u.at(r).has(joinsLast) {
			return start
		}
	}
}

// cluster returns the length of the grapheme cluster that text begins with.
func (u *characters) cluster(text string) int {
	last, end := utf8.DecodeRuneInString(text)
	p := u.at(last)
	var (
		pictograph = p.has(pictographic) // and extending characters
		conjunct   = p.has(consonant)    // and extending characters and linkers
		linked     = false               // there was a linker
	)
	for end < len(text) {
		r, n := utf8.DecodeRuneInString(text[end:])
		next := u.at(r)
		switch {
		case last == '\r' && r == '\n':
		case p.has(control), next.has(control):
			return end
		case next.has(extend), p.has(prepend), hangul(last, r):
		case pictograph && last == joiner && next.has(pictographic):
		case conjunct && linked && next.has(consonant):
		default:
			return end
		}
		if !next.has(extend) {
			pictograph, conjunct, linked = next.has(pictographic), next.has(consonant), false
		}
		linked = linked || next.has(linker)
		last, p, end = r, next, end+n
	}
	return end
}

const joiner = 0x200D // ZERO WIDTH JOINER

// hangul says whether two parts of a Korean syllable stay together.
func hangul(a, b rune) bool {
	switch syllableOf(a) {
	case leading:
		s := syllableOf(b)
		return s == leading || s == vowel || s == open || s == closed
	case vowel, open:
		s := syllableOf(b)
		return s == vowel || s == trailing
	case trailing, closed:
		return syllableOf(b) == trailing
	}
	return false
}

type syllable uint8

const (
	noSyllable syllable = iota
	leading
	vowel
	trailing
	open   // LV
	closed // LVT
)

func syllableOf(r rune) syllable {
	switch {
	case 0x1100 <= r && r <= 0x115F, 0xA960 <= r && r <= 0xA97C:
		return leading
	case 0x1160 <= r && r <= 0x11A7, 0xD7B0 <= r && r <= 0xD7C6:
		return vowel
	case 0x11A8 <= r && r <= 0x11FF, 0xD7CB <= r && r <= 0xD7FB:
		return trailing
	case hangulS <= r && r < hangulS+hangulSs:
		if (r-hangulS)%hangulTs == 0 {
			return open
		}
		return closed
	}
	return noSyllable
}
