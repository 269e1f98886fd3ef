package pipeline

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"
)

// decodeCircle makes the circle of a Parquet file. Of its columns only that of
// the tokens is decoded, a page at a time and without a value of the library's
// for each token.
func decodeCircle[T uint16 | uint32](data []byte, s ShardInfo, v Vocabulary) (d decoded[T], err error) {
	defer recovered(s, &err)
	file, err := openParquet(data, s, v)
	if err != nil {
		return nil, err
	}
	leaf, ok := file.Schema().Lookup("tokens", "list", "element")
	if !ok {
		return nil, damaged(s, errors.New("it has no column of tokens"))
	}
	// The manifest says how much room it takes, and is believed as far as bytes of
	// a file can go.
	n := v.circle(s)
	c := tokenColumn[T]{
		info: s, eos: v.EOS, vocab: uint32(v.Size), most: n,
		tokens: make([]T, 0, min(n, 64*int64(len(data)))),
	}
	for _, group := range file.RowGroups() {
		if err := c.chunk(group.ColumnChunks()[leaf.ColumnIndex]); err != nil {
			return nil, err
		}
	}
	if err := c.end(); err != nil {
		return nil, err
	}
	if c.rows != s.Documents {
		return nil, damaged(s, fmt.Errorf("it has %d documents, not the %d in the manifest", c.rows, s.Documents))
	}
	if int64(len(c.tokens)) != n {
		return nil, damaged(s, fmt.Errorf("it has fewer tokens than the %d in the manifest", s.Tokens))
	}
	return c.tokens, nil
}

// tokenColumn gathers a circle from the pages of a column of lists. A page has
// two levels for each value: the repetition level is 0 where a row begins, the
// definition level 0 where that row has no token at all.
type tokenColumn[T uint16 | uint32] struct {
	info  ShardInfo
	eos   int32
	vocab uint32
	most  int64 // tokens that there may be

	tokens []T
	rows   int64 // begun
}

func (c *tokenColumn[T]) chunk(column parquet.ColumnChunk) error {
	pages := column.Pages()
	defer pages.Close()
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return damaged(c.info, err)
		}
		values := page.Data()
		err = c.page(page.RepetitionLevels(), page.DefinitionLevels(), values.Int32())
		parquet.Release(page)
		if err != nil {
			return err
		}
	}
}

func (c *tokenColumn[T]) page(repetition, definition []byte, values []int32) error {
	if len(repetition) != len(definition) {
		return damaged(c.info, fmt.Errorf("a page has %d and %d levels", len(repetition), len(definition)))
	}
	for len(repetition) > 0 {
		if repetition[0] == 0 {
			if err := c.end(); err != nil {
				return err
			}
			c.rows++
		}
		n := 1 + bytes.IndexByte(repetition[1:], 0) // of this row in this page
		if n == 0 {
			n = len(repetition)
		}
		there := bytes.Count(definition[:n], []byte{1})
		if there > len(values) {
			return damaged(c.info, errors.New("a page has fewer tokens than its levels say"))
		}
		if err := c.add(values[:there]); err != nil {
			return err
		}
		repetition, definition, values = repetition[n:], definition[n:], values[there:]
	}
	return nil
}

// end ends the row that was begun last.
func (c *tokenColumn[T]) end() error {
	if c.rows == 0 || c.eos < 0 {
		return nil
	}
	return c.add([]int32{c.eos})
}

func (c *tokenColumn[T]) add(ids []int32) error {
	if int64(len(c.tokens)+len(ids)) > c.most {
		return damaged(c.info, fmt.Errorf("it has more tokens than the %d in the manifest", c.info.Tokens))
	}
	from := len(c.tokens)
	c.tokens = slices.Grow(c.tokens, len(ids))[:from+len(ids)]
	to := c.tokens[from:]
	for i, id := range ids {
		if uint32(id) >= c.vocab {
			return damaged(c.info, fmt.Errorf("row %d has the token %d of a vocabulary of %d", c.rows-1, id, c.vocab))
		}
		to[i] = T(id)
	}
	return nil
}
