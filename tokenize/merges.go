package tokenize

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"strings"
	"unsafe"
)

// noRank is the rank of a pair that does not merge.
const noRank = ^uint32(0)

// parseMerges reads the merges: strings "left right", or pairs [left, right].
func (m *bpe) parseMerges(value json.RawMessage) error {
	j := &jsonScanner{data: value}
	var left, both []byte
	j.list('[', ']', func() {
		var right []byte
		if j.peek() == '[' {
			sides := 0
			j.list('[', ']', func() {
				side, _ := j.text()
				if sides == 0 {
					left = append(left[:0], side...)
				}
				right = append(both[:0], side...)
				sides++
			})
			if j.err == nil && sides != 2 {
				j.fail("a merge of %d tokens, not of two", sides)
			}
			both = right
		} else {
			pair, ok := j.text()
			if !ok || bytes.HasPrefix(pair, []byte("#version")) {
				return
			}
			k := bytes.IndexByte(pair, ' ')
			if k < 0 || bytes.IndexByte(pair[k+1:], ' ') >= 0 {
				j.fail("merge %q is not a pair of tokens", pair)
				return
			}
			left, right = append(left[:0], pair[:k]...), pair[k+1:]
		}
		if j.err == nil {
			if err := m.addMerge(view(left), view(right)); err != nil {
				j.fail("%v", err)
			}
		}
	})
	if err := j.end(); err != nil {
		return err
	}
	m.fillTable()
	return nil
}

// view is a string of bytes that do not change while it is in use.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// addMerge appends a merge of two tokens in the form of the file.
func (m *bpe) addMerge(left, right string) error {
	a, b := m.v.id(left), m.v.id(right)
	if a < 0 || b < 0 {
		missing := left
		if a >= 0 {
			missing = right
		}
		return fmt.Errorf("merge %d names %q, which is not in the vocabulary", len(m.merges), missing)
	}
	made := int32(-1)
	if n := len(m.made); n > 0 { // most often the token after the one before
		made = m.made[n-1] + 1
	}
	if !m.v.has(made) || !isJoin(m.v.tokens[made], left, right) {
		if made = m.v.id(left + right); made < 0 {
			return fmt.Errorf("merge %d joins %q and %q, but the vocabulary has no token for both", len(m.merges), left, right)
		}
	}
	if len(m.merges) == maxMerges {
		return errors.New("too many merges")
	}
	m.merges = append(m.merges, [2]int32{a, b})
	m.made = append(m.made, made)
	return nil
}

func isJoin(s, left, right string) bool {
	return len(s) == len(left)+len(right) && strings.HasPrefix(s, left) && strings.HasSuffix(s, right)
}

func (m *bpe) fillTable() {
	m.table = newPairTable(len(m.merges))
	for rank, pair := range m.merges {
		m.table.add(pair[0], pair[1], uint32(rank))
	}
}

// MarshalJSON writes the model as Hugging Face tokenizers lays it out. Merges are
// written as "left right", which all its versions read, unless a token has a space.
func (m *bpe) MarshalJSON() ([]byte, error) {
	vocab, err := m.v.MarshalJSON()
	if err != nil {
		return nil, err
	}
	out := marshal(m.config)
	out = append(out[:len(out)-1], `,"vocab":`...)
	out = append(out, vocab...)
	out = append(out, `,"merges":[`...)
	join, start, end := " ", "", ""
	for _, pair := range m.merges {
		left, right := m.v.tokens[pair[0]], m.v.tokens[pair[1]]
		if strings.Contains(left, " ") || strings.Contains(right, " ") || strings.HasPrefix(left, "#version") {
			join, start, end = `","`, "[", "]"
			break
		}
	}
	for rank, pair := range m.merges {
		if rank > 0 {
			out = append(out, ',')
		}
		left, right := appendJSONString(nil, m.v.tokens[pair[0]]), appendJSONString(nil, m.v.tokens[pair[1]])
		out = append(out, start...)
		out = append(out, left[:len(left)-1]...)
		out = append(out, join...)
		out = append(out, right[1:]...)
		out = append(out, end...)
	}
	return append(out, "]}"...), nil
}

// The parts of a slot of the pair table: two ids and a rank.
const (
	idBits    = 20 // maxVocab
	rankBits  = 64 - 2*idBits
	maxMerges = 1<<rankBits - 1
)

// pairTable is a hash table from a pair of tokens to its rank; open addressing, at
// most half full. A slot is left id, right id, rank plus one; zero is an empty one.
type pairTable struct {
	slots []uint64
	shift uint
}

func newPairTable(n int) pairTable {
	size := bits.Len(uint(2*n + 1))
	return pairTable{slots: make([]uint64, 1<<size), shift: 64 - uint(size)}
}

func pairKey(left, right int32) uint64 {
	return uint64(left)<<(idBits+rankBits) | uint64(right)<<rankBits
}

// start is where to look for key first (Fibonacci hashing, Knuth vol. 3, 6.4).
func (t *pairTable) start(key uint64) uint64 { return key * 0x9e3779b97f4a7c15 >> t.shift }

// add enters a pair. Of two equal pairs the later counts.
func (t *pairTable) add(left, right int32, rank uint32) {
	key := pairKey(left, right)
	i := t.start(key)
	for ; t.slots[i] != 0 && t.slots[i]>>rankBits != key>>rankBits; i = (i + 1) & uint64(len(t.slots)-1) {
	}
	t.slots[i] = key | uint64(rank+1)
}

// find returns the rank of a pair, or noRank.
func (t *pairTable) find(left, right int32) uint32 {
	key := pairKey(left, right)
	mask := uint64(len(t.slots) - 1)
	for i := t.start(key) & mask; ; i = (i + 1) & mask {
		slot := t.slots[i&mask]
		if slot>>rankBits == key>>rankBits && slot != 0 {
			return uint32(slot&maxMerges) - 1
		}
		if slot == 0 {
			return noRank
		}
	}
}
