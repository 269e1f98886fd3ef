package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// Tensor is a named array of float32 in row-major order; the product of Shape
// (1 for no dimensions) is len(F32).
type Tensor struct {
	Name  string
	Shape []int
	F32   []float32
}

// chunkBytes is the size of the buffer that converts numbers to bytes and back.
const chunkBytes = 64 << 10

// Write writes a safetensors file: the tensors in the order given, meta as
// "__metadata__" with its keys sorted. The bytes depend on the arguments alone.
// Names must be unique, not empty, valid UTF-8 and not "__metadata__".
func Write(w io.Writer, meta map[string]string, tensors []Tensor) error {
	header, err := header(meta, tensors)
	if err != nil {
		return fmt.Errorf("write safetensors: %w", err)
	}
	if err := binary.Write(w, binary.LittleEndian, uint64(len(header))); err != nil {
		return fmt.Errorf("write safetensors: %w", err)
	}
	if _, err := w.Write(header); err != nil {
		return fmt.Errorf("write safetensors: %w", err)
	}
	chunk := make([]byte, 0, chunkBytes)
	for _, t := range tensors {
		for values := range slices.Chunk(t.F32, chunkBytes/4) {
			chunk = chunk[:0]
			for _, v := range values {
				chunk = binary.LittleEndian.AppendUint32(chunk, math.Float32bits(v))
			}
			if _, err := w.Write(chunk); err != nil {
				return fmt.Errorf("write tensor %q: %w", t.Name, err)
			}
		}
	}
	return nil
}

// header lays out the JSON by hand, because encoding/json would sort the
// tensors by name, and pads it with spaces so that the data begin at a
// multiple of 8 bytes, as the format asks.
func header(meta map[string]string, tensors []Tensor) ([]byte, error) {
	if len(tensors) > maxTensors {
		return nil, fmt.Errorf("%d tensors, at most %d: %w", len(tensors), maxTensors, safeio.ErrLimit)
	}
	var b bytes.Buffer
	b.WriteByte('{')
	separator := ""
	if len(meta) > 0 {
		b.WriteString(`"` + metadataKey + `":{`)
		for i, key := range slices.Sorted(maps.Keys(meta)) {
			if !utf8.ValidString(key) || !utf8.ValidString(meta[key]) {
				return nil, fmt.Errorf("metadata %q: not valid UTF-8", key)
			}
			if i > 0 {
				b.WriteByte(',')
			}
			b.Write(quote(key))
			b.WriteByte(':')
			b.Write(quote(meta[key]))
		}
		b.WriteByte('}')
		separator = ","
	}
	seen := make(map[string]bool, len(tensors))
	begin := 0
	for _, t := range tensors {
		size, err := elements(t.Shape)
		switch {
		case t.Name == "" || t.Name == metadataKey || !utf8.ValidString(t.Name):
			return nil, fmt.Errorf("tensor %q: not a usable name", t.Name)
		case seen[t.Name]:
			return nil, fmt.Errorf("tensor %q: two of that name", t.Name)
		case err != nil:
			return nil, fmt.Errorf("tensor %q: %w", t.Name, err)
		case size != len(t.F32):
			return nil, fmt.Errorf("tensor %q: shape %v asks for %d values, %d given", t.Name, t.Shape, size, len(t.F32))
		}
		seen[t.Name] = true
		end := begin + 4*size
		shape, _ := json.Marshal(append([]int{}, t.Shape...)) // [] and not null for a scalar
		fmt.Fprintf(&b, `%s%s:{"dtype":"F32","shape":%s,"data_offsets":[%d,%d]}`, separator, quote(t.Name), shape, begin, end)
		separator = ","
		begin = end
	}
	b.WriteByte('}')
	for (8+b.Len())%8 != 0 {
		b.WriteByte(' ')
	}
	if b.Len() > maxHeader {
		return nil, fmt.Errorf("header of %d bytes, at most %d: %w", b.Len(), maxHeader, safeio.ErrLimit)
	}
	return b.Bytes(), nil
}

func quote(s string) []byte {
	quoted, _ := json.Marshal(s) // a string always marshals
	return quoted
}
