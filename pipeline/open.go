package pipeline

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

const (
	// A compressed source may unfold to maxRatio times its size, and to
	// freeBudget in any case. Text reaches ratios of 3 to 30.
	maxRatio   = 200
	freeBudget = 64 << 20
	// maxWindow is the memory that a zstd frame may ask for, in bytes: what
	// zstd --long writes by default.
	maxWindow = 128 << 20
	readSize  = 256 << 10
)

// openSource returns the text of a source from byte from on, decompressed.
func openSource(s source, from int64) (io.ReadCloser, error) {
	file, err := os.Open(s.path)
	if err != nil {
		return nil, fmt.Errorf("read source %q: %w", s.path, bare(err))
	}
	r, err := decompress(s, file)
	if err == nil && from > 0 {
		err = r.skip(from)
	}
	if err != nil {
		file.Close()
		return nil, r.explain(err)
	}
	return r, nil
}

// sourceReader reads a source and says which one it was when that fails.
type sourceReader struct {
	source source
	file   *os.File
	text   io.Reader
	budget int64 // decompressed bytes that may still come
	close  func()
}

func decompress(s source, file *os.File) (*sourceReader, error) {
	r := &sourceReader{source: s, file: file, close: func() {}}
	switch s.compression {
	case ".gz":
		z, err := gzip.NewReader(bufio.NewReaderSize(file, readSize))
		if err != nil {
			return r, err
		}
		r.text = z
	case ".zst":
		z, err := zstd.NewReader(bufio.NewReaderSize(file, readSize), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return r, err
		}
		r.text, r.close = z, z.Close
	default:
		r.text, r.budget = file, -1
		return r, nil
	}
	r.budget = max(freeBudget, maxRatio*s.stored)
	return r, nil
}

func (r *sourceReader) skip(n int64) error {
	if r.source.compression == "" {
		_, err := r.file.Seek(n, io.SeekStart)
		return err
	}
	_, err := io.CopyN(io.Discard, r, n)
	return err
}

func (r *sourceReader) Read(p []byte) (int, error) {
	if r.budget == 0 {
		// One byte more tells the end from a bomb.
		p = p[:min(1, len(p))]
	} else if r.budget > 0 {
		p = p[:min(int64(len(p)), r.budget)]
	}
	n, err := r.text.Read(p)
	if r.budget == 0 && n > 0 {
		return 0, r.explain(fmt.Errorf("%w: it unfolds to more than %d times its size (decompress it first if that is right)", safeio.ErrLimit, maxRatio))
	}
	if r.budget > 0 {
		r.budget -= int64(n)
	}
	if err != nil && err != io.EOF {
		err = r.explain(err)
	}
	return n, err
}

func (r *sourceReader) explain(err error) error {
	if errors.Is(err, safeio.ErrLimit) || errors.Is(err, safeio.ErrCorrupt) {
		return err
	}
	if r.source.compression == "" {
		return fmt.Errorf("read source %q: %w", r.source.path, bare(err))
	}
	// An empty file has no header at all.
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("decompress source %q: %w: it ends too early (truncated?)", r.source.path, safeio.ErrCorrupt)
	}
	if errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		return fmt.Errorf("decompress source %q: %w: %w", r.source.path, safeio.ErrLimit, err)
	}
	return fmt.Errorf("decompress source %q: %w: %w", r.source.path, safeio.ErrCorrupt, err)
}

func (r *sourceReader) Close() error {
	r.close()
	return r.file.Close()
}
