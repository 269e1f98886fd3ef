package tokenize

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
)

// runs are sorted lists of counted words, one behind the other in a temporary file:
// what did not fit into memory. Each word is its length, its bytes and its count.
type runs struct {
	mu   sync.Mutex
	file *os.File
	ends []int64
}

func (r *runs) len() int { return len(r.ends) }

// write appends the words of a table as one run and empties the table.
func (r *runs) write(t *wordTable) error {
	order := make([]uint32, t.len())
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int { return bytes.Compare(t.at(int(a)), t.at(int(b))) })
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.append(t, order); err != nil {
		return fmt.Errorf("keep counted words on disk: %w", err)
	}
	t.reset()
	return nil
}

func (r *runs) append(t *wordTable, order []uint32) error {
	if r.file == nil {
		f, err := os.CreateTemp("", "textwarp-words-*")
		if err != nil {
			return err
		}
		r.file = f
		os.Remove(f.Name()) // where an open file can lose its name, not even a kill leaves it behind
	}
	out := bufio.NewWriterSize(r.file, 1<<16)
	end := int64(0)
	if n := len(r.ends); n > 0 {
		end = r.ends[n-1]
	}
	var head []byte
	for _, i := range order {
		word := t.at(int(i))
		head = binary.AppendUvarint(head[:0], uint64(len(word)))
		head = binary.AppendUvarint(head, uint64(t.counts[i]))
		out.Write(head) // the first error stays in out
		out.Write(word)
		end += int64(len(head) + len(word))
	}
	if err := out.Flush(); err != nil {
		return err
	}
	r.ends = append(r.ends, end)
	return nil
}

// each merges the runs: it calls do once for every distinct word, in their order,
// with the sum of its counts. The word is valid until do returns.
func (r *runs) each(do func(word []byte, n int64)) error {
	var queue heap[*runReader]
	start := int64(0)
	for _, end := range r.ends {
		in := &runReader{in: bufio.NewReaderSize(io.NewSectionReader(r.file, start, end-start), 1<<15)}
		start = end
		if err := in.advance(&queue); err != nil {
			return err
		}
	}
	var word []byte
	for len(queue) > 0 {
		word = append(word[:0], queue[0].word...)
		sum := int64(0)
		for len(queue) > 0 && bytes.Equal(queue[0].word, word) {
			in := queue.pop()
			sum += in.count
			if err := in.advance(&queue); err != nil {
				return err
			}
		}
		do(word, sum)
	}
	return nil
}

func (r *runs) close() {
	if r.file != nil {
		r.file.Close()
		os.Remove(r.file.Name())
	}
}

// runReader reads one run; word and count are where it stands.
type runReader struct {
	in    *bufio.Reader
	word  []byte
	count int64
}

func (a *runReader) Before(b *runReader) bool { return bytes.Compare(a.word, b.word) < 0 }

// advance reads the next word and puts the reader into the queue, if there is one.
func (a *runReader) advance(queue *heap[*runReader]) error {
	length, err := binary.ReadUvarint(a.in)
	if err == io.EOF {
		return nil
	}
	if err == nil {
		var n uint64
		n, err = binary.ReadUvarint(a.in)
		a.count = int64(n)
	}
	if err == nil && length > longestWord {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		a.word = slices.Grow(a.word[:0], int(length))[:length]
		_, err = io.ReadFull(a.in, a.word)
	}
	if err != nil {
		return fmt.Errorf("read counted words from disk: %w", err)
	}
	queue.push(a)
	return nil
}
