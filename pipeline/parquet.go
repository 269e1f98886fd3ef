package pipeline

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
)

// parquetWriter writes each batch as a row group.
type parquetWriter[T uint16 | uint32] struct {
	w    *parquet.GenericWriter[row[T]]
	rows []row[T]
}

// newParquetWriter fixes everything that reaches the bytes of a file: the name
// of the program is not followed by its version, and bounds of text, which
// would hold whole documents five times over, are left out of pages and index.
func newParquetWriter[T uint16 | uint32](w io.Writer, v Vocabulary) *parquetWriter[T] {
	return &parquetWriter[T]{w: parquet.NewGenericWriter[row[T]](
		w,
		parquet.NewSchema("document", parquet.SchemaOf(row[T]{})),
		parquet.Compression(&zstd.Codec{Level: zstd.SpeedDefault}),
		parquet.CreatedBy("textwarp", "schema "+shardSchema, ""),
		parquet.SkipPageBounds("text"),
		parquet.DataPageStatistics(false),
		parquet.KeyValueMetadata(keySchema, shardSchema),
		parquet.KeyValueMetadata(keyTokenizer, v.SHA256),
	)}
}

func (p *parquetWriter[T]) Write(b arrow.RecordBatch) error {
	id := b.Column(columnID).(*array.String)
	source := b.Column(columnSource).(*array.String)
	offset := b.Column(columnOffset).(*array.Int64)
	text := b.Column(columnText).(*array.String)
	tokens := b.Column(columnTokens).(*array.List)
	values := tokenValues[T](tokens)
	p.rows = p.rows[:0]
	for i := range id.Len() {
		from, to := tokens.ValueOffsets(i)
		p.rows = append(p.rows, row[T]{
			ID: id.Value(i), Source: source.Value(i), Offset: offset.Value(i), Text: text.Value(i), Tokens: values[from:to],
		})
	}
	if _, err := p.w.Write(p.rows); err != nil {
		return err
	}
	return p.w.Flush()
}

func (p *parquetWriter[T]) Close() error { return p.w.Close() }

// tokenValues is the flat array behind a tokens column.
func tokenValues[T uint16 | uint32](lists *array.List) []T {
	switch values := lists.ListValues().(type) {
	case *array.Uint16:
		v, _ := any(values.Uint16Values()).([]T)
		return v
	case *array.Uint32:
		v, _ := any(values.Uint32Values()).([]T)
		return v
	}
	return nil
}

// readParquet calls do for each row; R is row or tokenRow.
func readParquet[R any](data []byte, s ShardInfo, v Vocabulary, do func(*R) error) error {
	file, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return damaged(s, err)
	}
	if file.NumRows() != s.Documents {
		return damaged(s, fmt.Errorf("it has %d rows, not the %d in the manifest", file.NumRows(), s.Documents))
	}
	for i, group := range file.Metadata().RowGroups {
		for j, column := range group.Columns {
			if codec := column.MetaData.Codec; codec != format.Zstd {
				return damaged(s, fmt.Errorf("column %d of row group %d is compressed by %v", j, i, codec))
			}
		}
	}
	schema, _ := file.Lookup(keySchema)
	tokenizer, _ := file.Lookup(keyTokenizer)
	if err := checkMetadata(s, v, schema, tokenizer); err != nil {
		return err
	}
	r := parquet.NewGenericReader[R](file)
	defer r.Close()
	rows := make([]R, 64)
	for {
		n, err := r.Read(rows)
		for i := range rows[:n] {
			if err := do(&rows[i]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return damaged(s, err)
		}
	}
}
