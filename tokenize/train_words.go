package tokenize

import "hash/maphash"

// words are distinct words, one behind the other, and how often each occurs.
type words struct {
	text   []byte
	ends   []uint32 // where each ends in text; it begins where the one before ends
	counts []int64
}

func (w *words) len() int { return len(w.ends) }

func (w *words) at(i int) []byte {
	start := uint32(0)
	if i > 0 {
		start = w.ends[i-1]
	}
	return w.text[start:w.ends[i]]
}

func (w *words) append(word []byte, n int64) {
	w.text = append(w.text, word...)
	w.ends = append(w.ends, uint32(len(w.text)))
	w.counts = append(w.counts, n)
}

// each calls do for every word.
func (w *words) each(do func(word []byte, n int64)) error {
	for i, n := range w.counts {
		do(w.at(i), n)
	}
	return nil
}

// wordTable counts words: an index by hash into words, open addressing, at most two
// thirds full. The seed of the hash differs from run to run, but orders nothing.
type wordTable struct {
	words
	seed  maphash.Seed
	slots []wordSlot
}

type wordSlot struct {
	hash uint32
	word uint32 // its number, plus one so that zero means empty
}

const minSlots = 1 << 10

func newWordTable() *wordTable {
	return &wordTable{seed: maphash.MakeSeed(), slots: make([]wordSlot, minSlots)}
}

// add counts word n more times.
func (t *wordTable) add(word string, n int64) {
	hash := uint32(maphash.String(t.seed, word) >> 32)
	mask := uint32(len(t.slots) - 1)
	i := hash & mask
	for ; t.slots[i].word != 0; i = (i + 1) & mask {
		if s := t.slots[i]; s.hash == hash && string(t.at(int(s.word-1))) == word {
			t.counts[s.word-1] += n
			return
		}
	}
	t.text = append(t.text, word...)
	t.ends = append(t.ends, uint32(len(t.text)))
	t.counts = append(t.counts, n)
	t.slots[i] = wordSlot{hash, uint32(t.len())}
	if 3*t.len() > 2*len(t.slots) {
		t.grow()
	}
}

func (t *wordTable) grow() {
	slots := make([]wordSlot, 2*len(t.slots))
	mask := uint32(len(slots) - 1)
	for _, s := range t.slots {
		if s.word == 0 {
			continue
		}
		i := s.hash & mask
		for slots[i].word != 0 {
			i = (i + 1) & mask
		}
		slots[i] = s
	}
	t.slots = slots
}

// size is the memory that the table needs, in bytes.
func (t *wordTable) size() int { return len(t.text) + 12*t.len() + 8*len(t.slots) }

// reset empties the table.
func (t *wordTable) reset() {
	t.text, t.ends, t.counts = t.text[:0], t.ends[:0], t.counts[:0]
	t.slots = make([]wordSlot, minSlots)
}
