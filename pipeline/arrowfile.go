package pipeline

import (
	"fmt"
	"io"
	"runtime/debug"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// newArrowWriter writes batches as they are, uncompressed: a memory map reads
// them without copying. A text column of bytes is for texts that are no UTF-8.
func newArrowWriter(w io.Writer, schema *arrow.Schema, ofBytes bool) (batchWriter, error) {
	if !ofBytes {
		return ipc.NewFileWriter(w, ipc.WithSchema(schema))
	}
	schema = withBytes(schema)
	file, err := ipc.NewFileWriter(w, ipc.WithSchema(schema))
	return bytesWriter{file, schema}, err
}

// withBytes is a schema with a text column of bytes.
func withBytes(schema *arrow.Schema) *arrow.Schema {
	fields := schema.Fields()
	fields[columnText].Type = arrow.BinaryTypes.Binary
	meta := schema.Metadata()
	return arrow.NewSchema(fields, &meta)
}

// bytesWriter writes batches with a text column of bytes, which is laid out like
// one of strings.
type bytesWriter struct {
	*ipc.FileWriter
	schema *arrow.Schema
}

func (w bytesWriter) Write(b arrow.RecordBatch) error {
	data := b.Column(columnText).Data()
	bytes := array.NewData(arrow.BinaryTypes.Binary, data.Len(), data.Buffers(), nil, data.NullN(), data.Offset())
	defer bytes.Release()
	text := array.NewBinaryData(bytes)
	defer text.Release()
	columns := append([]arrow.Array{}, b.Columns()...)
	columns[columnText] = text
	batch := array.NewRecordBatch(w.schema, columns, b.NumRows())
	defer batch.Release()
	return w.FileWriter.Write(batch)
}

func readArrow[T uint16 | uint32](data []byte, s ShardInfo, v Vocabulary, do func(*row[T]) error) error {
	return eachBatch(data, s, v, func(b arrow.RecordBatch) error { return eachArrowRow(b, do) })
}

// eachBatch calls do for the record batches of a file, whose columns point into
// data.
func eachBatch(data []byte, s ShardInfo, v Vocabulary, do func(arrow.RecordBatch) error) error {
	file, err := ipc.NewMappedFileReader(data)
	if err != nil {
		return damaged(s, err)
	}
	defer file.Close()
	want := schema(v)
	if !file.Schema().Equal(want) && !file.Schema().Equal(withBytes(want)) {
		return damaged(s, fmt.Errorf("its columns are not those of a shard: %v", file.Schema().Fields()))
	}
	meta := file.Schema().Metadata()
	schema, _ := meta.GetValue(keySchema)
	tokenizer, _ := meta.GetValue(keyTokenizer)
	if err := checkMetadata(s, v, schema, tokenizer); err != nil {
		return err
	}
	for i := range file.NumRecords() {
		batch, err := file.RecordBatchAt(i)
		if err != nil {
			return damaged(s, err)
		}
		err = do(batch)
		batch.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

// mapCircle makes the circle of a file that is mapped.
func mapCircle[T uint16 | uint32](data mapping, s ShardInfo, v Vocabulary) (m *mapped[T], err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // where the file has been cut short since
	defer recovered(s, &err)
	m = &mapped[T]{info: s, data: data, eos: v.EOS, vocab: uint32(v.Size)}
	var rows int64
	err = eachBatch(data, s, v, func(b arrow.RecordBatch) error {
		rows += b.NumRows()
		tokens := b.Column(columnTokens).(*array.List)
		return m.add(tokens.Offsets()[:b.NumRows()+1], tokenValues[T](tokens))
	})
	if err == nil && rows != s.Documents {
		err = damaged(s, fmt.Errorf("it has %d documents, not the %d in the manifest", rows, s.Documents))
	}
	if err == nil && int64(m.n) != v.circle(s) {
		err = damaged(s, fmt.Errorf("it has %d tokens, not the %d in the manifest", int64(m.n)-v.circle(s)+s.Tokens, s.Tokens))
	}
	return m, err
}

func eachArrowRow[T uint16 | uint32](b arrow.RecordBatch, do func(*row[T]) error) error {
	id := b.Column(columnID).(*array.String)
	source := b.Column(columnSource).(*array.String)
	offset := b.Column(columnOffset).(*array.Int64)
	text := textOf(b.Column(columnText))
	tokens := b.Column(columnTokens).(*array.List)
	values := tokenValues[T](tokens)
	for i := range int(b.NumRows()) {
		from, to := tokens.ValueOffsets(i)
		r := row[T]{ID: id.Value(i), Source: source.Value(i), Offset: offset.Value(i), Text: text(i), Tokens: values[from:to]}
		if err := do(&r); err != nil {
			return err
		}
	}
	return nil
}

// textOf reads a text column of either kind.
func textOf(a arrow.Array) func(i int) string {
	if bytes, ok := a.(*array.Binary); ok {
		return bytes.ValueString
	}
	return a.(*array.String).Value
}

// checkMetadata refuses a shard of another schema or vocabulary.
func checkMetadata(s ShardInfo, v Vocabulary, schema, tokenizer string) error {
	if schema != shardSchema {
		return fmt.Errorf("read shard %q: %w: its schema is %q, not %q", s.File, safeio.ErrMismatch, schema, shardSchema)
	}
	if tokenizer != v.SHA256 {
		return fmt.Errorf("read shard %q: %w: its tokenizer is %.12s, not the %.12s of the manifest", s.File, safeio.ErrMismatch, tokenizer, v.SHA256)
	}
	return nil
}
