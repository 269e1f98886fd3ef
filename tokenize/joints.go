package tokenize

import (
	"slices"
	"unicode/utf8"
)

// joints are the pairs of neighbouring symbols that stand inside of some token that a
// merge makes. Between two symbols that are no such pair no merge can ever reach
// across, so that a word may be cut there and give the same tokens. This keeps long
// words short, and those of models without a pre-tokenizer few enough to remember.
type joints struct {
	none  bool // nothing can be said, never cut
	bytes bool // symbols are bytes, not characters
	bits  []uint64
}

const (
	plainJoints  = 1 << 16 // of symbols below 256, one bit each
	hashedJoints = 1 << 21 // of others: bits that pairs may share, which only costs cuts
)

func jointsOf(m *bpe) joints {
	j := joints{bytes: m.byteLevel}
	// A symbol that stands for other text than its token's breaks the argument.
	odd := make([]bool, len(m.texts))
	if m.unk >= 0 {
		odd[m.unk] = true
	}
	if !m.byteLevel {
		for _, id := range m.bytes {
			if id >= 0 {
				odd[id] = true
			}
		}
	}
	for _, pair := range m.merges {
		if odd[pair[0]] || odd[pair[1]] {
			j.none = true
			return j
		}
	}
	// Unknown characters that become one token must stay together.
	if !m.byteLevel && m.unk >= 0 && m.config.FuseUnk && slices.Contains(m.bytes[:], -1) {
		j.none = true
		return j
	}
	j.bits = make([]uint64, plainJoints/64, (plainJoints+hashedJoints)/64)
	if !m.byteLevel {
		j.bits = j.bits[:cap(j.bits)]
	}
	for _, id := range m.made {
		text := m.texts[id]
		last, n := j.symbol(text, 0)
		for i := n; i < len(text); i += n {
			var r rune
			r, n = j.symbol(text, i)
			k := j.index(last, r)
			j.bits[k/64] |= 1 << (k % 64)
			last = r
		}
	}
	return j
}

func (j *joints) symbol(s string, i int) (rune, int) {
	if j.bytes || s[i] < utf8.RuneSelf {
		return rune(s[i]), 1
	}
	return utf8.DecodeRuneInString(s[i:])
}

func (j *joints) index(a, b rune) uint {
	if a|b < 256 {
		return uint(a)<<8 | uint(b)
	}
	h := (uint64(a)<<21 | uint64(b)) * 0x9e3779b97f4a7c15
	return plainJoints + uint(h>>(64-21))
}

// cut returns the length of the longest beginning of s that ends at the first place
// where s may be cut.
func (j *joints) cut(s string) int {
	last, n := j.symbol(s, 0)
	for i := n; i < len(s); i += n {
		var k uint
		if b := s[i]; last < utf8.RuneSelf && (b < utf8.RuneSelf || j.bytes) {
			k, last, n = uint(last)<<8|uint(b), rune(b), 1
		} else {
			var r rune
			r, n = j.symbol(s, i)
			k, last = j.index(last, r), r
		}
		if j.bits[k/64]>>(k%64)&1 == 0 {
			return i
		}
	}
	return len(s)
}

// next makes joints a step after the pre-tokenizer.
func (j *joints) next(s string, i int) (start, end int) {
	if i == len(s) {
		return i, i
	}
	return i, i + j.cut(s[i:])
}
