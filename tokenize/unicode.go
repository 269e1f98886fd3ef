package tokenize

import "unicode/utf8"

// property is what is known of a character: its combining class in the low byte, above
// it the bits below.
type property uint32

const (
	drop         property = 1 << (8 + iota) // clean_text removes it
	blank                                   // clean_text makes it a space
	han                                     // handle_chinese_chars puts spaces around it
	nonspacing                              // strip_accents removes it
	combining                               // StripAccents removes it
	nmtDrop                                 // Nmt removes it
	nmtBlank                                // Nmt makes it a space
	extend                                  // joins the grapheme cluster before it
	prepend                                 // joins the one after it
	control                                 // ends a cluster, begins one and is nothing else
	pictographic                            // joins another one over a joiner
	consonant                               // joins another one over a linker
	linker
	joinsLast    // may belong to the cluster of the character before it
	joinsNext    // may take the one after it, whatever that is
	excluded     // never the result of composition
	canonical    // has a canonical decomposition
	compatible   // has another compatible one
	lowered      // has another lower case
	inside       // may compose with what is before it, or move there
	insideCompat // the same for its compatible decomposition
)

func (p property) class() uint8          { return uint8(p) }
func (p property) has(any property) bool { return p&any != 0 }

// characters has the properties and mappings of all code points.
type characters struct {
	pages    [(utf8.MaxRune + 1) >> pageBits]*[1 << pageBits]property
	nfd      map[rune][]rune // full decompositions, but for Hangul's
	nfkd     map[rune][]rune // those that differ from nfd's
	lower    map[rune][]rune
	composed map[[2]rune]rune
}

// at returns the properties of r, which must be a code point.
func (u *characters) at(r rune) property {
	return u.pages[r>>pageBits][r&(1<<pageBits-1)]
}

// Hangul syllables are computed (Unicode Standard, section 3.12).
const (
	hangulL, hangulV, hangulT, hangulS     = 0x1100, 0x1161, 0x11A7, 0xAC00
	hangulLs, hangulVs, hangulTs, hangulSs = 19, 21, 28, 19 * 21 * 28
)

// decompose appends the full decomposition of r, compatible or canonical.
func (u *characters) decompose(dst []rune, r rune, compat bool) []rune {
	p := u.at(r)
	switch s := r - hangulS; {
	case 0 <= s && s < hangulSs:
		dst = append(dst, hangulL+s/hangulTs/hangulVs, hangulV+s/hangulTs%hangulVs)
		if t := s % hangulTs; t > 0 {
			dst = append(dst, hangulT+t)
		}
		return dst
	case compat && p.has(compatible):
		return append(dst, u.nfkd[r]...)
	case p.has(canonical):
		return append(dst, u.nfd[r]...)
	}
	return append(dst, r)
}

// compose returns the character that a and b make together.
func (u *characters) compose(a, b rune) (rune, bool) {
	if l, v := a-hangulL, b-hangulV; 0 <= l && l < hangulLs && 0 <= v && v < hangulVs {
		return hangulS + (l*hangulVs+v)*hangulTs, true
	}
	if s, t := a-hangulS, b-hangulT; 0 <= s && s < hangulSs && s%hangulTs == 0 && 0 < t && t < hangulTs {
		return a + t, true
	}
	r, ok := u.composed[[2]rune{a, b}]
	return r, ok
}
