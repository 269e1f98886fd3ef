package pipeline

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// Doc is one document: a file, a line or a block of lines, or a part of one
// that was longer than [PartSize].
type Doc struct {
	ID     string  // hex of the first 16 bytes of the SHA-256 of Text
	Source string  // name of the source relative to the corpus argument
	Offset int64   // byte offset of its beginning in the (decompressed) source
	Text   string  // valid UTF-8
	Tokens []int32 // nil where only texts are read
	Split  string  // [TrainSplit], [ValSplit] or [TestSplit]
}

// The splits of a data set.
const (
	TrainSplit = "train"
	ValSplit   = "val"
	TestSplit  = "test"
)

// Splits lists them in the order in which a manifest has their shards.
func Splits() []string { return []string{TrainSplit, ValSplit, TestSplit} }

// Encoder turns text into token ids. It must be safe for concurrent use, and
// its output must depend on the text alone.
type Encoder interface {
	// Encode appends the ids of text to dst.
	Encode(dst []int32, text string) []int32
	// EOS is the id that ends a document in a window, or -1.
	EOS() int32
	VocabSize() int
	// Hash names the vocabulary: the SHA-256 of its file, in hex.
	Hash() string
}

// identify returns the document id of a text and a number in [0, 1) that
// decides its split. Both come from the text alone, so that equal documents
// never stand on both sides of a split.
func identify(text string) (id string, u float64) {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16]), float64(binary.BigEndian.Uint64(sum[16:])>>11) / (1 << 53)
}

// splitOf places a document. The shares lie one behind the other from 0 on, so
// that a test split taken from the training documents leaves val as it was.
func (p Plan) splitOf(u float64) string {
	switch {
	case u < p.Val:
		return ValSplit
	case u < p.Val+p.Test:
		return TestSplit
	}
	return TrainSplit
}

// splits are those that can have documents.
func (p Plan) splits() []string {
	s := []string{TrainSplit}
	if p.Val > 0 {
		s = append(s, ValSplit)
	}
	if p.Test > 0 {
		s = append(s, TestSplit)
	}
	return s
}
