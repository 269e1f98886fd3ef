package embeddings

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-4c77ef92/textwarp/internal/safetensors"
)

// tableNames are what tables of token embeddings are called in models of Hugging
// Face's library, alone or behind a dot; the first that fits counts.
var tableNames = []string{
	ExportName, "embeddings.weight", "wte.weight", "word_embeddings.weight", "tok_embeddings.weight", "embed_in.weight", "shared.weight",
}

// FindTable returns the name of the tensor that is a table of token embeddings,
// [V, D]: the one with a usual name or, without such a name, the only matrix.
func FindTable(f *safetensors.File) (string, error) {
	var matrices []string
	for _, name := range f.Names() {
		if len(f.Shape(name)) == 2 {
			matrices = append(matrices, name)
		}
	}
	for _, usual := range tableNames {
		for _, name := range matrices {
			if name == usual || strings.HasSuffix(name, "."+usual) {
				return name, nil
			}
		}
	}
	switch len(matrices) {
	case 0:
		return "", errors.New("no matrix among its tensors, so no embedding table")
	case 1:
		return matrices[0], nil
	}
	return "", fmt.Errorf("none of its %d matrices has the name of an embedding table, such as %s (the first is %q): save the table alone",
		len(matrices), ExportName, matrices[0])
}

const (
	maxTextLine = 1 << 20 // bytes
	maxTextDim  = 1 << 16
)

// TextReader reads pretrained embeddings as text: a line holds a token and its
// D numbers, with spaces between. The format of word2vec says in a line before
// them how many lines there are, and D; that of GloVe does not. Use it as a
// bufio.Scanner: Next, then Form and Values, then Err.
type TextReader struct {
	D int // numbers a line

	lines  *bufio.Scanner
	number int  // of the current line, from 1
	rows   int  // that the first line promises, -1 if it does not
	read   int  // rows so far
	again  bool // the current line is one to be read: the first, in GloVe's format
	form   []byte
	values []byte
	err    error
}

// NewTextReader reads the first line, which fixes D.
func NewTextReader(r io.Reader) (*TextReader, error) {
	t := &TextReader{lines: bufio.NewScanner(r), rows: -1}
	t.lines.Buffer(nil, maxTextLine)
	for ok := false; !ok; ok = len(t.line()) > 0 {
		if !t.scan() {
			if t.err == nil {
				t.err = errors.New("the file is empty")
			}
			return nil, t.err
		}
	}
	fields := strings.FieldsFunc(string(t.line()), space[rune])
	if len(fields) == 2 {
		rows, errRows := strconv.Atoi(fields[0])
		d, errD := strconv.Atoi(fields[1])
		if errRows == nil && errD == nil && rows > 0 && d > 0 {
			t.rows, t.D = rows, d
		}
	}
	if t.rows < 0 {
		t.D, t.again = len(fields)-1, true
		for _, f := range fields[1:] {
			if _, err := strconv.ParseFloat(f, 32); err != nil {
				return nil, t.errorf("%.40q is not a number: want a token and its numbers, as GloVe and word2vec write them", f)
			}
		}
	}
	if t.D < 2 || t.D > maxTextDim {
		return nil, t.errorf("embeddings of dimension %d, want from 2 to %d: is it word vectors as text?", t.D, maxTextDim)
	}
	return t, nil
}

// Next goes to the next row and reports whether there is one. At the end, or with
// a line that is none, it returns false and Err says why.
func (t *TextReader) Next() bool {
	if t.err != nil {
		return false
	}
	for {
		if t.again {
			t.again = false
		} else if !t.scan() {
			if t.err == nil && t.rows >= 0 && t.read != t.rows {
				t.err = fmt.Errorf("%d rows where the first line promises %d: the file is cut short or was changed", t.read, t.rows)
			}
			return false
		}
		line := t.line()
		if len(line) == 0 {
			continue
		}
		at := len(line) // from the end: some tokens contain spaces
		for k := range t.D {
			for at > 0 && !space(line[at-1]) {
				at--
			}
			if at == 0 {
				t.err = t.errorf("a token and %d numbers, want %d: the file is cut short or not of word vectors", k, t.D)
				return false
			}
			t.values = line[at:]
			for at > 0 && space(line[at-1]) {
				at--
			}
		}
		t.form = line[:at]
		t.read++
		return true
	}
}

func space[C byte | rune](c C) bool { return c == ' ' || c == '\t' }

// line is the current one without the white space at its end.
func (t *TextReader) line() []byte { return bytes.TrimRight(t.lines.Bytes(), " \t\r") }

// scan reads a line.
func (t *TextReader) scan() bool {
	if t.lines.Scan() {
		t.number++
		return true
	}
	t.number++
	if err := t.lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		t.err = t.errorf("longer than %d bytes: not word vectors as text", maxTextLine)
	} else if err != nil {
		t.err = t.errorf("%w", err)
	}
	return false
}

// Form is the token of the current row as the file has it, good until Next.
func (t *TextReader) Form() []byte { return t.form }

// Values decodes the current row into dst [D]. A value that is no finite float32
// is an error, which ends the reading.
func (t *TextReader) Values(dst []float32) error {
	rest := t.values
	for k := range dst[:t.D] {
		rest = bytes.TrimLeftFunc(rest, space[rune])
		field := rest
		if at := bytes.IndexFunc(rest, space[rune]); at >= 0 {
			field, rest = rest[:at], rest[at:]
		}
		v, err := strconv.ParseFloat(string(field), 32)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			t.err = t.errorf("number %d of %.40q is %.40q, want a finite float32", k+1, t.form, field)
			return t.err
		}
		dst[k] = float32(v)
	}
	return nil
}

// Err is why Next returned false, nil at the end of a whole file.
func (t *TextReader) Err() error { return t.err }

func (t *TextReader) errorf(format string, args ...any) error {
	return fmt.Errorf("line %d: "+format, slices.Concat([]any{t.number}, args)...)
}
