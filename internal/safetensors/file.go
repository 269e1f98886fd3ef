package safetensors

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"slices"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// File is an open safetensors file whose header has been checked in full. Its
// methods may be called at the same time, Close excepted.
type File struct {
	path    string
	data    io.ReaderAt
	close   func() error
	start   int64 // of the data part, in bytes
	entries []entry
	byName  map[string]int
	meta    map[string]string
}

// Open reads and checks the header of the file at path; the data stay on disk
// until Read. A file that breaks an invariant of the format is
// safeio.ErrCorrupt, one beyond the limits safeio.ErrLimit, an absent one
// safeio.ErrNotFound.
func Open(path string) (*File, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open tensors %q: %w", path, safeio.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("open tensors: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("open tensors %q: not a regular file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open tensors: %w", err)
	}
	f, err := newFile(file, info.Size())
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("open tensors %q: %w", path, err)
	}
	f.path, f.close = path, file.Close
	return f, nil
}

func newFile(data io.ReaderAt, size int64) (*File, error) {
	if size < 8 {
		return nil, corrupt("%d bytes, too short for a header", size)
	}
	var prefix [8]byte
	if err := readFull(data, prefix[:], 0); err != nil {
		return nil, err
	}
	length := binary.LittleEndian.Uint64(prefix[:])
	if length > maxHeader {
		return nil, fmt.Errorf("header of %d bytes, at most %d: %w", length, maxHeader, safeio.ErrLimit)
	}
	start := 8 + int64(length)
	if start > size {
		return nil, corrupt("header of %d bytes in a file of %d: the file is cut short", length, size)
	}
	header := make([]byte, length)
	if err := readFull(data, header, 8); err != nil {
		return nil, err
	}
	entries, meta, err := parse(header, size-start)
	if err != nil {
		return nil, err
	}
	f := &File{data: data, start: start, entries: entries, meta: meta, byName: make(map[string]int, len(entries))}
	for i, e := range entries {
		f.byName[e.name] = i
	}
	return f, nil
}

// Meta returns a copy of the file's "__metadata__", empty if it has none.
func (f *File) Meta() map[string]string { return maps.Clone(f.meta) }

// Names returns the names of the tensors in the order of their data.
func (f *File) Names() []string {
	names := make([]string, len(f.entries))
	for i, e := range f.entries {
		names[i] = e.name
	}
	return names
}

// Shape returns the shape of a tensor, empty for a scalar, nil if the file has
// no such tensor.
func (f *File) Shape(name string) []int {
	i, ok := f.byName[name]
	if !ok {
		return nil
	}
	return append([]int{}, f.entries[i].shape...)
}

// Read fills dst with the values of a tensor of dtype F32, F16 or BF16, of which
// float32 has every value, in row-major order. The length of dst must be the
// product of the tensor's shape. A tensor that is not there, of another size or
// of another dtype is safeio.ErrMismatch.
func (f *File) Read(name string, dst []float32) error {
	i, ok := f.byName[name]
	if !ok {
		return fmt.Errorf("read tensors %q: no tensor %q: %w", f.path, name, safeio.ErrMismatch)
	}
	e := f.entries[i]
	if !slices.Contains([]string{"F32", "F16", "BF16"}, e.dtype) {
		return fmt.Errorf("read tensors %q: tensor %q is %s, want F32, F16 or BF16: %w", f.path, name, e.dtype, safeio.ErrMismatch)
	}
	width := bitsOf(e.dtype) / 8
	if int64(len(dst)) != (e.end-e.begin)/int64(width) {
		return fmt.Errorf("read tensors %q: tensor %q has shape %v, want %d values: %w", f.path, name, e.shape, len(dst), safeio.ErrMismatch)
	}
	at := f.start + e.begin
	chunk := make([]byte, min(chunkBytes, width*len(dst)))
	for values := range slices.Chunk(dst, chunkBytes/width) {
		bytes := chunk[:width*len(values)]
		if err := readFull(f.data, bytes, at); err != nil {
			return fmt.Errorf("read tensors %q: tensor %q: %w", f.path, name, err)
		}
		at += int64(len(bytes))
		widen(values, bytes, e.dtype)
	}
	return nil
}

// widen decodes little endian numbers of a dtype.
func widen(dst []float32, bytes []byte, dtype string) {
	switch dtype {
	case "F32":
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(bytes[4*i:]))
		}
	case "BF16": // the upper half of a float32
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(bytes[2*i:])) << 16)
		}
	case "F16":
		for i := range dst {
			dst[i] = half(binary.LittleEndian.Uint16(bytes[2*i:]))
		}
	}
}

// half is the value of an IEEE 754 binary16: sign, 5 bits of exponent with bias
// 15, 10 bits of fraction.
func half(h uint16) float32 {
	sign, exponent, fraction := uint32(h>>15)<<31, uint32(h>>10&31), uint32(h&1023)
	switch exponent {
	case 0: // subnormal: fraction · 2⁻²⁴
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)/(1<<24)))
	case 31: // infinity or NaN
		return math.Float32frombits(sign | 255<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// Close releases the file.
func (f *File) Close() error {
	if err := f.close(); err != nil {
		return fmt.Errorf("close tensors %q: %w", f.path, err)
	}
	return nil
}

// readFull reads exactly len(p) bytes; a file that has become shorter than it
// was at Open is corrupt.
func readFull(r io.ReaderAt, p []byte, at int64) error {
	n, err := r.ReadAt(p, at)
	if n == len(p) {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return corrupt("file ends at byte %d, %d expected", at+int64(n), at+int64(len(p)))
	}
	return err
}
