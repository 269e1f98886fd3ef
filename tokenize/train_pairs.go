package tokenize

// tokenPair is two tokens side by side. Lower ones have the lower left token or, if
// that is the same, the lower right one; zero is no pair.
type tokenPair uint64

func pairOf(left, right int32) tokenPair { return tokenPair(left)<<32 | tokenPair(right+1) }

func (p tokenPair) left() int32  { return int32(p >> 32) }
func (p tokenPair) right() int32 { return int32(uint32(p)) - 1 }

// pairCounts counts pairs of tokens: open addressing, at most half full. A pair that
// is not there has count zero, and one whose count becomes zero is removed.
type pairCounts struct {
	slots []pairCount
	used  int
	shift uint
}

type pairCount struct {
	pair tokenPair
	n    int64
}

func newPairCounts() *pairCounts {
	return &pairCounts{slots: make([]pairCount, 1<<10), shift: 64 - 10}
}

func (t *pairCounts) start(p tokenPair) int { return int(p * 0x9e3779b97f4a7c15 >> t.shift) }

// slot returns where a pair is, or where it would be put.
func (t *pairCounts) slot(p tokenPair) int {
	i := t.start(p)
	for t.slots[i].pair != p && t.slots[i].pair != 0 {
		i = (i + 1) & (len(t.slots) - 1)
	}
	return i
}

func (t *pairCounts) get(p tokenPair) int64 { return t.slots[t.slot(p)].n }

// add counts a pair n more times; n may be negative.
func (t *pairCounts) add(p tokenPair, n int64) {
	i := t.slot(p)
	s := &t.slots[i]
	s.n += n
	switch {
	case s.pair != 0 && s.n == 0:
		t.remove(i)
	case s.pair == 0 && n != 0:
		s.pair = p
		if t.used++; 2*t.used > len(t.slots) {
			t.grow()
		}
	}
}

// remove empties a slot and moves up what would no longer be found behind it (Knuth
// vol. 3, 6.4, algorithm R).
func (t *pairCounts) remove(i int) {
	t.used--
	mask := len(t.slots) - 1
	for j := i; ; {
		t.slots[i] = pairCount{}
		for {
			j = (j + 1) & mask
			if t.slots[j].pair == 0 {
				return
			}
			if home := t.start(t.slots[j].pair); (j-home)&mask >= (j-i)&mask {
				break
			}
		}
		t.slots[i] = t.slots[j]
		i = j
	}
}

func (t *pairCounts) grow() {
	old := t.slots
	t.slots, t.shift = make([]pairCount, 2*len(old)), t.shift-1
	for _, s := range old {
		if s.pair != 0 {
			t.slots[t.slot(s.pair)] = s
		}
	}
}
