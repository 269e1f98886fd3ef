package pipeline

import (
	"bufio"
	"bytes"
	"io"
	"unicode/utf8"
)

// piece is a document as it stands in a source, or a part of a long one, or a
// line of a .jsonl source that holds a document.
type piece struct {
	start  int64  // where its document begins in the source, which decides the unit
	offset int64  // where it begins itself in its file; of Parquet, its row
	text   []byte // without its line end; valid until the next call
	form   form   // of text
	cut    bool   // it is the first of several parts
	loss   loss   // why it is no document; text is empty then
}

// form is what the text of a piece is.
type form uint8

const (
	formText  form = iota // a document, or a part of one
	formJSON              // an object that holds one
	formValue             // one of any length
)

// loss is why a piece gives no document.
type loss uint8

const (
	lossNone loss = iota
	lossLong
	lossMalformed
	lossNoText
)

// scanner reads the pieces of a source in order. It can begin anywhere and then
// gives the very pieces that a scanner from the beginning gives from there on:
//
//	line   a document begins behind "\n"
//	blank  a document begins behind "\n\n" or "\n\r\n"
//	file   part k begins at the last good place of the search bytes before
//	       k times the part size
//
// so it looks at 1, 3 or search bytes before the place first.
type scanner struct {
	in  *bufio.Reader
	pos int64 // of the next byte of in
	bom int64 // bytes of a byte order mark, which is part of the first document

	layout

	buf   []byte // what is being collected; it ends at pos
	used  int    // bytes of buf that the last piece took
	at    int64  // where buf begins
	start int64  // where the document in it begins
	part  int64  // number of the next part (file)
	open  bool   // buf continues a document that has been cut
	line  int    // where the current line begins in buf; negative: before it
	lost  bool   // before the first beginning
}

// layout says how a source is separated into pieces.
type layout struct {
	mode   string
	json   bool // a line is an object; one above limit is lost, not cut
	limit  int  // bytes of a part, or of a .jsonl line
	search int  // how far before its end a part may be cut, in bytes
}

// cutSearch is the search of every layout outside tests.
const cutSearch = 1 << 10

func layoutOf(k kind, p Plan) layout {
	if k == kindLines {
		return layout{mode: SplitLine, json: true, limit: maxLine, search: cutSearch}
	}
	return layout{mode: p.Split, limit: int(p.PartSize), search: cutSearch}
}

// before is where to begin to read in order to find the first document at byte
// from or later.
func (l layout) before(from int64) int64 {
	switch l.mode {
	case SplitFile:
		size := int64(l.limit)
		from = (from+size-1)/size*size - int64(l.search)
	case SplitLine:
		from--
	case SplitBlank:
		from -= 3
	}
	if from < 3 { // within what may be a byte order mark, behind which the text begins
		return 0
	}
	return from
}

// newScanner reads from r, which stands at byte at of its source.
func newScanner(r io.Reader, l layout, at int64) (*scanner, error) {
	return new(scanner).begin(bufio.NewReaderSize(r, readSize), l, at)
}

// begin reads from r from now on, with the memory that there is.
func (c *scanner) begin(r *bufio.Reader, l layout, at int64) (*scanner, error) {
	*c = scanner{in: r, pos: at, layout: l, buf: c.buf[:0]}
	if at == 0 {
		if head, _ := c.in.Peek(3); bytes.Equal(head, []byte("\xEF\xBB\xBF")) {
			c.in.Discard(3)
			c.pos, c.bom = 3, 3
		}
	} else if l.mode == SplitFile {
		c.part = at/int64(l.limit) + 1
		if _, err := c.fill(c.part * int64(l.limit)); err != nil {
			return nil, err
		}
		c.used = cutPoint(c.buf, l.search)
	} else {
		c.lost, c.line = true, -1
	}
	c.carry()
	return c, nil
}

// next returns the next piece, or io.EOF.
func (c *scanner) next() (piece, error) {
	c.carry()
	if c.mode == SplitFile {
		return c.nextPart()
	}
	return c.nextLines()
}

// carry drops what the last piece took.
func (c *scanner) carry() {
	rest := copy(c.buf, c.buf[c.used:])
	c.buf, c.line, c.used = c.buf[:rest], c.line-c.used, 0
	c.at = c.pos - int64(rest)
	if !c.open {
		c.start = c.at
	}
	if c.at <= c.bom {
		c.start = 0
	}
}

func (c *scanner) nextPart() (piece, error) {
	start := c.part * int64(c.limit)
	c.part++
	ended, err := c.fill(c.part * int64(c.limit))
	if err != nil {
		return piece{}, err
	}
	c.used = len(c.buf)
	if !ended {
		c.used = cutPoint(c.buf, c.search)
	}
	if c.used == 0 {
		return piece{}, io.EOF
	}
	return piece{start: start, offset: c.at, text: c.buf[:c.used], cut: start == 0 && !ended}, nil
}

// fill collects up to byte end of the source and says whether nothing follows.
func (c *scanner) fill(end int64) (ended bool, err error) {
	for {
		if _, err := c.in.Peek(1); err != nil {
			if err == io.EOF {
				return true, nil
			}
			return false, err
		}
		if c.pos >= end {
			return false, nil
		}
		b, _ := c.in.Peek(int(min(end-c.pos, int64(c.in.Buffered()))))
		c.buf, c.pos = append(c.buf, b...), c.pos+int64(len(b))
		c.in.Discard(len(b))
	}
}

func (c *scanner) nextLines() (piece, error) {
	for {
		chunk, err := c.take(c.limit - len(c.buf))
		if err == io.EOF && len(c.buf) > 0 && !c.lost {
			return c.whole(), nil
		}
		if err != nil {
			return piece{}, err
		}
		c.buf = append(c.buf, chunk...)
		if chunk[len(chunk)-1] == '\n' {
			empty := c.line >= 0 && len(trimLineEnd(c.buf[c.line:])) == 0
			ends := c.mode == SplitLine || empty
			switch {
			case c.lost:
				c.lost = !ends
				c.reset()
				continue
			case ends && c.mode == SplitBlank && c.line == 0:
				c.open = false // the document ended with the part before, or none began
				c.reset()
				continue
			case ends:
				return c.whole(), nil
			}
			c.line = len(c.buf)
		}
		if len(c.buf) < c.limit {
			continue
		}
		switch {
		case c.lost:
			c.reset()
			c.line = -1
		case c.json:
			return c.overlong()
		default:
			return c.cutHere(), nil
		}
	}
}

// take returns what is buffered of the current line, at most n bytes.
func (c *scanner) take(n int) ([]byte, error) {
	if _, err := c.in.Peek(1); err != nil {
		return nil, err
	}
	b, _ := c.in.Peek(min(n, c.in.Buffered()))
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		b = b[:i+1]
	}
	c.in.Discard(len(b))
	c.pos += int64(len(b))
	return b, nil
}

// reset forgets what was collected: a document can begin here.
func (c *scanner) reset() {
	c.used = len(c.buf)
	c.carry()
	c.line = 0
}

// whole takes all of buf as a document, or as its last part.
func (c *scanner) whole() piece {
	text := c.buf
	if c.mode == SplitBlank && c.line > 0 && len(trimLineEnd(text[c.line:])) == 0 {
		text = text[:c.line]
	}
	p := piece{start: c.start, offset: c.at, text: trimLineEnd(text)}
	if c.json {
		p.form = formJSON
	}
	c.used, c.open = len(c.buf), false
	c.line = c.used
	return p
}

func (c *scanner) cutHere() piece {
	c.used = cutPoint(c.buf, c.search)
	p := piece{start: c.start, offset: c.at, text: c.buf[:c.used], cut: !c.open}
	c.open = true
	return p
}

// overlong passes over the rest of a line that is too long to be parsed.
func (c *scanner) overlong() (piece, error) {
	p := piece{start: c.start, offset: c.at, loss: lossLong}
	for {
		chunk, err := c.take(readSize)
		if err != nil && err != io.EOF {
			return piece{}, err
		}
		if err == io.EOF || chunk[len(chunk)-1] == '\n' {
			c.used = len(c.buf)
			c.line = c.used
			return p, nil
		}
	}
}

func (c *scanner) extent() int64 { return c.pos }

func trimLineEnd(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r"))
}

// cutPoint is where a part that fills b ends: in the last search bytes behind
// the last empty line, or line end, or space, or whole character.
func cutPoint(b []byte, search int) int {
	from := max(len(b)-search, 0)
	for _, end := range []string{"\n\n", "\n", " "} {
		if i := bytes.LastIndex(b[from:], []byte(end)); i >= 0 {
			return from + i + len(end)
		}
	}
	for i := len(b) - 1; i >= from && i > len(b)-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if i > from && !utf8.FullRune(b[i:]) {
				return i
			}
			break
		}
	}
	return len(b)
}
