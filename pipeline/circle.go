package pipeline

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sort"
)

// circle is a shard as training reads it: its documents one behind the other,
// EOS after each.
type circle interface {
	len() int
	// copy copies the tokens from a place on to dst, and on around the end.
	copy(dst []int32, from int) error
	close()
}

// decoded is a circle in memory, in the width of its file.
type decoded[T uint16 | uint32] []T

func (d decoded[T]) len() int { return len(d) }
func (decoded[T]) close()     {}

func (d decoded[T]) copy(dst []int32, from int) error {
	for len(dst) > 0 {
		n := min(len(dst), len(d)-from)
		for i, id := range d[from : from+n] {
			dst[i] = int32(id)
		}
		dst, from = dst[n:], 0
	}
	return nil
}

// mapped is a circle whose tokens stay where they are, in the mapping of an
// Arrow file. What is copied out of it refers to nothing in it, so that it can
// be unmapped between two copies.
//
// The file was checked when it was mapped, but the mapping shows what becomes of
// it later. A file that is cut short gives a fault, one that is written to gives
// other numbers: both are errors of copy.
type mapped[T uint16 | uint32] struct {
	info   ShardInfo
	data   mapping
	blocks []block[T]
	n      int
	eos    int32 // -1: none
	vocab  uint32
}

// block is a record batch: document d is values[offsets[d]:offsets[d+1]].
type block[T uint16 | uint32] struct {
	start   int // of its first token in the circle
	offsets []int32
	values  []T
}

func (m *mapped[T]) len() int { return m.n }
func (m *mapped[T]) close()   { m.data.close() }

// ends is the number of tokens that end a document in the circle.
func (m *mapped[T]) ends() int {
	if m.eos < 0 {
		return 0
	}
	return 1
}

// add appends a record batch.
func (m *mapped[T]) add(offsets []int32, values []T) error {
	if len(offsets) == 0 || offsets[0] < 0 || int(offsets[len(offsets)-1]) > len(values) {
		return damaged(m.info, errors.New("its lists of tokens reach beyond the tokens"))
	}
	for d := range len(offsets) - 1 {
		if offsets[d+1] < offsets[d] {
			return damaged(m.info, fmt.Errorf("its list of tokens %d ends before it begins", d))
		}
	}
	m.blocks = append(m.blocks, block[T]{m.n, offsets, values})
	documents := len(offsets) - 1
	m.n += int(offsets[documents]-offsets[0]) + documents*m.ends()
	return nil
}

func (m *mapped[T]) copy(dst []int32, from int) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = damaged(m.info, fmt.Errorf("it changed while it was read: %v", r))
		}
	}()
	for len(dst) > 0 {
		b := &m.blocks[sort.Search(len(m.blocks), func(i int) bool { return m.blocks[i].start > from })-1]
		n, sound := m.copyBlock(dst, b, from-b.start)
		if n == 0 || !sound {
			return damaged(m.info, errors.New("it changed while it was read"))
		}
		dst, from = dst[n:], from+n
		if from == m.n {
			from = 0
		}
	}
	return nil
}

// copyBlock copies from a place of a block to its end, or until dst is full.
func (m *mapped[T]) copyBlock(dst []int32, b *block[T], at int) (n int, sound bool) {
	first, ends := int(b.offsets[0]), m.ends()
	begin := func(d int) int { return int(b.offsets[d]) - first + d*ends }
	d := sort.Search(len(b.offsets)-1, func(d int) bool { return begin(d) > at }) - 1
	skip := at - begin(d)
	for ; d < len(b.offsets)-1 && n < len(dst); d++ {
		document := b.values[int(b.offsets[d])+skip : b.offsets[d+1]]
		skip = 0
		document = document[:min(len(document), len(dst)-n)]
		for i, id := range document {
			if uint32(id) >= m.vocab {
				return n, false
			}
			dst[n+i] = int32(id)
		}
		if n += len(document); n < len(dst) && ends > 0 {
			dst[n] = m.eos
			n++
		}
	}
	return n, true
}
