package autoregressive

import "github.com/seed-4c77ef92/textwarp/internal/rng"

// NumSentinels is the number of tokens that FIM adds to a vocabulary.
const NumSentinels = 4

// FIM writes text with a hole as a sequence in which what stands on both sides
// of the hole comes first, and what was in it last:
//
//	Pre prefix Suf suffix Mid middle End        prefix first (PSM)
//	Pre Suf suffix Mid prefix middle End        suffix first (SPM)
//
// The second is the variant of Bavarian et al. 2022, section 2, that shares its
// sentinels with the first; in it the middle continues the prefix directly.
type FIM struct {
	Pre, Suf, Mid, End int32
}

// NewFIM are the sentinels of a vocabulary of v tokens, which they follow.
func NewFIM(v int) FIM {
	first := int32(v)
	return FIM{Pre: first, Suf: first + 1, Mid: first + 2, End: first + 3}
}

// Name is what a sentinel is called, "" for any other token.
func (f FIM) Name(id int32) string {
	switch id {
	case f.Pre:
		return "<fim-prefix>"
	case f.Suf:
		return "<fim-suffix>"
	case f.Mid:
		return "<fim-middle>"
	case f.End:
		return "<fim-end>"
	}
	return ""
}

// PSM appends all that comes before the middle to dst, prefix first.
func (f FIM) PSM(dst, prefix, suffix []int32) []int32 {
	dst = append(append(dst, f.Pre), prefix...)
	dst = append(append(dst, f.Suf), suffix...)
	return append(dst, f.Mid)
}

// SPM appends all that comes before the middle to dst, suffix first.
func (f FIM) SPM(dst, prefix, suffix []int32) []int32 {
	dst = append(append(dst, f.Pre, f.Suf), suffix...)
	return append(append(dst, f.Mid), prefix...)
}

// Rearrange cuts a text at two places, each as likely as any, and writes its three
// parts to a window that is NumSentinels tokens longer, in either order with equal
// probability.
func (f FIM) Rearrange(window, text []int32, s *rng.Stream) {
	n := len(text)
	a, b := s.IntN(n+1), s.IntN(n+1)
	a, b = min(a, b), max(a, b)
	order := f.PSM
	if s.Uint64()>>63 == 0 {
		order = f.SPM
	}
	out := order(window[:0], text[:a], text[b:])
	out = append(out, text[a:b]...)
	_ = append(out, f.End)
}
