package pipeline

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// The file of duplicates says for every unit which of its documents to leave
// out:
//
//	lists    for each unit, in order: uvarints 2d + n, where d is the distance
//	         from the document behind the last one left out, and n is 1 for a
//	         near-duplicate
//	index    for each unit: end of its list (uint64), CRC-32C of its number and
//	         its list (uint32)
//	trailer  number of units (uint64), "twdrops1"
//
// Whoever makes a unit, wherever, needs nothing else to know of the comparison
// of all documents.

const (
	dropsMagic   = "twdrops1"
	dropsEntry   = 8 + 4
	dropsTrailer = 8 + len(dropsMagic)
)

// writeDrops writes the lists of the units, which have so many documents each.
func writeDrops(w io.Writer, docs []uint64, all fates) error {
	var index, list []byte
	var first, end uint64
	for u, n := range docs {
		list = list[:0]
		next := uint64(0)
		for i := range n {
			if f := all.get(first + i); f != keep {
				v := (i - next) << 1
				if f == nearby {
					v |= 1
				}
				list = binary.AppendUvarint(list, v)
				next = i + 1
			}
		}
		if _, err := w.Write(list); err != nil {
			return err
		}
		first += n
		end += uint64(len(list))
		index = binary.LittleEndian.AppendUint64(index, end)
		index = binary.LittleEndian.AppendUint32(index, dropsSum(u, list))
	}
	index = binary.LittleEndian.AppendUint64(index, uint64(len(docs)))
	_, err := w.Write(append(index, dropsMagic...))
	return err
}

func dropsSum(unit int, list []byte) uint32 {
	sum := crc32.Checksum(binary.LittleEndian.AppendUint64(nil, uint64(unit)), castagnoli)
	return crc32.Update(sum, castagnoli, list)
}

// readDrops returns the list of a unit.
func readDrops(path string, unit int) (*dropList, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the list of duplicates %q: %w", path, bare(err))
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("read the list of duplicates %q: %w", path, bare(err))
	}
	list, ok := findDrops(file, info.Size(), unit)
	if !ok {
		return nil, fmt.Errorf("read the list of duplicates %q: %w: the part of unit %d is damaged (remove the file and run the same command again)", path, safeio.ErrCorrupt, unit)
	}
	return &dropList{data: list, next: -1}, nil
}

func findDrops(file io.ReaderAt, size int64, unit int) (list []byte, ok bool) {
	var trailer [dropsTrailer]byte
	if _, err := file.ReadAt(trailer[:], size-int64(len(trailer))); err != nil || string(trailer[8:]) != dropsMagic {
		return nil, false
	}
	units := binary.LittleEndian.Uint64(trailer[:])
	lists := size - int64(len(trailer)) - int64(units)*dropsEntry // where they end
	if units > uint64(size) || lists < 0 || unit < 0 || uint64(unit) >= units {
		return nil, false
	}
	var entries [2 * dropsEntry]byte // of the unit before and of this one
	if unit == 0 {
		_, err := file.ReadAt(entries[dropsEntry:], lists)
		ok = err == nil
	} else {
		_, err := file.ReadAt(entries[:], lists+int64(unit-1)*dropsEntry)
		ok = err == nil
	}
	from, to := binary.LittleEndian.Uint64(entries[:]), binary.LittleEndian.Uint64(entries[dropsEntry:])
	if !ok || from > to || to > uint64(lists) {
		return nil, false
	}
	list = make([]byte, to-from)
	if n, _ := file.ReadAt(list, int64(from)); n != len(list) {
		return nil, false
	}
	return list, dropsSum(unit, list) == binary.LittleEndian.Uint32(entries[dropsEntry+8:])
}

// dropList goes along the documents of a unit. That of nil keeps them all.
type dropList struct {
	data []byte
	seen int64 // documents
	next int64 // to be left out, if at least seen; else it is to be read
	why  fate
}

// fate says what becomes of the next document.
func (l *dropList) fate() fate {
	if l == nil {
		return keep
	}
	if l.next < l.seen && len(l.data) > 0 {
		v, n := binary.Uvarint(l.data)
		l.data = l.data[max(n, 1):]
		l.next, l.why = l.seen+int64(v>>1), exact+fate(v&1)
	}
	l.seen++
	if l.next == l.seen-1 {
		return l.why
	}
	return keep
}

// filter hands on the documents that stay and counts the others.
func (l *dropList) filter(report *Report, do func(Doc) error) func(Doc) error {
	return func(d Doc) error {
		switch l.fate() {
		case exact:
			report.Duplicates++
			return nil
		case nearby:
			report.NearDuplicates++
			return nil
		}
		return do(d)
	}
}
