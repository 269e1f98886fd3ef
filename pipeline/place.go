package pipeline

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// place is where sources are: a directory, or standard input. It is all that
// the reading side knows of where bytes come from.
type place interface {
	// open opens the source of a name.
	open(name string) (object, error)
	// path is what a source is called in messages, and where it can be opened
	// again.
	path(name string) string
}

// object is an open source: bytes that can be read from anywhere, and what
// tells whether they are still those that were scanned.
type object interface {
	io.ReaderAt
	io.Closer
	// state returns the size and a number that changes with the content.
	state() (size int64, stamp uint64, err error)
}

// folder is a place on the file system.
type folder struct{ dir string }

func (f *folder) path(name string) string { return filepath.Join(f.dir, filepath.FromSlash(name)) }

// open does not wait for a writer if a pipe has taken the place of the file.
func (f *folder) open(name string) (object, error) {
	file, err := os.OpenFile(f.path(name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, bare(err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		file.Close()
		return nil, bare(err)
	}
	return openFile{file}, nil
}

type openFile struct{ *os.File }

func (f openFile) state() (int64, uint64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, 0, bare(err)
	}
	return info.Size(), stamp(info), nil
}

// stamp sums up what a file system says of a file beside its name.
func stamp(info fs.FileInfo) uint64 {
	sum := fnv.New64a()
	for _, v := range append([]int64{info.Size(), info.ModTime().UnixNano()}, changed(info)...) {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], uint64(v))
		sum.Write(b[:])
	}
	return sum.Sum64()
}

// pipe is standard input as a place of one source. What can be read once is
// kept in a file without a name, which goes when the process does.
type pipe struct {
	in    io.Reader
	dir   string // of the file
	limit int64

	once sync.Once
	file *os.File
	err  error
}

func (p *pipe) path(name string) string { return name + " (standard input)" }

func (p *pipe) open(string) (object, error) {
	p.once.Do(func() { p.file, p.err = spool(p.in, p.dir, p.limit) })
	if p.err != nil {
		return nil, p.err
	}
	return kept{openFile{p.file}}, nil
}

// kept is an object that stays open for the next reader of it.
type kept struct{ openFile }

func (kept) Close() error { return nil }

// spool copies at most limit bytes of r to a file in dir that has no name any
// more.
func spool(r io.Reader, dir string, limit int64) (*os.File, error) {
	file, err := os.CreateTemp(dir, ".tmp-spool-")
	if err != nil {
		return nil, fmt.Errorf("make a temporary file: %w", bare(err))
	}
	err = os.Remove(file.Name())
	var n int64
	if err == nil {
		n, err = io.Copy(file, io.LimitReader(r, limit+1))
	}
	switch {
	case errors.Is(err, syscall.ENOSPC):
		err = fmt.Errorf("%w: keep a copy in %q", safeio.ErrSpace, dir)
	case err == nil && n > limit:
		err = fmt.Errorf("%w: it has more than %d bytes", safeio.ErrLimit, limit)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}
