package column

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// Types of the compact protocol of Thrift.
const (
	typeStop   = 0
	typeTrue   = 1
	typeFalse  = 2
	typeByte   = 3
	typeInt16  = 4
	typeInt32  = 5
	typeInt64  = 6
	typeDouble = 7
	typeBinary = 8
	typeList   = 9
	typeSet    = 10
	typeMap    = 11
	typeStruct = 12
)

const (
	maxNesting = 32      // of values that are passed over
	maxName    = 1 << 10 // bytes of a string that is kept
)

// compact reads the compact protocol of Thrift from a stream. Its first failure
// stays: what is read afterwards is zero, and every loop ends.
type compact struct {
	in  *bufio.Reader
	err error
}

func (c *compact) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("%w: "+format, append([]any{safeio.ErrCorrupt}, args...)...)
	}
}

func (c *compact) failed(err error) {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		c.fail("its metadata end too early")
	} else if c.err == nil {
		c.err = err
	}
}

func (c *compact) byte() byte {
	if c.err != nil {
		return 0
	}
	b, err := c.in.ReadByte()
	if err != nil {
		c.failed(err)
	}
	return b
}

func (c *compact) uvarint() uint64 {
	if c.err != nil {
		return 0
	}
	v, err := binary.ReadUvarint(c.in)
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		c.failed(err)
	case err != nil:
		c.fail("a number in its metadata is too long")
	}
	return v
}

// int reads an integer of any width.
func (c *compact) int() int64 {
	u := c.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func (c *compact) discard(n uint64) {
	if c.err != nil {
		return
	}
	if n > 1<<40 {
		c.fail("a string in its metadata has %d bytes", n)
		return
	}
	for n > 0 {
		k, err := c.in.Discard(int(min(n, 1<<20)))
		if err != nil {
			c.failed(err)
			return
		}
		n -= uint64(k)
	}
}

// string reads a string; a long one is passed over and "".
func (c *compact) string() string {
	n := c.uvarint()
	if n > maxName {
		c.discard(n)
		return ""
	}
	b := make([]byte, n)
	if c.err == nil {
		if _, err := io.ReadFull(c.in, b); err != nil {
			c.failed(err)
			return ""
		}
	}
	return string(b)
}

// fields calls do for each field of a struct, with its type; do consumes the
// value.
func (c *compact) fields(do func(id int64, t byte)) {
	var id int64
	for c.err == nil {
		b := c.byte()
		t := b & 15
		if t == typeStop || c.err != nil {
			return
		}
		if delta := int64(b >> 4); delta != 0 {
			id += delta
		} else {
			id = c.int()
		}
		do(id, t)
	}
}

// list calls do for each element of a list, if it has the type that is wanted.
func (c *compact) list(want byte, do func(i int)) {
	b := c.byte()
	n, t := uint64(b>>4), b&15
	if n == 15 {
		n = c.uvarint()
	}
	if t != want && n > 0 {
		c.fail("its metadata have a list of type %d where type %d belongs", t, want)
	}
	for i := 0; uint64(i) < n && c.err == nil; i++ {
		do(i)
	}
}

// skip passes over a value.
func (c *compact) skip(t byte, nesting int) {
	if nesting > maxNesting {
		c.fail("its metadata nest too deep")
		return
	}
	switch t {
	case typeTrue, typeFalse: // the type is the value
	case typeByte:
		c.byte()
	case typeInt16, typeInt32, typeInt64:
		c.uvarint()
	case typeDouble:
		c.discard(8)
	case typeBinary:
		c.discard(c.uvarint())
	case typeStruct:
		c.fields(func(_ int64, t byte) { c.skip(t, nesting+1) })
	case typeList, typeSet:
		b := c.byte()
		n := uint64(b >> 4)
		if n == 15 {
			n = c.uvarint()
		}
		for ; n > 0 && c.err == nil; n-- {
			c.skipElement(b&15, nesting+1)
		}
	case typeMap:
		n := c.uvarint()
		if n == 0 {
			return
		}
		b := c.byte()
		for ; n > 0 && c.err == nil; n-- {
			c.skipElement(b>>4, nesting+1)
			c.skipElement(b&15, nesting+1)
		}
	default:
		c.fail("its metadata have a value of type %d", t)
	}
}

// skipElement passes over an element of a collection, where a truth value takes
// a byte.
func (c *compact) skipElement(t byte, nesting int) {
	if t == typeTrue || t == typeFalse {
		c.byte()
		return
	}
	c.skip(t, nesting)
}
