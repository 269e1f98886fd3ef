package pipeline

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// stdinArgument stands for standard input among the corpus arguments.
const stdinArgument = "-"

// discover lists the sources behind the corpus arguments by name. Directories
// are walked through links too, each real directory and file once, so that
// loops end; what cannot be read as text is counted.
func discover(ctx context.Context, o Options) ([]*source, Report, error) {
	w := walker{ctx: ctx, seen: map[[16]byte]struct{}{}}
	for _, arg := range o.Sources {
		var err error
		switch {
		case arg == stdinArgument:
			err = w.stdin(o)
		case strings.HasPrefix(arg, bucketScheme):
			err = w.bucket(arg)
		default:
			err = w.argument(arg)
		}
		if err != nil {
			return nil, w.report, err
		}
	}
	slices.SortStableFunc(w.found, func(a, b *source) int { return cmp.Compare(a.name, b.name) })
	return w.found, w.report, nil
}

type walker struct {
	ctx    context.Context
	seen   map[[16]byte]struct{} // hashes of real paths
	found  []*source
	report Report
}

func (w *walker) argument(arg string) error {
	info, err := os.Stat(arg)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read corpus %q: %w", arg, safeio.ErrNotFound)
	}
	real := ""
	if err == nil {
		real, err = realPath(arg)
	}
	if err != nil {
		return fmt.Errorf("read corpus %q: %w", arg, bare(err))
	}
	if info.IsDir() {
		if _, err := os.ReadDir(arg); err != nil {
			return fmt.Errorf("read corpus %q: %w", arg, bare(err))
		}
		return w.directory(&folder{arg}, "", real)
	}
	at := &folder{filepath.Dir(arg)}
	if info.Mode().IsRegular() {
		file, err := at.open(filepath.Base(arg))
		if err != nil {
			return fmt.Errorf("read corpus %q: %w", arg, bare(err))
		}
		file.Close()
	}
	w.file(at, filepath.Base(arg), real, info, true)
	return nil
}

// stdin adds standard input, whose format follows from the name it is given.
func (w *walker) stdin(o Options) error {
	if o.Stdin == nil {
		return fmt.Errorf("read corpus %q: %w: there is no standard input", stdinArgument, safeio.ErrNotFound)
	}
	for _, s := range w.found {
		if _, ok := s.place.(*pipe); ok {
			return fmt.Errorf("read corpus %q: standard input can be read once", stdinArgument)
		}
	}
	s := &source{place: &pipe{in: o.Stdin, dir: o.Out, limit: o.StdinLimit}, name: o.StdinName}
	s.kind, s.packed = kindOf(s.name)
	if s.kind == kindOther {
		s.kind = kindText
	}
	w.found = append(w.found, s)
	return nil
}

// directory walks what is below a directory; under is its name with a slash, or
// "", real its path without links. Entries are sorted by name, so which of two
// names of a file counts does not depend on the file system.
func (w *walker) directory(at *folder, under, real string) error {
	if w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	if !w.first(real) {
		return nil
	}
	names, err := list(at.path(under))
	if err != nil {
		w.report.Unreadable++
	}
	for _, entry := range names {
		if strings.HasPrefix(entry, ".") {
			w.report.OtherFiles++
			continue
		}
		name, below := under+entry, filepath.Join(real, entry)
		info, err := os.Lstat(below)
		if err == nil && info.Mode()&fs.ModeSymlink != 0 {
			if info, err = os.Stat(below); err == nil {
				below, err = realPath(below)
			}
		}
		switch {
		case err != nil:
			w.report.Unreadable++
		case info.IsDir():
			if err := w.directory(at, name+"/", below); err != nil {
				return err
			}
		default:
			w.file(at, name, below, info, false)
		}
	}
	return nil
}

// list returns the sorted names in a directory.
func list(path string) ([]string, error) {
	dir, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	slices.Sort(names)
	return names, err
}

func (w *walker) file(at place, name, real string, info fs.FileInfo, named bool) {
	if !info.Mode().IsRegular() {
		w.report.SpecialFiles++
		return
	}
	w.add(&source{place: at, name: name, stored: info.Size()}, real, named)
}

// add takes up a source unless it cannot be read as text or was met before.
func (w *walker) add(s *source, real string, named bool) {
	s.kind, s.packed = kindOf(s.name)
	// A file that was named is text whatever it is called.
	if s.kind == kindOther && named {
		s.kind = kindText
	}
	switch {
	case s.kind == kindOther:
		w.report.OtherFiles++
	case !w.first(real):
		w.report.Repeated++
	default:
		w.found = append(w.found, s)
	}
}

// first says whether the file or directory of a real path was not met before.
// Sixteen bytes of its hash stand for it, which is less than the path.
func (w *walker) first(real string) bool {
	sum := sha256.Sum256([]byte(real))
	key := [16]byte(sum[:16])
	if _, ok := w.seen[key]; ok {
		return false
	}
	w.seen[key] = struct{}{}
	return true
}

func realPath(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	return real, err
}
