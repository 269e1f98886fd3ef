package pipeline

import (
	"bufio"
	"bytes"
	"io"
)

// csvReader gives the fields of one column, record by record, and holds no
// other: a field that never ends costs no memory. It reads what RFC 4180
// describes and forgives what it does not: a quote inside a field stands for
// itself, records need not be equally long, lines end as they like. In a .tsv
// source, as in its registration with IANA, quotes have no meaning.
type csvReader struct {
	in    *bufio.Reader
	comma byte
	quote bool
	pos   int64 // of the next byte

	column int    // that is kept
	buf    []byte // what the record has of it
	quoted int    // how much of buf stood in quotes
	lost   bool   // it is too long
	torn   bool   // the source ended inside quotes
}

// newCSV reads the header of a source. The reader is nil if it has no column of
// that name.
func newCSV(r *bufio.Reader, k kind, column string) (*csvReader, error) {
	if head, _ := r.Peek(3); bytes.Equal(head, utf8Mark) {
		r.Discard(3)
	}
	c := &csvReader{in: r, comma: ',', quote: true}
	if k == kindTSV {
		c.comma, c.quote = '\t', false
	}
	for c.column = 0; ; c.column++ {
		last, err := c.field(true)
		if err != nil && err != io.EOF {
			return nil, err
		}
		if !c.lost && string(bytes.TrimSpace(c.buf)) == column {
			for !last && err == nil {
				last, err = c.field(false)
			}
			c.torn = false
			if err == io.EOF {
				err = nil
			}
			return c, err
		}
		if last {
			return nil, nil
		}
	}
}

// next returns a record as a piece, or io.EOF.
func (c *csvReader) next() (piece, error) {
	p := piece{start: c.pos, offset: c.pos, form: formValue}
	if c.blank() {
		return p, nil
	}
	if _, err := c.in.Peek(1); err != nil {
		return piece{}, err
	}
	fields := 0
	for last := false; !last; fields++ {
		var err error
		if last, err = c.field(fields == c.column); err != nil && err != io.EOF {
			return piece{}, err
		}
	}
	switch {
	case c.torn:
		p.loss = lossMalformed
	case fields <= c.column:
		p.loss = lossNoText
	case c.lost:
		p.loss = lossLong
	default:
		p.text = c.buf
	}
	return p, nil
}

func (c *csvReader) extent() int64 { return c.pos }

// blank passes over an empty line, which is no record.
func (c *csvReader) blank() bool {
	for _, line := range []string{"\n", "\r\n"} {
		if b, _ := c.in.Peek(len(line)); string(b) == line {
			c.skip(len(line))
			return true
		}
	}
	return false
}

// field reads a field, and says whether it was the last of its record. It is
// kept in buf if keep is set.
func (c *csvReader) field(keep bool) (last bool, err error) {
	if keep {
		c.buf, c.quoted, c.lost = c.buf[:0], 0, false
	}
	quoted := c.quote && c.follows('"')
	for {
		if _, err := c.in.Peek(1); err != nil {
			c.torn = quoted && err == io.EOF
			return true, err
		}
		b, _ := c.in.Peek(c.in.Buffered())
		if quoted {
			i := bytes.IndexByte(b, '"')
			if i < 0 {
				c.keep(b, keep)
				c.skip(len(b))
				continue
			}
			c.keep(b[:i], keep)
			c.skip(i + 1)
			if c.follows('"') {
				c.keep([]byte{'"'}, keep)
			} else {
				quoted = false
			}
			if keep {
				c.quoted = len(c.buf)
			}
			continue
		}
		i := 0
		for i < len(b) && b[i] != c.comma && b[i] != '\n' {
			i++
		}
		c.keep(b[:i], keep)
		if i == len(b) {
			c.skip(i)
			continue
		}
		last = b[i] == '\n'
		c.skip(i + 1)
		if last && keep && len(c.buf) > c.quoted {
			c.buf = bytes.TrimSuffix(c.buf, []byte("\r"))
		}
		return last, nil
	}
}

// follows passes over a byte if it is next.
func (c *csvReader) follows(want byte) bool {
	b, _ := c.in.Peek(1)
	if len(b) == 1 && b[0] == want {
		c.skip(1)
		return true
	}
	return false
}

func (c *csvReader) skip(n int) {
	c.in.Discard(n)
	c.pos += int64(n)
}

func (c *csvReader) keep(b []byte, keep bool) {
	switch {
	case !keep || c.lost:
	case len(c.buf)+len(b) > maxLine:
		c.lost, c.buf = true, c.buf[:0]
	default:
		c.buf = append(c.buf, b...)
	}
}
