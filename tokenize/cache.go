package tokenize

import (
	"encoding/binary"
	"math/bits"
	"sync/atomic"
	"unsafe"
)

// cache remembers the tokens of words. It has a fixed size and no locks: each word
// has one slot, which it shares with others, and the last one written stays. A slot
// is a cache line of eight numbers, read and written atomically:
//
//	header   version, number of tokens, length of the word; odd version: being written
//	3 × key  the word, of at most 24 bytes
//	4 × ids  two tokens each
//
// A reader that finds the header changed after it read the rest has found nothing; a
// writer that finds another one at work leaves it to that.
type cache struct {
	slots []cacheSlot
}

type cacheSlot [8]atomic.Uint64

const (
	cacheBits   = 16 // slots: 4 MiB in all
	cachedBytes = 24
	cachedIDs   = 8
)

func newCache() *cache { return &cache{make([]cacheSlot, 1<<cacheBits)} }

// cacheKey is a word as a slot has it. Words of one length have the same key only if
// they are the same.
type cacheKey struct{ a, b, c uint64 }

func keyOf(word string) (k cacheKey) {
	s := unsafe.Slice(unsafe.StringData(word), len(word))
	switch n := len(s); {
	case n > 16:
		k.a, k.b, k.c = binary.LittleEndian.Uint64(s), binary.LittleEndian.Uint64(s[8:]), binary.LittleEndian.Uint64(s[n-8:])
	case n > 8:
		k.a, k.b = binary.LittleEndian.Uint64(s), binary.LittleEndian.Uint64(s[n-8:])
	case n >= 4:
		k.a = uint64(binary.LittleEndian.Uint32(s)) | uint64(binary.LittleEndian.Uint32(s[n-4:]))<<32
	case n > 0:
		k.a = uint64(s[0]) | uint64(s[n/2])<<8 | uint64(s[n-1])<<16
	}
	return k
}

// slot returns where a word of length n belongs.
func (c *cache) slot(k cacheKey, n int) *cacheSlot {
	hi, lo := bits.Mul64(k.a^0x9e3779b97f4a7c15, k.b^0xd6e8feb86659fd93^uint64(n))
	h := (hi ^ lo ^ k.c) * 0x9e3779b97f4a7c15
	return &c.slots[h>>(64-cacheBits)]
}

// find appends the tokens of a word to dst and reports whether they were there.
func (s *cacheSlot) find(dst []int32, k cacheKey, n int) ([]int32, bool) {
	header := s[0].Load()
	if uint8(header) != uint8(n) || s[1].Load() != k.a || s[2].Load() != k.b || s[3].Load() != k.c {
		return dst, false
	}
	start, count := len(dst), int(uint8(header>>8))
	for i := 4; count > 0; i++ {
		pair := s[i&7].Load()
		dst = append(dst, int32(pair))
		if count--; count > 0 {
			dst = append(dst, int32(pair>>32))
			count--
		}
	}
	if s[0].Load() != header || header>>32&1 != 0 {
		return dst[:start], false
	}
	return dst, true
}

// put enters a word of length n.
func (s *cacheSlot) put(k cacheKey, n int, ids []int32) {
	if len(ids) > cachedIDs {
		return
	}
	header := s[0].Load()
	version := header >> 32
	if version&1 != 0 || !s[0].CompareAndSwap(header, (version+1)<<32) {
		return
	}
	s[1].Store(k.a)
	s[2].Store(k.b)
	s[3].Store(k.c)
	for i := 0; i < len(ids); i += 2 {
		pair := uint64(uint32(ids[i]))
		if i+1 < len(ids) {
			pair |= uint64(uint32(ids[i+1])) << 32
		}
		s[4+i/2].Store(pair)
	}
	s[0].Store(uint64(uint32(version+2))<<32 | uint64(len(ids))<<8 | uint64(n))
}
