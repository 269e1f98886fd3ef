package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// Metadata of a shard file, in either format.
const (
	keySchema    = "textwarp.schema"
	keyTokenizer = "textwarp.tokenizer"
	shardSchema  = "1"
)

// batchWriter writes batches with the tokens column to a shard file.
type batchWriter interface {
	Write(arrow.RecordBatch) error
	Close() error
}

func newBatchWriter(w io.Writer, p Plan) (batchWriter, error) {
	switch {
	case p.Format == FormatArrow:
		return newArrowWriter(w, schema(p.Tokenizer), p.Invalid == InvalidKeep)
	case wide(p.Tokenizer.Size):
		return newParquetWriter[uint32](w, p.Tokenizer, p.Invalid == InvalidKeep), nil
	default:
		return newParquetWriter[uint16](w, p.Tokenizer, p.Invalid == InvalidKeep), nil
	}
}

// row is a row of a shard.
type row[T uint16 | uint32] struct {
	ID     string `parquet:"doc_id"`
	Source string `parquet:"source,dict"`
	Offset int64  `parquet:"offset"`
	Text   string `parquet:"text"`
	Tokens []T    `parquet:"tokens,list"`
}

// rowOfBytes is a row of a shard whose text may be no UTF-8, which no column of
// strings can hold.
type rowOfBytes[T uint16 | uint32] struct {
	ID     string `parquet:"doc_id"`
	Source string `parquet:"source,dict"`
	Offset int64  `parquet:"offset"`
	Text   []byte `parquet:"text"`
	Tokens []T    `parquet:"tokens,list"`
}

// checkShard compares the bytes of a shard file with what the manifest says of
// them.
func checkShard(data []byte, s ShardInfo) error {
	sum := sha256.Sum256(data)
	return checkSum(int64(len(data)), sum[:], s)
}

// checkSum compares number and SHA-256 of the bytes of a shard file with what
// the manifest says of them.
func checkSum(n int64, sum []byte, s ShardInfo) error {
	if n > s.Bytes {
		return damaged(s, fmt.Errorf("it is larger than the %d bytes in the manifest", s.Bytes))
	}
	if n < s.Bytes {
		return damaged(s, fmt.Errorf("it has %d bytes, not the %d in the manifest", n, s.Bytes))
	}
	if got := hex.EncodeToString(sum); got != s.SHA256 {
		return damaged(s, fmt.Errorf("its sha256 is %.12s, not the %.12s in the manifest", got, s.SHA256))
	}
	return nil
}

func damaged(s ShardInfo, err error) error {
	return fmt.Errorf("read shard %q: %w: %w", s.File, safeio.ErrCorrupt, err)
}

// eachRow calls do for the rows of a shard with the given bytes. What do is given
// is valid only during the call. A parser that panics gives an error.
func eachRow[T uint16 | uint32](data []byte, s ShardInfo, p Plan, do func(*row[T]) error) (err error) {
	defer recovered(s, &err)
	var rows int64
	count := func(r *row[T]) error {
		rows++
		for _, id := range r.Tokens {
			if int(id) >= p.Tokenizer.Size {
				return damaged(s, fmt.Errorf("row %d has the token %d of a vocabulary of %d", rows-1, id, p.Tokenizer.Size))
			}
		}
		return do(r)
	}
	if p.Format == FormatArrow {
		err = readArrow(data, s, p.Tokenizer, count)
	} else {
		err = readParquet(data, s, p.Tokenizer, count)
	}
	if err == nil && rows != s.Documents {
		err = damaged(s, fmt.Errorf("it has %d documents, not the %d in the manifest", rows, s.Documents))
	}
	return err
}

// recovered, deferred, turns the panic of a parser into an error.
func recovered(s ShardInfo, err *error) {
	if r := recover(); r != nil {
		*err = damaged(s, fmt.Errorf("its parser failed: %v", r))
	}
}
