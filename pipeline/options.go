package pipeline

import (
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// How sources are separated into documents. A .jsonl source is always one
// document a line.
const (
	SplitFile  = "file"  // the whole source; with Val or Test, blocks of 16 KiB of it
	SplitLine  = "line"  // every line that is not empty
	SplitBlank = "blank" // blocks of lines between empty lines
)

// The formats of shard files.
const (
	FormatParquet = "parquet"
	FormatArrow   = "arrow"
)

const (
	// DefaultShardSize is the amount of text in a work unit, in bytes: small
	// enough that a reader can hold a group of shards in memory, large enough
	// that files are few.
	DefaultShardSize = 16 << 20
	// DefaultStdinLimit is how much of standard input is kept on disk at most, in
	// bytes.
	DefaultStdinLimit = 64 << 30
	// PartSize is the length, in bytes of the source, above which a document is
	// cut into parts that are documents of their own, so that a file without a
	// line end needs no more memory than any other.
	PartSize = 1 << 20
	// heldOutPart takes its place for whole files when a share of them is held
	// out: one large file could not be divided otherwise.
	heldOutPart = 16 << 10
	// maxLine is the longest line of a .jsonl source, in bytes. A longer one is
	// skipped and counted: half a JSON value is not a document.
	maxLine = 64 << 20
)

// Options says what [Shard] makes of which sources. The zero value of a field
// stands for its default.
type Options struct {
	Sources   []string // files, directories, and "-" for Stdin
	Out       string   // directory of the data set, made if missing, or s3://BUCKET/PREFIX
	Staging   string   // where work for a bucket is done: it holds a few shards and survives interruptions
	TextField string   // member of a .jsonl line or column of a table that holds the text; default "text"
	Encoding  string   // of text without a byte order mark, as browsers name it; default UTF-8
	Invalid   string   // InvalidReplace (default), InvalidKeep or InvalidReject
	Split     string   // SplitFile (default), SplitLine or SplitBlank
	Format    string   // FormatParquet (default) or FormatArrow
	Workers   int      // default 1; changes nothing but the time it takes
	ShardSize int64    // bytes of text a work unit; default DefaultShardSize
	Val       float64  // share of the documents to hold out for validation, in [0, 1)
	Test      float64  // share to hold out for tests; Val + Test < 1

	Dedup      string  // duplicates to leave out: DedupExact, DedupNear, or "": none
	Similarity float64 // of near-duplicates, in (0, 1]; default DefaultSimilarity

	Stdin      io.Reader
	StdinName  string // a file name that says what Stdin holds; default "stdin.txt"
	StdinLimit int64  // bytes that may be kept of it on disk; default DefaultStdinLimit

	Encoder       Encoder
	TokenizerJSON []byte // file of Encoder, written to Out as tokenizer.json unless empty
	Train         Train  // makes both if Encoder is nil

	// Engine has the shards made elsewhere; nil: by Workers goroutines of this
	// process. It changes nothing but the time it takes, and needs TokenizerJSON.
	Engine Engine

	FS       safeio.FS
	Progress func(Progress) // called from several goroutines, one at a time
}

// Train makes an encoder and its file from documents, which come in a fixed
// order; those that are held out are not among them.
type Train func(docs iter.Seq[string]) (Encoder, []byte, error)

// Progress says how far [Shard] has come, in bytes of text.
type Progress struct {
	Stage       string // "scan", "compare" or "shard"
	Done, Total int64
}

func (o Options) withDefaults() Options {
	if o.TextField == "" {
		o.TextField = "text"
	}
	if o.StdinName == "" {
		o.StdinName = "stdin.txt"
	}
	if o.StdinLimit == 0 {
		o.StdinLimit = DefaultStdinLimit
	}
	if o.Split == "" {
		o.Split = SplitFile
	}
	if o.Format == "" {
		o.Format = FormatParquet
	}
	if o.Similarity == 0 {
		o.Similarity = DefaultSimilarity
	}
	if o.Workers == 0 {
		o.Workers = 1
	}
	if o.ShardSize == 0 {
		o.ShardSize = DefaultShardSize
	}
	if name, err := canonicalEncoding(o.Encoding); err == nil {
		o.Encoding = name
	}
	if o.Invalid == InvalidReplace {
		o.Invalid = ""
	}
	return o
}

// Validate reports the first option that cannot be. The zero values are valid.
func (o Options) Validate() error {
	o = o.withDefaults()
	if !slices.Contains([]string{SplitFile, SplitLine, SplitBlank}, o.Split) {
		return fmt.Errorf("separate documents by %q: not one of file, line, blank", o.Split)
	}
	if !slices.Contains([]string{FormatParquet, FormatArrow}, o.Format) {
		return fmt.Errorf("write shards as %q: not one of parquet, arrow", o.Format)
	}
	if o.Encoding != "" {
		if _, err := canonicalEncoding(o.Encoding); err != nil {
			return err
		}
	}
	if !slices.Contains([]string{"", InvalidKeep, InvalidReject}, o.Invalid) {
		return fmt.Errorf("treat invalid UTF-8 by %q: not one of replace, keep, reject", o.Invalid)
	}
	if o.Workers < 0 || o.ShardSize < 1 {
		return fmt.Errorf("use %d workers and shards of %d bytes: both must be positive", o.Workers, o.ShardSize)
	}
	if err := validateDedup(o.Dedup, o.Similarity); err != nil {
		return err
	}
	for _, share := range []float64{o.Val, o.Test, o.Val + o.Test} {
		if !(share >= 0 && share < 1) {
			return fmt.Errorf("hold out a share of %v: not in [0, 1)", share)
		}
	}
	return nil
}
