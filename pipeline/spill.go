package pipeline

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// What is known of the documents of a unit is on disk, in sections of so many
// documents, so that no corpus and no unit is too large:
//
//	head      7 uint32: documents, ids, keys, sketches; CRC-32C of fates,
//	          of sketches, and of the head itself
//	fates     2 bits a document: duplicates within the section
//	ids       table: 16 bytes of the SHA-256 of the text, number in the section
//	keys      table: 8 bytes of a band's key, number in the section
//	sketches  128 bytes a document
//
// A table is sorted and has an index by the first ten bits of the key, so that
// the same range of keys can be taken from every section in turn: what belongs
// together is found with a part of the table in memory at a time. Numbers are
// little-endian, keys big-endian.

const (
	headSize  = 7 * 4
	blocks    = 1 << 10 // of a table
	indexSize = blocks * 8
	idSize    = 16 + 4
	keySize   = 8 + 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// keyed is a record of a table in memory.
type keyed struct {
	hi, lo uint64 // key
	doc    uint64 // number of the document, in the section or in the corpus
}

func (e keyed) sameKey(o keyed) bool { return e.hi == o.hi && e.lo == o.lo }

func sortKeyed(entries []keyed) {
	slices.SortFunc(entries, func(a, b keyed) int {
		if a.hi != b.hi {
			return cmp.Compare(a.hi, b.hi)
		}
		if a.lo != b.lo {
			return cmp.Compare(a.lo, b.lo)
		}
		return cmp.Compare(a.doc, b.doc)
	})
}

// eachKey calls do for each run of at least two entries with one key.
func eachKey(sorted []keyed, do func([]keyed) error) error {
	for i := 0; i < len(sorted); {
		n := i + 1
		for n < len(sorted) && sorted[n].sameKey(sorted[i]) {
			n++
		}
		if n > i+1 {
			if err := do(sorted[i:n]); err != nil {
				return err
			}
		}
		i = n
	}
	return nil
}

// appendTable appends a table of records of size bytes; entries are sorted.
func appendTable(to []byte, entries []keyed, size int) []byte {
	index := len(to)
	to = append(to, make([]byte, indexSize)...)
	next := 0
	for b := range blocks {
		begin := len(to)
		for ; next < len(entries) && entries[next].hi>>54 == uint64(b); next++ {
			e := entries[next]
			to = binary.BigEndian.AppendUint64(to, e.hi)
			if size == idSize {
				to = binary.BigEndian.AppendUint64(to, e.lo)
			}
			to = binary.LittleEndian.AppendUint32(to, uint32(e.doc))
		}
		at := to[index+8*b:]
		binary.LittleEndian.PutUint32(at, uint32(next))
		binary.LittleEndian.PutUint32(at[4:], crc32.Checksum(to[begin:], castagnoli))
	}
	return to
}

// section is where a section is and what it has.
type section struct {
	path  string
	at    int64  // of its fates, behind the head
	first uint64 // number of its first document in the corpus
	docs  uint32
	ids   uint32
	keys  uint32
	near  bool
	sums  [2]uint32 // of fates and sketches
}

func (s section) fatesSize() int64 { return (int64(s.docs) + 3) / 4 }
func (s section) idsAt() int64     { return s.at + s.fatesSize() }
func (s section) keysAt() int64    { return s.idsAt() + indexSize + int64(s.ids)*idSize }
func (s section) sketchesAt() int64 {
	return s.keysAt() + indexSize + int64(s.keys)*keySize
}

func (s section) end() int64 {
	if !s.near {
		return s.keysAt()
	}
	return s.sketchesAt() + int64(s.docs)*sketchSize
}

// readSections lists the sections of a unit's file.
func readSections(path string, first uint64) ([]section, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, bare(err))
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, bare(err))
	}
	var all []section
	for at := int64(0); ; {
		var head [headSize]byte
		if n, err := file.ReadAt(head[:], at); n == 0 && err == io.EOF {
			return all, nil
		} else if err != nil {
			return nil, spoiled(path, err)
		}
		word := func(i int) uint32 { return binary.LittleEndian.Uint32(head[4*i:]) }
		if crc32.Checksum(head[:headSize-4], castagnoli) != word(6) {
			return nil, spoiled(path, fmt.Errorf("the head at byte %d is damaged", at))
		}
		s := section{
			path: path, at: at + headSize, first: first,
			docs: word(0), ids: word(1), keys: word(2), near: word(3) > 0, sums: [2]uint32{word(4), word(5)},
		}
		all = append(all, s)
		first += uint64(s.docs)
		if at = s.end(); at > info.Size() {
			return nil, spoiled(path, io.ErrUnexpectedEOF)
		}
	}
}

func spoiled(path string, err error) error {
	return fmt.Errorf("read %q: %w: %w (remove the directory it is in and run the same command again)", path, safeio.ErrCorrupt, bare(err))
}

// take appends the entries of the blocks [from, to) of a table, with the numbers
// of documents in the corpus.
func (s section) take(entries []keyed, table int64, size, from, to int) ([]keyed, error) {
	file, err := os.Open(s.path)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", s.path, bare(err))
	}
	defer file.Close()
	// The end of the block before, and end and sum of each.
	index := make([]byte, 8*(to-from+1))
	if from > 0 {
		_, err = file.ReadAt(index, table+8*int64(from-1))
	} else {
		_, err = file.ReadAt(index[8:], table)
	}
	if err != nil {
		return nil, spoiled(s.path, err)
	}
	ends := func(i int) int64 { return int64(binary.LittleEndian.Uint32(index[8*i:])) }
	most := int64(s.ids)
	if size == keySize {
		most = int64(s.keys)
	}
	begin, end := ends(0), ends(to-from)
	if begin > end || end > most || to == blocks && end != most {
		return nil, spoiled(s.path, fmt.Errorf("the index at byte %d is damaged", table))
	}
	data := make([]byte, (end-begin)*int64(size))
	if _, err := file.ReadAt(data, table+indexSize+begin*int64(size)); err != nil && len(data) > 0 {
		return nil, spoiled(s.path, err)
	}
	for i := 1; i <= to-from; i++ {
		a, b := ends(i-1)-begin, ends(i)-begin
		if a > b || b > end-begin || crc32.Checksum(data[a*int64(size):b*int64(size)], castagnoli) != binary.LittleEndian.Uint32(index[8*i+4:]) {
			return nil, spoiled(s.path, fmt.Errorf("block %d of the table at byte %d is damaged", from+i-1, table))
		}
	}
	for ; len(data) > 0; data = data[size:] {
		e := keyed{hi: binary.BigEndian.Uint64(data)}
		if size == idSize {
			e.lo = binary.BigEndian.Uint64(data[8:])
		}
		e.doc = s.first + uint64(binary.LittleEndian.Uint32(data[size-4:]))
		entries = append(entries, e)
	}
	return entries, nil
}

// read returns size bytes at a place of the section, which must have a sum.
func (s section) read(at, size int64, sum uint32) ([]byte, error) {
	file, err := os.Open(s.path)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", s.path, bare(err))
	}
	defer file.Close()
	data := make([]byte, size)
	if _, err := file.ReadAt(data, at); err != nil && size > 0 {
		return nil, spoiled(s.path, err)
	}
	if crc32.Checksum(data, castagnoli) != sum {
		return nil, spoiled(s.path, fmt.Errorf("the %d bytes at %d are damaged", size, at))
	}
	return data, nil
}
