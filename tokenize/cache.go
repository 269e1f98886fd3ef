package tokenize

import (
	"hash/maphash"
	"slices"
	"strings"
	"sync/atomic"
)

const (
	cacheBits     = 16 // slots: with words of ten letters, some 6 MB when full
	maxCachedWord = 48 // bytes; longer words are rare and would only fill memory
)

// cache remembers the tokens of words. Each word has one slot, shared with others:
// the last one written stays. An entry never changes, so readers need no lock.
type cache struct {
	seed  maphash.Seed
	slots [1 << cacheBits]slot
}

type slot struct{ entry atomic.Pointer[cached] }

type cached struct {
	word string
	ids  []int32
}

func newCache() *cache { return &cache{seed: maphash.MakeSeed()} }

// find returns the slot of word, and its tokens if they are there.
func (c *cache) find(word string) (*slot, []int32) {
	s := &c.slots[maphash.String(c.seed, word)>>(64-cacheBits)]
	if e := s.entry.Load(); e != nil && e.word == word {
		return s, e.ids
	}
	return s, nil
}

// put copies both, so that the entry keeps neither document nor result alive.
func (s *slot) put(word string, ids []int32) {
	s.entry.Store(&cached{strings.Clone(word), slices.Clone(ids)})
}
