package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// source is one file of the corpus.
type source struct {
	name        string // relative to the corpus argument, with slashes
	path        string
	lines       bool   // .jsonl
	compression string // "", ".gz" or ".zst"

	// Found by scanning it once.
	stored int64 // size on disk
	size   int64 // decompressed
	sum    [32]byte
	utf16  bool
}

// discover lists the sources behind the corpus arguments by name. Directories
// are walked through links too, each real directory and file once, so that
// loops end; what cannot be read as text is counted.
func discover(ctx context.Context, args []string) ([]source, Report, error) {
	w := walker{ctx: ctx, seen: map[string]bool{}}
	for _, arg := range args {
		if err := w.argument(arg); err != nil {
			return nil, w.report, err
		}
	}
	slices.SortStableFunc(w.found, func(a, b source) int { return cmp.Compare(a.name, b.name) })
	return w.found, w.report, nil
}

type walker struct {
	ctx    context.Context
	seen   map[string]bool // real paths
	found  []source
	report Report
}

func (w *walker) argument(arg string) error {
	info, err := os.Stat(arg)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read corpus %q: %w", arg, safeio.ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("read corpus %q: %w", arg, bare(err))
	}
	if info.IsDir() {
		if _, err := os.ReadDir(arg); err != nil {
			return fmt.Errorf("read corpus %q: %w", arg, bare(err))
		}
		return w.directory(arg, "")
	}
	if info.Mode().IsRegular() {
		file, err := os.Open(arg)
		if err != nil {
			return fmt.Errorf("read corpus %q: %w", arg, bare(err))
		}
		file.Close()
	}
	return w.file(arg, filepath.Base(arg), info, true)
}

// directory walks what is below path; under is its name with a slash, or "".
// Entries come sorted by name, so which of two names of a file counts does not
// depend on the file system.
func (w *walker) directory(path, under string) error {
	if err := w.ctx.Err(); err != nil {
		return context.Cause(w.ctx)
	}
	if !w.first(path) {
		return nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		w.report.Unreadable++
	}
	for _, entry := range entries {
		child, name := filepath.Join(path, entry.Name()), under+entry.Name()
		if strings.HasPrefix(entry.Name(), ".") {
			w.report.OtherFiles++
			continue
		}
		info, err := os.Stat(child)
		switch {
		case err != nil:
			w.report.Unreadable++
		case info.IsDir():
			err = w.directory(child, name+"/")
		default:
			err = w.file(child, name, info, false)
		}
		if err != nil && w.ctx.Err() != nil {
			return context.Cause(w.ctx)
		}
	}
	return nil
}

func (w *walker) file(path, name string, info fs.FileInfo, named bool) error {
	if !info.Mode().IsRegular() {
		w.report.SpecialFiles++
		return nil
	}
	s := source{name: filepath.ToSlash(name), path: path, stored: info.Size()}
	rest := strings.ToLower(name)
	for _, ext := range []string{".gz", ".zst"} {
		if strings.HasSuffix(rest, ext) {
			s.compression, rest = ext, strings.TrimSuffix(rest, ext)
		}
	}
	s.lines = strings.HasSuffix(rest, ".jsonl")
	// A file that was named is text whatever it is called.
	if !named && !s.lines && !strings.HasSuffix(rest, ".txt") {
		w.report.OtherFiles++
		return nil
	}
	if !w.first(path) {
		w.report.Repeated++
		return nil
	}
	w.found = append(w.found, s)
	return nil
}

// first says whether the file or directory behind path was not met before.
func (w *walker) first(path string) bool {
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		real = path
	}
	if w.seen[real] {
		return false
	}
	w.seen[real] = true
	return true
}
