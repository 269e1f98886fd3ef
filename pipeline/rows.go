package pipeline

import (
	"fmt"
	"io"
	"math/bits"

	"github.com/seed-4c77ef92/textwarp/internal/column"
)

// errNoColumn says that a Parquet file has no column of strings of the name.
var errNoColumn = column.ErrNone

// rows are the documents of a Parquet file, one a row, in one column of it.
//
// Its coordinate shares out the bytes that the footer states for a row group
// equally among the rows, so that a unit begins at a row group without a look at
// those before it.
type rows struct {
	file   *column.File
	values *column.Values // of the row group
	group  int
	row    int64 // in the group
	before int64 // rows of the groups before it
	base   int64 // where it begins
	size   int64
	left   int64 // bytes that values may still have
}

// openRows reads from the row group that byte from falls into.
func openRows(r io.ReaderAt, size int64, field string, from int64) (*rows, error) {
	limit := newBudget(size).left
	file, err := column.Open(r, size, field, limit)
	if err != nil {
		return nil, err
	}
	t := &rows{file: file, group: -1, left: limit}
	for _, g := range file.Groups {
		t.size += extentOf(g)
	}
	for t.advance() && t.base+extentOf(file.Groups[t.group]) <= from {
	}
	return t, nil
}

// extentOf is the share of the coordinate of a row group: at least one a row.
func extentOf(g column.Group) int64 { return max(g.Bytes, g.Rows) }

// advance goes to the next row group, and says whether there is one.
func (t *rows) advance() bool {
	if t.group >= 0 && t.group < len(t.file.Groups) {
		t.base += extentOf(t.file.Groups[t.group])
		t.before += t.file.Groups[t.group].Rows
	}
	t.group++
	t.row, t.values = 0, nil
	return t.group < len(t.file.Groups)
}

func (t *rows) next() (piece, error) {
	for t.group < len(t.file.Groups) && t.row == t.file.Groups[t.group].Rows {
		t.advance()
	}
	if t.group >= len(t.file.Groups) {
		return piece{}, io.EOF
	}
	if t.values == nil {
		t.values = t.file.Values(t.group)
	}
	g := t.file.Groups[t.group]
	p := piece{form: formValue, offset: t.before + t.row, start: t.base + share(extentOf(g), t.row, g.Rows)}
	b, err := t.values.Next()
	if t.left -= int64(len(b)); t.left < 0 && err == nil {
		err = unfolds()
	}
	switch {
	case err != nil:
		return piece{}, fmt.Errorf("row %d: %w", p.offset, err)
	case b == nil:
		p.loss = lossNoText
	case len(b) > maxLine:
		p.loss = lossLong
	default:
		p.text = b
	}
	t.row++
	return p, nil
}

func (t *rows) extent() int64 { return t.size }

// share is the k-th of n equal parts of whole.
func share(whole, k, n int64) int64 {
	hi, lo := bits.Mul64(uint64(whole), uint64(k))
	part, _ := bits.Div64(hi, lo, uint64(n))
	return int64(part)
}

// spooledRows reads a Parquet file that can only be read from its beginning: it
// is unpacked to a file without a name first.
func (f *feed) spooledRows(r io.Reader) (*rows, error) {
	file, err := spool(r, "", f.inner.left)
	if err != nil {
		return nil, err
	}
	size, _, err := openFile{file}.state()
	if err == nil {
		var t *rows
		if t, err = openRows(file, size, f.plan.TextField, 0); err == nil {
			f.spooled.Close()
			f.spooled = file
			return t, nil
		}
	}
	file.Close()
	return nil, err
}
