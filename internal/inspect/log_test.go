package inspect

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// followed is a log that is written and followed.
type followed struct {
	t     *testing.T
	path  string
	root  *os.Root
	log   log
	lines []string
}

func follow(t *testing.T) *followed {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return &followed{t: t, path: filepath.Join(dir, "a.jsonl"), root: root, log: log{name: "a.jsonl"}}
}

func (f *followed) write(text string) {
	f.t.Helper()
	if err := os.WriteFile(f.path, []byte(text), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

func (f *followed) read() error {
	return f.log.follow(f.root, func() { f.lines = nil }, func(line []byte) error {
		f.lines = append(f.lines, string(line))
		return nil
	})
}

func TestFollow(t *testing.T) {
	long := strings.Repeat("x", 200<<10) // longer than the buffer of the reader
	cases := []struct {
		name   string
		states []string // of the file, one after the other
		want   []string
	}{
		{"empty", []string{""}, nil},
		{"grows", []string{"a\n", "a\nb\n", "a\nb\nc\n"}, []string{"a", "b", "c"}},
		{"the end of a line waits", []string{"a\nb", "a\nbc\n"}, []string{"a", "bc"}},
		{"nothing but half a line", []string{"ab"}, nil},
		{"long lines", []string{long + "\n" + long, long + "\n" + long + "\nz\n"}, []string{long, long, "z"}},
		{"cut by a resume", []string{"a\nb\nc\n", "a\n"}, []string{"a"}},
		{"cut and written as before", []string{"a\nb\nc\n", "a\nb\n", "a\nb\nc\nd\n"}, []string{"a", "b", "c", "d"}},
		{"another log of the same length", []string{"a\nb\n", "c\nd\n"}, []string{"c", "d"}},
		{"another and longer log", []string{"a\nb\n", "c\nd\ne\n"}, []string{"c", "d", "e"}},
		{"emptied", []string{"a\nb\n", ""}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := follow(t)
			for _, state := range c.states {
				f.write(state)
				if err := f.read(); err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(f.lines, c.want) {
				t.Errorf("got %.80q, want %.80q", f.lines, c.want)
			}
		})
	}
}

func TestFollowRefuses(t *testing.T) {
	cases := []struct {
		name string
		make func(path string) error
		kind error // nil for any
	}{
		{"a link out of the run", func(path string) error { return os.Symlink("/etc/passwd", path) }, nil},
		{"a link to the directory above", func(path string) error { return os.Symlink("..", path) }, nil},
		{"a directory", func(path string) error { return os.Mkdir(path, 0o755) }, safeio.ErrCorrupt},
		{"a pipe, which would block", func(path string) error { return syscall.Mkfifo(path, 0o644) }, safeio.ErrCorrupt},
		{"a line without end", func(path string) error {
			return os.WriteFile(path, []byte(strings.Repeat("x", maxLine+100)+"\n"), 0o644)
		}, safeio.ErrCorrupt},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := follow(t)
			if err := c.make(f.path); err != nil {
				t.Fatal(err)
			}
			err := f.read()
			if err == nil || c.kind != nil && !errors.Is(err, c.kind) {
				t.Errorf("%v, want %v", err, c.kind)
			}
			if len(f.lines) > 0 {
				t.Errorf("read %.80q", f.lines)
			}
		})
	}
	t.Run("no log", func(t *testing.T) {
		f := follow(t)
		f.write("a\n")
		if err := f.read(); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(f.path); err != nil {
			t.Fatal(err)
		}
		if err := f.read(); !absent(err) || len(f.lines) > 0 {
			t.Errorf("%v, and it knows %q", err, f.lines)
		}
	})
}
