package pipeline

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// batchText is the amount of text, in bytes, at which a batch is handed on. It
// is also the size of a row group.
const batchText = 1 << 20

// The columns of a batch. A batch of texts has those before columnTokens.
const (
	columnID = iota
	columnSource
	columnOffset
	columnText
	columnTokens
)

var textFields = []arrow.Field{
	{Name: "doc_id", Type: arrow.BinaryTypes.String},
	{Name: "source", Type: arrow.BinaryTypes.String},
	{Name: "offset", Type: arrow.PrimitiveTypes.Int64},
	{Name: "text", Type: arrow.BinaryTypes.String},
}

// batcher collects documents into record batches.
type batcher struct {
	b     *array.RecordBuilder
	bytes int
}

func newBatcher() *batcher {
	return &batcher{b: array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(textFields, nil))}
}

// add appends a document and says whether the batch is full.
func (b *batcher) add(d Doc) (full bool) {
	b.b.Field(columnID).(*array.StringBuilder).Append(d.ID)
	b.b.Field(columnSource).(*array.StringBuilder).Append(d.Source)
	b.b.Field(columnOffset).(*array.Int64Builder).Append(d.Offset)
	b.b.Field(columnText).(*array.StringBuilder).Append(d.Text)
	b.bytes += len(d.Text) + len(d.Source)
	return b.bytes >= batchText
}

// take returns the batch and begins the next.
func (b *batcher) take() arrow.RecordBatch {
	b.bytes = 0
	return b.b.NewRecordBatch()
}

// wide says whether token ids of a vocabulary need 32 bits.
func wide(vocab int) bool { return vocab > 1<<16 }

// schema is that of shards: the text columns and tokens, a list of uint16 or,
// for more than 65,536 tokens, uint32.
func schema(v Vocabulary) *arrow.Schema {
	var id arrow.DataType = arrow.PrimitiveTypes.Uint16
	if wide(v.Size) {
		id = arrow.PrimitiveTypes.Uint32
	}
	tokens := arrow.Field{Name: "tokens", Type: arrow.ListOfNonNullable(id)}
	meta := arrow.NewMetadata([]string{keySchema, keyTokenizer}, []string{shardSchema, v.SHA256})
	return arrow.NewSchema(append(textFields[:len(textFields):len(textFields)], tokens), &meta)
}

// encode adds the tokens column to a batch of texts and counts its tokens.
// scratch is reused from call to call.
func encode(texts arrow.RecordBatch, enc Encoder, to *arrow.Schema, scratch *[]int32) (arrow.RecordBatch, int64, error) {
	lists := array.NewBuilder(memory.DefaultAllocator, to.Field(columnTokens).Type).(*array.ListBuilder)
	defer lists.Release()
	text := texts.Column(columnText).(*array.String)
	var count int64
	for i := range text.Len() {
		ids := enc.Encode((*scratch)[:0], text.Value(i))
		*scratch = ids
		count += int64(len(ids))
		for _, id := range ids {
			if id < 0 || int(id) >= enc.VocabSize() {
				return nil, 0, fmt.Errorf("encode a document of %d bytes: token %d is outside the vocabulary of %d", len(text.Value(i)), id, enc.VocabSize())
			}
		}
		lists.Append(true)
		switch values := lists.ValueBuilder().(type) {
		case *array.Uint16Builder:
			values.Reserve(len(ids))
			for _, id := range ids {
				values.UnsafeAppend(uint16(id))
			}
		case *array.Uint32Builder:
			values.Reserve(len(ids))
			for _, id := range ids {
				values.UnsafeAppend(uint32(id))
			}
		}
	}
	tokens := lists.NewArray()
	defer tokens.Release()
	columns := append(append([]arrow.Array{}, texts.Columns()...), tokens)
	return array.NewRecordBatch(to, columns, texts.NumRows()), count, nil
}
