package inspect

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

const (
	// maxLine bounds a line of a log; the longest that a run writes, a sample with
	// its frames, has some ten thousand bytes.
	maxLine = 16 << 20
	// reread is how much of what has been read is read again to see whether it is
	// still there.
	reread = 256
)

// log is a file of JSON lines in a run directory, of which it reads on where it
// stopped. What is behind the last newline is being written, or its writer was
// killed: it does not count yet.
type log struct {
	name   string
	offset int64  // behind the last line that was read
	before []byte // the bytes that end there
}

// open opens the log and says how long it is. If it is to be read from its
// beginning, which it always is where nothing of it was read, or where it is not the
// one that was (a resumed run has cut it, or another has taken its place), again is
// true.
func (l *log) open(root *os.Root) (file *os.File, size int64, again bool, err error) {
	file, size, err = openRegular(root, l.name)
	if err != nil {
		if absent(err) { // the next of this name is another
			l.offset, l.before = 0, nil
		}
		return nil, 0, true, err
	}
	now := make([]byte, len(l.before))
	if _, err := file.ReadAt(now, l.offset-int64(len(now))); err != nil || !bytes.Equal(now, l.before) {
		l.offset, l.before = 0, nil
	}
	return file, size, l.offset == 0, nil
}

// readTo notes that the file has been read up to offset.
func (l *log) readTo(file *os.File, offset int64) error {
	if offset == l.offset {
		return nil
	}
	b := make([]byte, min(reread, offset))
	if _, err := file.ReadAt(b, offset-int64(len(b))); err != nil {
		return fmt.Errorf("read %q: %w", file.Name(), err)
	}
	l.offset, l.before = offset, b
	return nil
}

// follow calls each for every whole line that has not been read. Where the log is
// to be read from its beginning it calls forget first. It stops at a line that is
// wrong, and begins with that the next time.
func (l *log) follow(root *os.Root, forget func(), each func(line []byte) error) error {
	file, size, again, err := l.open(root)
	if again {
		forget()
	}
	if err != nil {
		return err
	}
	defer file.Close()
	if size == l.offset {
		return nil
	}
	lines := newLineReader(file, l.offset, size)
	at := l.offset
	for {
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			return l.readTo(file, at)
		}
		if err == nil {
			err = each(line)
		}
		if err != nil {
			err = fmt.Errorf("read %q, byte %d: %w", filepath.Join(root.Name(), l.name), at, err)
			return errors.Join(err, l.readTo(file, at))
		}
		at += int64(len(line)) + 1
	}
}

// openRegular opens a file of a run, or what a link within the run leads to, but
// nothing outside of it, and nothing that could block or never end.
func openRegular(root *os.Root, name string) (*os.File, int64, error) {
	file, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, misplaced(err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("read run: %q is not a regular file: %w", filepath.Join(root.Name(), name), safeio.ErrCorrupt)
	}
	if err != nil {
		file.Close()
		return nil, 0, err
	}
	return file, info.Size(), nil
}

// misplaced is the error of opening a file of a run: a link that leads out of it,
// or nowhere, is damage to the run.
func misplaced(err error) error {
	var system syscall.Errno // of which the refusal of [os.Root] is none
	if !errors.As(err, &system) || system == syscall.ELOOP {
		return fmt.Errorf("read run: %w (%w)", err, safeio.ErrCorrupt)
	}
	return fmt.Errorf("read run: %w", err)
}

// lineReader gives the whole lines of a part of a file.
type lineReader struct {
	r    *bufio.Reader
	long []byte // a line that is longer than the buffer of r
}

func newLineReader(file io.ReaderAt, from, to int64) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(io.NewSectionReader(file, from, to-from), 64<<10)}
}

// next returns the next line without its newline, until the call after. What has
// no newline is io.EOF.
func (l *lineReader) next() ([]byte, error) {
	l.long = l.long[:0]
	for {
		part, err := l.r.ReadSlice('\n')
		if err == nil && len(l.long) == 0 {
			return part[:len(part)-1], nil
		}
		if len(l.long)+len(part) > maxLine {
			return nil, fmt.Errorf("a line longer than %d bytes: %w", maxLine, safeio.ErrCorrupt)
		}
		l.long = append(l.long, part...)
		switch {
		case err == nil:
			return l.long[:len(l.long)-1], nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

func unmarshal(line []byte, v any) error {
	if err := json.Unmarshal(line, v); err != nil {
		return fmt.Errorf("%w (%w)", err, safeio.ErrCorrupt)
	}
	return nil
}

func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) }
