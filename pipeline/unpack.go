package pipeline

import (
	"bufio"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/therootcompany/xz"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

const (
	// A compressed source may unfold to maxRatio times its size, and to
	// freeBudget in any case. Text reaches ratios of 3 to 30.
	maxRatio   = 200
	freeBudget = 64 << 20
	// maxWindow is the memory that a zstd frame may ask for, in bytes: what
	// zstd --long writes by default. maxDictionary is that of an xz stream, as
	// much as xz -9 writes.
	maxWindow     = 128 << 20
	maxDictionary = 64 << 20
	// readSize is what is read of a source at a time, unpackSize of a compressed
	// one, in bytes.
	readSize   = 256 << 10
	unpackSize = 32 << 10
)

// budget is what may still come out of the layers of a source: what makes a
// bomb is not one small file that unfolds to much, but the sum of all that is in
// it.
type budget struct{ left int64 }

func newBudget(stored int64) *budget {
	return &budget{max(freeBudget, maxRatio*min(stored, 1<<48))}
}

// within lets through what is left of a budget.
type within struct {
	r io.Reader
	b *budget
}

func (w within) Read(p []byte) (int, error) {
	n, err := w.r.Read(p[:min(int64(len(p)), w.b.left+1)]) // one byte more tells the end from a bomb
	if w.b.left -= int64(n); w.b.left < 0 {
		w.b.left = 0
		return 0, unfolds()
	}
	return n, damage(err)
}

// unfolds is the error of a bomb.
func unfolds() error {
	return fmt.Errorf("%w: it unfolds to more than %d times its size (unpack it first if that is right)", safeio.ErrLimit, maxRatio)
}

// storedError is a failure to read what is stored, which says nothing about its
// content.
type storedError struct{ error }

func (e storedError) Unwrap() error { return e.error }

// unpack returns what a compressed stream unfolds to, within a budget.
func unpack(packed string, from io.Reader, b *budget) io.Reader {
	if packed == "" {
		return from
	}
	return within{&unpacked{packed: packed, from: bufio.NewReaderSize(from, unpackSize)}, b}
}

// unpacked is a compressed stream. A decoder that panics gives an error.
type unpacked struct {
	packed string
	from   io.Reader
	z      io.Reader
}

func (u *unpacked) Read(p []byte) (n int, err error) {
	defer func() {
		if r := recover(); r != nil {
			n, err = 0, fmt.Errorf("%w: its decoder failed: %v", safeio.ErrCorrupt, r)
		}
	}()
	if u.z == nil {
		u.z, err = u.open()
		if err == io.EOF { // before the end of a header
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			u.z = failed{err}
		}
	}
	return u.z.Read(p)
}

func (u *unpacked) open() (io.Reader, error) {
	switch u.packed {
	case ".gz":
		return gzip.NewReader(u.from)
	case ".zst": // with one decoder it works in the goroutine of its reader
		return zstd.NewReader(u.from, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	case ".bz2":
		return bzip2.NewReader(u.from), nil
	}
	return xz.NewReader(u.from, maxDictionary)
}

// failed gives an error again and again.
type failed struct{ err error }

func (f failed) Read([]byte) (int, error) { return 0, f.err }

// damage gives an error of a decoder its kind.
func damage(err error) error {
	switch {
	case err == nil || err == io.EOF:
		return err
	case errors.As(err, new(storedError)), errors.Is(err, safeio.ErrLimit), errors.Is(err, safeio.ErrCorrupt):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, xz.ErrBuf):
		return fmt.Errorf("%w: it ends too early (truncated?)", safeio.ErrCorrupt)
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded), errors.Is(err, xz.ErrMemlimit):
		return fmt.Errorf("%w: %w", safeio.ErrLimit, err)
	}
	return fmt.Errorf("%w: %w", safeio.ErrCorrupt, err)
}
