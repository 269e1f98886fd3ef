package pipeline

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

const (
	manifestName   = "manifest.json"
	tokenizerName  = "tokenizer.json"
	manifestFormat = "textwarp shards"
	manifestSchema = 1
	maxManifest    = 256 << 20 // bytes; about a million shards
)

// Manifest lists the shards of a data set and what they were made of. It is
// written after everything that it names.
type Manifest struct {
	Format string      `json:"format"` // "textwarp shards"
	Schema int         `json:"schema"` // 1
	Plan   Plan        `json:"plan"`
	Report Report      `json:"report"`
	Shards []ShardInfo `json:"shards"`
	// Checksum is the SHA-256, in hex, of the file with this member left empty.
	Checksum string `json:"checksum"`
}

// Plan is everything that decides the bytes of a data set. Two runs with equal
// plans write equal files.
type Plan struct {
	Corpus    Corpus     `json:"corpus"`
	Tokenizer Vocabulary `json:"tokenizer"`
	Format    string     `json:"format"`
	Split     string     `json:"split_docs"`
	TextField string     `json:"text_field"`
	ShardSize int64      `json:"shard_size"`
	PartSize  int64      `json:"part_size"`
	Val       float64    `json:"val"`
	Encoding  string     `json:"encoding,omitempty"`     // of text without a byte order mark; "" is UTF-8
	Invalid   string     `json:"invalid_utf8,omitempty"` // "" is InvalidReplace
	Test      float64    `json:"test,omitzero"`
	Dedup     string     `json:"dedup,omitzero"`
	// Similarity of near-duplicates; 0, if they stay.
	Similarity float64 `json:"similarity,omitzero"`
}

// Corpus is the identity of the sources: their names, sizes and contents.
type Corpus struct {
	Sources int    `json:"sources"`
	Bytes   int64  `json:"bytes"`  // decompressed
	SHA256  string `json:"sha256"` // over name, size and, as it is stored, SHA-256 of every source
}

// Vocabulary is the identity of the tokenizer.
type Vocabulary struct {
	SHA256 string `json:"sha256"`
	Size   int    `json:"size"`
	EOS    int32  `json:"eos"` // -1: documents are not separated in windows
}

// ShardInfo describes one shard file.
type ShardInfo struct {
	File      string `json:"file"`
	Split     string `json:"split"`
	Bytes     int64  `json:"bytes"`
	SHA256    string `json:"sha256"`
	Documents int64  `json:"documents"`
	Tokens    int64  `json:"tokens"`     // without EOS
	TextBytes int64  `json:"text_bytes"` // UTF-8
}

// Totals are the sums over the shards of a split.
type Totals struct {
	Shards    int   `json:"shards"`
	Documents int64 `json:"documents"`
	Tokens    int64 `json:"tokens"`
	TextBytes int64 `json:"text_bytes"`
	Bytes     int64 `json:"bytes"`
}

// Totals sums the shards of a split; of all, if split is "".
func (m *Manifest) Totals(split string) Totals {
	var t Totals
	for _, s := range m.Shards {
		if split == "" || s.Split == split {
			t.add(s)
		}
	}
	return t
}

func (t *Totals) add(s ShardInfo) {
	t.Shards++
	t.Documents += s.Documents
	t.Tokens += s.Tokens
	t.TextBytes += s.TextBytes
	t.Bytes += s.Bytes
}

// Hash names the data set: equal for equal contents.
func (m *Manifest) Hash() string { return m.Checksum }

// encode sets the checksum and returns the file.
func (m *Manifest) encode() []byte {
	m.Checksum = ""
	sum := sha256.Sum256(marshal(m))
	m.Checksum = hex.EncodeToString(sum[:])
	return marshal(m)
}

// marshal is the one spelling of a manifest; structs of strings and finite
// numbers always have one.
func marshal(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("pipeline: encode %T: %v", v, err))
	}
	return b.Bytes()
}

// parseManifest reads what [Manifest.encode] wrote and nothing else: the bytes
// must be the one spelling of their content, so that every flipped bit shows.
func parseManifest(data []byte) (*Manifest, error) {
	var head struct {
		Format string `json:"format"`
		Schema int    `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("%w: not JSON: %w", safeio.ErrCorrupt, err)
	}
	if head.Format == manifestFormat && head.Schema > manifestSchema {
		return nil, fmt.Errorf("%w: schema %d is newer than this program, which knows schema %d", safeio.ErrMismatch, head.Schema, manifestSchema)
	}
	if head.Format != manifestFormat || head.Schema != manifestSchema {
		return nil, fmt.Errorf("%w: format %q schema %d is not %q schema %d", safeio.ErrCorrupt, head.Format, head.Schema, manifestFormat, manifestSchema)
	}
	m := new(Manifest)
	if err := json.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("%w: %w", safeio.ErrCorrupt, err)
	}
	stated := m.Checksum
	if !bytes.Equal(m.encode(), data) {
		return nil, fmt.Errorf("%w: its content does not have the checksum %.12q that it states", safeio.ErrCorrupt, stated)
	}
	return m, m.validate()
}

// shardName is the form of every shard file's name. No name with a directory in
// it matches.
var shardName = regexp.MustCompile(`^(train|val|test)-([0-9]{5,9})\.(parquet|arrow)$`)

func shardFile(split string, unit int, format string) string {
	return fmt.Sprintf("%s-%05d.%s", split, unit, format)
}

func (m *Manifest) validate() error {
	p := m.Plan
	if p.Tokenizer.Size < 1 || p.Tokenizer.Size > maxVocab || p.Tokenizer.EOS < -1 || int(p.Tokenizer.EOS) >= p.Tokenizer.Size {
		return fmt.Errorf("%w: vocabulary of %d with EOS %d", safeio.ErrCorrupt, p.Tokenizer.Size, p.Tokenizer.EOS)
	}
	seen := make(map[string]bool, len(m.Shards))
	for i, s := range m.Shards {
		match := shardName.FindStringSubmatch(s.File)
		if match == nil || match[1] != s.Split || match[3] != p.Format || seen[s.File] {
			return fmt.Errorf("%w: shard %d has the file name %q and the split %q", safeio.ErrCorrupt, i, s.File, s.Split)
		}
		seen[s.File] = true
		if s.Bytes < 0 || s.Documents < 1 || s.Tokens < 0 || s.TextBytes < 0 ||
			s.Documents > maxCount || s.Tokens > maxCount || s.TextBytes > maxCount {
			return fmt.Errorf("%w: shard %q has impossible counts", safeio.ErrCorrupt, s.File)
		}
	}
	return nil
}

const (
	maxVocab = 1 << 24
	// maxCount keeps sums of counts far from overflow.
	maxCount = 1 << 48
)

func readManifest(dir string) (*Manifest, error) {
	d, err := Open(dir)
	if err != nil {
		return nil, err
	}
	return d.manifest, nil
}

// readLimited reads a regular file of at most limit bytes.
func readLimited(path string, limit int64) ([]byte, error) {
	file, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readUpTo(file, limit)
}

// openRegular opens a file for reading, but nothing that could block or never
// end.
func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, bare(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	file, err := os.Open(path)
	return file, bare(err)
}

// readUpTo reads a file of at most limit bytes.
func readUpTo(file *os.File, limit int64) ([]byte, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, bare(err)
	}
	buf := bytes.NewBuffer(make([]byte, 0, min(info.Size(), limit)+512))
	if _, err := io.Copy(buf, io.LimitReader(file, limit+1)); err != nil {
		return nil, bare(err)
	}
	if int64(buf.Len()) > limit {
		return nil, fmt.Errorf("%w: larger than %d bytes", safeio.ErrLimit, limit)
	}
	return buf.Bytes(), nil
}

// bare drops the operation and path of an error that will be named with them
// anyway.
func bare(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
