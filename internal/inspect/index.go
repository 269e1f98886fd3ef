package inspect

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

const (
	// maxEntries is how many lines of a log an index knows.
	maxEntries = 400
	// readWhole is the length of a log, in bytes, of which every line is looked at.
	readWhole = 1 << 20
)

// index knows where some lines of a log of large lines are, and keeps a little of
// each: the first, the newest, and of a long log as many as there is room for,
// spread evenly over its bytes. It reads those lines alone, so that its work does
// not grow with the history; any of them is read in full by its place.
type index[T any] struct {
	log
	// decode takes from a line its step and what is kept.
	decode func(line []byte) (step int, kept T, err error)
	check  func(line []byte) error // of the newest alone, all of it; may be nil

	spread []entry[T]
	newest *entry[T] // where it is not the last of spread
	stride int64     // bytes from one of spread to the next, at least
}

type entry[T any] struct {
	step int
	at   int64
	size int
	kept T
}

// update reads what the log has gained and says whether that is anything.
func (x *index[T]) update(root *os.Root) (gained bool, err error) {
	file, size, again, err := x.open(root)
	if again {
		gained = len(x.spread) > 0
		x.spread, x.newest, x.stride = nil, nil, 0
	}
	if err != nil {
		return gained, err
	}
	defer file.Close()
	end, err := lastNewline(file, x.offset, size)
	if err != nil || end == x.offset {
		return gained, x.wrong(file, root, end, err)
	}
	if len(x.spread) == 0 && end > readWhole {
		x.stride = end / maxEntries
	}
	for {
		from := int64(0)
		if n := len(x.spread); n > 0 {
			last := x.spread[n-1]
			if from, err = lineAt(file, max(last.at+int64(last.size)+1, last.at+x.stride), end); err != nil {
				return gained, x.wrong(file, root, from, err)
			}
		}
		if from >= end {
			break
		}
		e, err := x.read(file, from, end)
		if err == nil && len(x.spread) > 0 && e.step <= x.spread[len(x.spread)-1].step {
			err = fmt.Errorf("step %d comes after step %d: %w", e.step, x.spread[len(x.spread)-1].step, safeio.ErrCorrupt)
		}
		if err != nil {
			return gained, x.wrong(file, root, from, err)
		}
		if x.spread = append(x.spread, e); len(x.spread) > maxEntries {
			x.thin()
		}
	}
	x.newest = nil
	from, err := lineBefore(file, end)
	if err == nil && from > x.spread[len(x.spread)-1].at {
		var e entry[T]
		e, err = x.read(file, from, end)
		x.newest = &e
	}
	if err != nil {
		return gained, x.wrong(file, root, from, err)
	}
	if at, err := x.checkNewest(root); err != nil {
		return gained, x.wrong(file, root, at, err)
	}
	return true, x.readTo(file, end)
}

// checkNewest checks the newest line and forgets it if it is not as it should be.
func (x *index[T]) checkNewest(root *os.Root) (at int64, err error) {
	if x.check == nil {
		return 0, nil
	}
	all := x.all()
	newest := all[len(all)-1]
	line, err := x.line(root, newest)
	if err == nil {
		err = x.check(line)
	}
	if err == nil {
		return 0, nil
	}
	if x.newest != nil {
		x.newest = nil
	} else {
		x.spread = x.spread[:len(x.spread)-1]
	}
	return newest.at, err
}

// thin drops every other entry.
func (x *index[T]) thin() {
	kept := x.spread[:0]
	for i, e := range x.spread {
		if i%2 == 0 {
			kept = append(kept, e)
		}
	}
	clear(x.spread[len(kept):])
	x.spread = kept
	x.stride = (kept[len(kept)-1].at - kept[0].at) / int64(len(kept)-1)
}

// read decodes the line that begins at from.
func (x *index[T]) read(file io.ReaderAt, from, end int64) (entry[T], error) {
	line, err := newLineReader(file, from, end).next()
	if err != nil {
		return entry[T]{}, err
	}
	step, kept, err := x.decode(line)
	return entry[T]{step, from, len(line), kept}, err
}

// wrong stops before what is wrong at a place: the next look begins there.
func (x *index[T]) wrong(file *os.File, root *os.Root, at int64, err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("read %q, byte %d: %w", filepath.Join(root.Name(), x.name), at, err)
	return errors.Join(err, x.readTo(file, at))
}

// all are the entries in order.
func (x *index[T]) all() []entry[T] {
	if x.newest == nil {
		return x.spread
	}
	return append(x.spread[:len(x.spread):len(x.spread)], *x.newest)
}

// line reads an entry's line in full.
func (x *index[T]) line(root *os.Root, e entry[T]) ([]byte, error) {
	file, _, err := openRegular(root, x.name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b := make([]byte, e.size)
	if _, err := file.ReadAt(b, e.at); err != nil {
		return nil, fmt.Errorf("read %q, byte %d: %w", file.Name(), e.at, err)
	}
	return b, nil
}

// lineAt is where the first line begins that does not begin before at; end if
// there is none.
func lineAt(file io.ReaderAt, at, end int64) (int64, error) {
	if at >= end {
		return end, nil
	}
	rest, err := newLineReader(file, at-1, end).next()
	if errors.Is(err, io.EOF) {
		return end, nil
	}
	return at + int64(len(rest)), err
}

// lineBefore is where the line begins whose newline is the byte before end.
func lineBefore(file io.ReaderAt, end int64) (int64, error) {
	n, err := lastNewline(file, 0, end-1)
	if end-n > maxLine {
		return n, fmt.Errorf("a line longer than %d bytes: %w", maxLine, safeio.ErrCorrupt)
	}
	return n, err
}

// lastNewline is the place behind the last newline before to; from, if there is
// none within the length of a line.
func lastNewline(file io.ReaderAt, from, to int64) (int64, error) {
	buffer := make([]byte, 64<<10)
	for stop := max(from, to-maxLine-1); to > stop; {
		b := buffer[:min(int64(len(buffer)), to-stop)]
		if _, err := file.ReadAt(b, to-int64(len(b))); err != nil && !errors.Is(err, io.EOF) {
			return from, err
		}
		if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
			return to - int64(len(b)) + int64(i) + 1, nil
		}
		to -= int64(len(b))
	}
	return from, nil
}

// lineOf reads the line of a step.
func lineOf[T any](x *index[T], root *os.Root, step int) ([]byte, error) {
	all := x.all()
	at, found := slices.BinarySearchFunc(all, step, func(e entry[T], step int) int { return e.step - step })
	if !found {
		return nil, fmt.Errorf("no line of step %d in %q: %w", step, filepath.Join(root.Name(), x.name), safeio.ErrNotFound)
	}
	return x.line(root, all[at])
}

func lastStep[T any](entries []entry[T]) int {
	if len(entries) == 0 {
		return 0
	}
	return entries[len(entries)-1].step
}
