package tokenize

import (
	"fmt"
	"math"
	"math/bits"
)

// bpe is a byte-level byte-pair-encoding model: which token each byte is, and
// which pairs of tokens merge into which, best rank first.
type bpe struct {
	bytes  [256]int32
	merges [][2]int32 // in order of rank
	table  pairTable
}

// noRank is the rank of a pair that does not merge.
const noRank = math.MaxInt32

// newBPE checks that every byte has a token and that every merge makes one.
// tokens are raw bytes, not the printable form that the file has.
func newBPE(tokens []string, special []bool, merges [][2]int32) (*bpe, error) {
	m := &bpe{merges: merges}
	for b := range m.bytes {
		m.bytes[b] = -1
	}
	ids := make(map[string]int32, len(tokens))
	for id, token := range tokens {
		if special[id] {
			continue
		}
		ids[token] = int32(id)
		if len(token) == 1 {
			m.bytes[token[0]] = int32(id)
		}
	}
	for b, id := range m.bytes {
		if id < 0 {
			return nil, fmt.Errorf("%w: the vocabulary has no token for byte 0x%02x, so not every text could be encoded", ErrFormat, b)
		}
	}
	m.table = newPairTable(len(merges))
	for rank, pair := range merges {
		a, b := tokens[pair[0]], tokens[pair[1]]
		id, ok := ids[a+b]
		if !ok || special[pair[0]] || special[pair[1]] {
			return nil, fmt.Errorf("%w: merge %d joins %q and %q, but the vocabulary has no such tokens or no token for both", ErrFormat, rank, a, b)
		}
		if !m.table.add(pair, int32(rank), id) {
			return nil, fmt.Errorf("%w: merge %d joins %q and %q a second time", ErrFormat, rank, a, b)
		}
	}
	return m, nil
}

// shortWord is the length in bytes up to which looking for the best pair anew
// after each merge beats keeping a heap.
const shortWord = 48

// merge appends the tokens of one word to dst: its bytes, joined pair by pair,
// always the pair of lowest rank and of these the leftmost.
func (m *bpe) merge(dst []int32, word string) []int32 {
	if len(word) > shortWord {
		return m.mergeLong(dst, word)
	}
	var ids, ranks [shortWord]int32 // ranks[i] is the rank of the pair ids[i], ids[i+1]
	var made [shortWord]int32       // and made[i] the token that it makes
	n := len(word)
	for i := range n {
		ids[i] = m.bytes[word[i]]
		if i > 0 {
			ranks[i-1], made[i-1] = m.table.find(ids[i-1], ids[i])
		}
	}
	for n > 1 {
		best := 0
		for i := 1; i < n-1; i++ {
			if ranks[i] < ranks[best] {
				best = i
			}
		}
		if ranks[best] == noRank {
			break
		}
		ids[best] = made[best]
		copy(ids[best+1:n-1], ids[best+2:n])
		if best+1 < n-1 {
			copy(ranks[best+1:n-2], ranks[best+2:n-1])
			copy(made[best+1:n-2], made[best+2:n-1])
		}
		n--
		if best > 0 {
			ranks[best-1], made[best-1] = m.table.find(ids[best-1], ids[best])
		}
		if best < n-1 {
			ranks[best], made[best] = m.table.find(ids[best], ids[best+1])
		}
	}
	return append(dst, ids[:n]...)
}

// symbol is one token of a long word in a doubly linked list.
type symbol struct {
	id         int32 // -1 once merged into the symbol before it
	prev, next int32 // -1 at the ends
}

// candidate is a pair that could merge: its rank, above the position of its left
// symbol, so that the order of numbers is the order of merging.
type candidate uint64

func (a candidate) Before(b candidate) bool { return a < b }

// mergeLong is merge for words of any length n, in O(n log n) time: a heap of
// candidates, where those that other merges overtook are dropped when they come up.
func (m *bpe) mergeLong(dst []int32, word string) []int32 {
	list := make([]symbol, len(word))
	for i := range list {
		list[i] = symbol{id: m.bytes[word[i]], prev: int32(i - 1), next: int32(i + 1)}
	}
	list[len(list)-1].next = -1
	// pairAt is what the symbol at pos and the one after it merge into.
	pairAt := func(pos int32) (rank, made int32) {
		s := list[pos]
		if s.id < 0 || s.next < 0 {
			return noRank, -1
		}
		return m.table.find(s.id, list[s.next].id)
	}
	var queue heap[candidate]
	offer := func(pos int32) {
		if rank, _ := pairAt(pos); rank != noRank {
			queue.push(candidate(rank)<<32 | candidate(pos))
		}
	}
	for i := range list {
		offer(int32(i))
	}
	for len(queue) > 0 {
		c := queue.pop()
		pos := int32(c)
		rank, made := pairAt(pos)
		if rank != int32(c>>32) {
			continue
		}
		s := &list[pos]
		s.id = made
		list[s.next].id, s.next = -1, list[s.next].next
		if s.next >= 0 {
			list[s.next].prev = pos
		}
		if s.prev >= 0 {
			offer(s.prev)
		}
		offer(pos)
	}
	for i := int32(0); i >= 0; i = list[i].next {
		dst = append(dst, list[i].id)
	}
	return dst
}

// pairTable is a hash table from a pair of tokens to its rank and the token it
// makes; open addressing, at most half full.
type pairTable struct {
	slots []pairSlot
	shift uint
}

type pairSlot struct {
	key  uint64 // left and right token, plus one so that zero means empty
	rank int32
	made int32
}

func newPairTable(n int) pairTable {
	size := bits.Len(uint(2*n + 1))
	return pairTable{slots: make([]pairSlot, 1<<size), shift: 64 - uint(size)}
}

func pairKey(left, right int32) uint64 { return uint64(left)<<32 | uint64(right) + 1 }

// start is where to look for key first (Fibonacci hashing, Knuth vol. 3, 6.4).
func (t *pairTable) start(key uint64) int { return int(key * 0x9e3779b97f4a7c15 >> t.shift) }

// add reports false if the pair is there already.
func (t *pairTable) add(pair [2]int32, rank, made int32) bool {
	key := pairKey(pair[0], pair[1])
	i := t.start(key)
	for ; t.slots[i].key != 0; i = (i + 1) & (len(t.slots) - 1) {
		if t.slots[i].key == key {
			return false
		}
	}
	t.slots[i] = pairSlot{key, rank, made}
	return true
}

// find returns the rank of a pair and the token it makes, or noRank.
func (t *pairTable) find(left, right int32) (rank, made int32) {
	key := pairKey(left, right)
	for i := t.start(key); t.slots[i].key != 0; i = (i + 1) & (len(t.slots) - 1) {
		if t.slots[i].key == key {
			return t.slots[i].rank, t.slots[i].made
		}
	}
	return noRank, -1
}
