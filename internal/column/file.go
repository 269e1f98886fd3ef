package column

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// ErrNone says that a file has no column of strings of the name that was asked
// for.
var ErrNone = errors.New("no such column of strings")

const (
	magic     = "PAR1"
	encrypted = "PARE"
	maxGroups = 1 << 18
)

// File is one column of a Parquet file.
type File struct {
	Groups []Group

	r        io.ReaderAt
	optional bool
}

// Group is what a row group has of the column, as the footer states it.
type Group struct {
	Rows  int64
	Bytes int64 // unpacked

	codec  int64
	offset int64 // of its first page
	stored int64
}

// Open reads the footer of a file of size bytes. The column may have at most
// limit rows, and as many bytes by what the footer states.
func Open(r io.ReaderAt, size int64, name string, limit int64) (*File, error) {
	at, n, err := footer(r, size)
	if err != nil {
		return nil, err
	}
	f := &File{r: r}
	c := &compact{in: bufio.NewReaderSize(io.NewSectionReader(r, at, n), 64<<10)}
	leaf, rows, total, bytes := -1, int64(-1), int64(0), int64(0)
	c.fields(func(id int64, t byte) {
		switch {
		case id == 2 && t == typeList:
			leaf = f.schema(c, name)
			if leaf < 0 && c.err == nil {
				c.err = ErrNone
			}
		case id == 3 && t == typeInt64:
			rows = c.int()
		case id == 4 && t == typeList:
			if leaf < 0 {
				c.fail("its row groups come before its schema")
			}
			c.list(typeStruct, func(i int) {
				g := rowGroup(c, leaf, at)
				switch {
				case c.err != nil:
					return
				case i >= maxGroups:
					c.err = fmt.Errorf("%w: it has more than %d row groups", safeio.ErrLimit, maxGroups)
				case g.Rows > limit-total || g.Bytes > limit-bytes:
					c.err = fmt.Errorf("%w: it states more than %d rows or bytes, which is too much for its size", safeio.ErrLimit, limit)
				default:
					total, bytes = total+g.Rows, bytes+g.Bytes
					f.Groups = append(f.Groups, g)
				}
			})
		default:
			c.skip(t, 0)
		}
	})
	switch {
	case c.err != nil:
		return nil, c.err
	case leaf < 0:
		return nil, fmt.Errorf("%w: it has no schema", safeio.ErrCorrupt)
	case rows != total:
		return nil, fmt.Errorf("%w: it states %d rows, its row groups %d", safeio.ErrCorrupt, rows, total)
	}
	return f, nil
}

// footer is where the metadata stand.
func footer(r io.ReaderAt, size int64) (at, n int64, err error) {
	var head [4]byte
	var tail [8]byte
	if size < int64(len(head)+len(tail)) {
		return 0, 0, fmt.Errorf("%w: %d bytes are no Parquet file", safeio.ErrCorrupt, size)
	}
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return 0, 0, err
	}
	if _, err := r.ReadAt(tail[:], size-8); err != nil && err != io.EOF {
		return 0, 0, err
	}
	switch {
	case string(tail[4:]) == encrypted || string(head[:]) == encrypted:
		return 0, 0, fmt.Errorf("%w: it is encrypted", safeio.ErrCorrupt)
	case string(head[:]) != magic || string(tail[4:]) != magic:
		return 0, 0, fmt.Errorf("%w: it does not begin and end as Parquet does (truncated?)", safeio.ErrCorrupt)
	}
	n = int64(binary.LittleEndian.Uint32(tail[:]))
	if n > size-12 {
		return 0, 0, fmt.Errorf("%w: a footer of %d bytes in a file of %d", safeio.ErrCorrupt, n, size)
	}
	return size - 8 - n, n, nil
}

// schema returns the number of the column among the leaves of the schema, or
// -1. The tree comes as a list, children behind their parent.
func (f *File) schema(c *compact, name string) int {
	found, leaves := -1, 0
	var open []int64 // children to come, of the nodes above
	c.list(typeStruct, func(i int) {
		e := schemaElement(c)
		if c.err != nil {
			return
		}
		if i > 0 {
			for len(open) > 0 && open[len(open)-1] == 0 {
				open = open[:len(open)-1]
			}
			if len(open) == 0 || len(open) > maxNesting {
				c.fail("its schema is no tree, or a deep one")
				return
			}
			open[len(open)-1]--
			if len(open) == 1 && e.children == 0 && e.text && e.name == name && found < 0 {
				found, f.optional = leaves, e.optional
			}
		}
		if e.children > 0 || i == 0 {
			open = append(open, e.children)
		} else {
			leaves++
		}
	})
	return found
}

type element struct {
	name           string
	children       int64
	optional, text bool
}

func schemaElement(c *compact) element {
	var e element
	kind, repetition, converted := int64(-1), int64(0), int64(-1)
	c.fields(func(id int64, t byte) {
		switch {
		case id == 1 && t == typeInt32:
			kind = c.int()
		case id == 3 && t == typeInt32:
			repetition = c.int()
		case id == 4 && t == typeBinary:
			e.name = c.string()
		case id == 5 && t == typeInt32:
			e.children = c.int()
		case id == 6 && t == typeInt32:
			converted = c.int()
		default:
			c.skip(t, 0)
		}
	})
	const byteArray, decimal = 6, 5
	e.text = kind == byteArray && converted != decimal && repetition < 2
	e.optional = repetition == 1
	if e.children < 0 {
		c.fail("a node of its schema has %d children", e.children)
	}
	return e
}

// rowGroup reads what a row group says of a column. Pages end before byte end
// of the file.
func rowGroup(c *compact, leaf int, end int64) Group {
	var g Group
	rows, values, found := int64(-1), int64(-2), false
	c.fields(func(id int64, t byte) {
		switch {
		case id == 1 && t == typeList:
			c.list(typeStruct, func(i int) {
				if i != leaf {
					c.skip(typeStruct, 0)
					return
				}
				found = true
				values = g.chunk(c)
			})
		case id == 3 && t == typeInt64:
			rows = c.int()
		default:
			c.skip(t, 0)
		}
	})
	switch {
	case c.err != nil:
	case !found:
		c.fail("a row group lacks the column")
	case rows != values:
		c.fail("a row group of %d rows has %d values", rows, values)
	case rows < 0 || g.Bytes < 0:
		c.fail("a row group has %d rows and %d bytes", rows, g.Bytes)
	case g.offset < 4 || g.stored < 0 || g.offset > end || g.stored > end-g.offset:
		c.fail("%d bytes of pages at byte %d of a file that has %d of them", g.stored, g.offset, end)
	}
	g.Rows = rows
	return g
}

// chunk reads where the pages of a column are, and returns how many values they
// hold.
func (g *Group) chunk(c *compact) int64 {
	values, data, dictionary, kind := int64(-1), int64(0), int64(0), int64(-1)
	c.fields(func(id int64, t byte) {
		switch {
		case id == 1 && t == typeBinary:
			if c.string() != "" {
				c.fail("a column is in another file")
			}
		case id == 3 && t == typeStruct:
			c.fields(func(id int64, t byte) {
				number := t == typeInt32 || t == typeInt64
				switch {
				case id == 1 && number:
					kind = c.int()
				case id == 4 && number:
					g.codec = c.int()
				case id == 5 && number:
					values = c.int()
				case id == 6 && number:
					g.Bytes = c.int()
				case id == 7 && number:
					g.stored = c.int()
				case id == 9 && number:
					data = c.int()
				case id == 11 && number:
					dictionary = c.int()
				default:
					c.skip(t, 0)
				}
			})
		case id == 8 || id == 9:
			c.fail("a column is encrypted")
		default:
			c.skip(t, 0)
		}
	})
	if kind != 6 && c.err == nil {
		c.fail("a row group has the column with the type %d", kind)
	}
	if g.offset = data; dictionary > 0 && dictionary < data {
		g.offset = dictionary
	}
	return values
}
