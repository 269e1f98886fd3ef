package tokenize

import (
	"encoding/binary"
	"math/bits"
	"sync/atomic"
	"unsafe"
)

// cache remembers the tokens of words. It has a fixed size and no locks: a slot is
// claimed once, written, and never changes afterwards, so that readers need not look
// twice. When so many words were new that the table must be full of rare ones, an
// empty one takes its place. Short words, nearly all in most languages, have a table of
// their own with two slots to a cache line.
type cache struct {
	short, long cacheTable
}

func newCache() *cache {
	c := &cache{
		short: cacheTable{keys: 2, bits: 17},       // 4 MiB
		long:  cacheTable{keys: maxKeys, bits: 15}, // 2 MiB
	}
	c.short.table.Store(c.short.fresh())
	c.long.table.Store(c.long.fresh())
	return c
}

// tableFor returns where words of n bytes are, nil if nowhere.
func (c *cache) tableFor(n int) *cacheTable {
	switch {
	case n <= 16:
		return &c.short
	case n <= 8*maxKeys:
		return &c.long
	}
	return nil
}

// cacheTable is a hash table of words whose spelling takes a fixed count of numbers. A
// slot is
//
//	header  length of the word, number of tokens, and if ready the last two tokens
//	keys    the word
//	ids     three tokens each, in as many numbers as make the slot a power of two
type cacheTable struct {
	table atomic.Pointer[cacheSlots]
	keys  int  // numbers that spell a word
	bits  uint // of the number of slots
}

type cacheSlots struct {
	words   []atomic.Uint64
	entered atomic.Int64 // words that were new
}

const (
	maxKeys   = 5
	slotBusy  = 1 << 62
	slotReady = 1 << 63
	slotID    = 1<<idBits - 1
	slotWays  = 4 // slots that a word may have, in the order in which they are filled
)

// width returns how many numbers a slot has.
func (c *cacheTable) width() int {
	if c.keys == 2 {
		return 4
	}
	return 8
}

// most returns how many tokens a slot can hold.
func (c *cacheTable) most() int { return 2 + 3*(c.width()-1-c.keys) }

func (c *cacheTable) fresh() *cacheSlots {
	return &cacheSlots{words: make([]atomic.Uint64, c.width()<<c.bits)}
}

// cacheKey is a word as slots have it. Words of one length have the same key only if
// they are the same.
type cacheKey [maxKeys]uint64

// keyOf spells a word of at most 8*maxKeys bytes, and returns a hash of it.
func keyOf(k *cacheKey, word string) (hash uint64) {
	s := unsafe.Slice(unsafe.StringData(word), len(word))
	n := len(s)
	switch {
	case n > 8:
		i := 0
		for ; 8*i+8 < n; i++ {
			k[i] = binary.LittleEndian.Uint64(s[8*i:])
		}
		k[i] = binary.LittleEndian.Uint64(s[n-8:])
	case n >= 4:
		k[0] = uint64(binary.LittleEndian.Uint32(s)) | uint64(binary.LittleEndian.Uint32(s[n-4:]))<<32
	default:
		k[0] = uint64(s[0]) | uint64(s[n/2])<<8 | uint64(s[n-1])<<16
	}
	hi, lo := bits.Mul64(k[0]^0x9e3779b97f4a7c15, k[1]^0xd6e8feb86659fd93^uint64(n))
	hash = hi ^ lo
	if n > 16 {
		hi, lo = bits.Mul64(hash^k[2], k[3]^0xa0761d6478bd642f)
		hash = hi ^ lo ^ k[4]
	}
	return hash * 0x9e3779b97f4a7c15
}

// find appends the tokens of a word of length n to dst and reports whether they were
// there.
func (c *cacheTable) find(dst []int32, k *cacheKey, hash uint64, n int) ([]int32, bool) {
	words, width := c.table.Load().words, c.width()
	first := int(hash >> (64 - c.bits))
	for way := range slotWays {
		at := (first ^ way) * width
		slot := words[at : at+width : at+width]
		header := slot[0].Load()
		if header == 0 {
			break
		}
		if header&(slotReady|0xff) != slotReady|uint64(n) || slot[1].Load() != k[0] || slot[2].Load() != k[1] {
			continue
		}
		if c.keys > 2 && (slot[3].Load() != k[2] || slot[4].Load() != k[3] || slot[5].Load() != k[4]) {
			continue
		}
		ids := slot[1+c.keys].Load()
		dst = append(dst, int32(ids&slotID))
		count := int(header >> 8 & 0xf)
		for i := 1; i < count; i++ {
			switch {
			case i == 3*(width-1-c.keys):
				dst = append(dst, int32(header>>12&slotID))
			case i > 3*(width-1-c.keys):
				dst = append(dst, int32(header>>32&slotID))
			default:
				ids = slot[1+c.keys+i/3].Load() >> (idBits * (i % 3))
				dst = append(dst, int32(ids&slotID))
			}
		}
		return dst, true
	}
	return dst, false
}

// put enters a word of length n that was not found.
func (c *cacheTable) put(k *cacheKey, hash uint64, n int, ids []int32) {
	if len(ids) == 0 || len(ids) > c.most() {
		return
	}
	table, width := c.table.Load(), c.width()
	if table.entered.Add(1) == 1<<c.bits {
		c.table.CompareAndSwap(table, c.fresh())
	}
	first := int(hash >> (64 - c.bits))
	for way := range slotWays {
		at := (first ^ way) * width
		slot := table.words[at : at+width]
		if slot[0].Load() != 0 || !slot[0].CompareAndSwap(0, slotBusy) {
			continue
		}
		for i := range c.keys {
			slot[1+i].Store(k[i])
		}
		header := slotReady | uint64(len(ids))<<8 | uint64(n)
		var packed [3]uint64
		room := width - 1 - c.keys
		for i, id := range ids {
			switch {
			case i == 3*room:
				header |= uint64(id) << 12
			case i > 3*room:
				header |= uint64(id) << 32
			default:
				packed[i/3] |= uint64(id) << (idBits * (i % 3))
			}
		}
		for i := range room {
			slot[1+c.keys+i].Store(packed[i])
		}
		slot[0].Store(header)
		return
	}
}
