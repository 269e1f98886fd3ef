package safeio_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// faults fails the operation number at, and every later one too if the process
// is to be thought of as dead from there on. It records what it was asked.
type faults struct {
	at    int
	crash bool
	cause error
	ops   []string
}

func (f *faults) before(op, _ string) error {
	i := len(f.ops)
	f.ops = append(f.ops, op)
	if i == f.at || f.crash && i > f.at {
		return f.cause
	}
	return nil
}

func writeString(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return strings.Join(list, " ")
}

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestProtocol(t *testing.T) {
	recorded := &faults{at: -1}
	fsys := safeio.FS{Before: recorded.before}
	dir := t.TempDir()
	if err := fsys.WriteFile(filepath.Join(dir, "a"), writeString("x")); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(recorded.ops, " "), "create write sync close rename syncdir"; got != want {
		t.Errorf("WriteFile: %s, want %s", got, want)
	}
	recorded.ops = nil
	err := fsys.WriteDir(filepath.Join(dir, "d"), func(tmp string) error {
		return fsys.WriteFile(filepath.Join(tmp, "a"), writeString("x"))
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "mkdir create write sync close rename syncdir syncdir rename syncdir"
	if got := strings.Join(recorded.ops, " "); got != want {
		t.Errorf("WriteDir: %s, want %s", got, want)
	}
}

// TestFaults fails every operation in turn, first as an error that the process
// survives, then as a crash: what is found afterwards must be old or new.
func TestFaults(t *testing.T) {
	cause := errors.New("fault")
	big := strings.Repeat("new", 300_000) // several buffers, so several writes
	cases := []struct {
		name  string
		write func(safeio.FS, string) error
		read  func(*testing.T, string) string // "" if it is not there
		old   string
		new   string
	}{
		{
			name: "file",
			write: func(fsys safeio.FS, dir string) error {
				return fsys.WriteFile(filepath.Join(dir, "name"), writeString(big))
			},
			read: func(t *testing.T, dir string) string { return content(t, filepath.Join(dir, "name")) },
			old:  "old",
			new:  big,
		},
		{
			name: "directory",
			write: func(fsys safeio.FS, dir string) error {
				return fsys.WriteDir(filepath.Join(dir, "step"), func(tmp string) error {
					if err := fsys.WriteFile(filepath.Join(tmp, "a"), writeString("A")); err != nil {
						return err
					}
					return fsys.WriteFile(filepath.Join(tmp, "b"), writeString("B"))
				})
			},
			read: func(t *testing.T, dir string) string {
				step := filepath.Join(dir, "step")
				if _, err := os.Stat(step); err != nil {
					return ""
				}
				return names(t, step) + content(t, filepath.Join(step, "a")) + content(t, filepath.Join(step, "b"))
			},
			old: "",
			new: "a bAB",
		},
		{
			name: "directory replaced",
			write: func(fsys safeio.FS, dir string) error {
				step := filepath.Join(dir, "step")
				if err := errors.Join(os.Mkdir(step, 0o777), os.WriteFile(filepath.Join(step, "a"), []byte("old"), 0o666)); err != nil {
					return err
				}
				return fsys.ReplaceDir(step, func(tmp string) error {
					return fsys.WriteFile(filepath.Join(tmp, "a"), writeString("A"))
				})
			},
			read: func(t *testing.T, dir string) string {
				step := filepath.Join(dir, "step")
				return names(t, step) + content(t, filepath.Join(step, "a"))
			},
			old: "aold",
			new: "aA",
		},
	}
	for _, c := range cases {
		for _, crash := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s,crash=%v", c.name, crash), func(t *testing.T) {
				for at := 0; ; at++ {
					dir := t.TempDir()
					if err := os.WriteFile(filepath.Join(dir, "name"), []byte("old"), 0o666); err != nil {
						t.Fatal(err)
					}
					injected := &faults{at: at, crash: crash, cause: cause}
					err := c.write(safeio.FS{Before: injected.before}, dir)
					if at >= len(injected.ops) {
						if err != nil {
							t.Fatalf("no fault left, yet %v", err)
						}
						break
					}
					op := injected.ops[at]
					if !errors.Is(err, cause) {
						t.Fatalf("fault %d (%s): got error %v", at, op, err)
					}
					got := c.read(t, dir)
					if got != c.old && got != c.new {
						t.Errorf("fault %d (%s): neither old nor new: %.20q", at, op, got)
					}
					if left := strings.Contains(names(t, dir), ".tmp-"); left && !crash && op != "remove" {
						t.Errorf("fault %d (%s): leftover %s", at, op, names(t, dir))
					}
					if err := (safeio.FS{}).RemoveTemps(dir); err != nil {
						t.Fatal(err)
					}
					if strings.Contains(names(t, dir), ".tmp-") {
						t.Errorf("fault %d (%s): RemoveTemps left %s", at, op, names(t, dir))
					}
				}
			})
		}
	}
}

func TestErrorKinds(t *testing.T) {
	cases := []struct {
		name  string
		cause error
		want  error
	}{
		{"full disk", syscall.ENOSPC, safeio.ErrSpace},
		{"quota", syscall.EDQUOT, safeio.ErrSpace},
		{"unreadable source", &fs.PathError{Op: "read", Path: "source", Err: syscall.EIO}, syscall.EIO},
		{"file size limit", syscall.EFBIG, safeio.ErrSpace},
		{"absent directory", syscall.ENOENT, safeio.ErrNotFound},
		{"corrupt source", fmt.Errorf("shard 3: %w", safeio.ErrCorrupt), safeio.ErrCorrupt},
		{"input/output", syscall.EIO, syscall.EIO},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "out")
			fsys := safeio.FS{Before: func(op, _ string) error {
				if op == "write" {
					return c.cause
				}
				return nil
			}}
			err := fsys.WriteFile(path, writeString("x"))
			if !errors.Is(err, c.want) || !strings.HasSuffix(err.Error(), c.cause.Error()) {
				t.Errorf("got %v, want %v and the cause", err, c.want)
			}
			if !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), ".tmp-") {
				t.Errorf("error must name the file and not the temporary one: %v", err)
			}
		})
	}
}

func TestPanicLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	write := func(f func()) {
		defer func() { _ = recover() }()
		f()
	}
	write(func() {
		_ = safeio.FS{}.WriteFile(filepath.Join(dir, "a"), func(io.Writer) error { panic("bug") })
	})
	write(func() { _ = safeio.FS{}.WriteDir(filepath.Join(dir, "d"), func(string) error { panic("bug") }) })
	if left := names(t, dir); left != "" {
		t.Errorf("left %s", left)
	}
}

func TestReplaceDirWantsADirectory(t *testing.T) {
	dir := t.TempDir()
	err := (safeio.FS{}).ReplaceDir(filepath.Join(dir, "step"), func(string) error { return nil })
	if !errors.Is(err, fs.ErrNotExist) || names(t, dir) != "" {
		t.Errorf("got %v, left %s", err, names(t, dir))
	}
}

func TestWriteDirTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "step")
	fill := func(string) error { return nil }
	if err := (safeio.FS{}).WriteDir(path, fill); err != nil {
		t.Fatal(err)
	}
	if err := (safeio.FS{}).WriteDir(path, fill); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v, want fs.ErrExist", err)
	}
}

func TestPermissions(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	safe := filepath.Join(dir, "safe")
	if err := (safeio.FS{}).WriteFile(safe, writeString("x")); err != nil {
		t.Fatal(err)
	}
	a, _ := os.Stat(plain)
	b, _ := os.Stat(safe)
	if a.Mode() != b.Mode() {
		t.Errorf("mode %v, want that of any new file, %v", b.Mode(), a.Mode())
	}
}

func TestLongestName(t *testing.T) {
	path := filepath.Join(t.TempDir(), strings.Repeat("n", 255)) // NAME_MAX of Linux and macOS
	if err := (safeio.FS{}).WriteFile(path, writeString("x")); err != nil {
		t.Error(err)
	}
}

func TestMkdirAll(t *testing.T) {
	dir := t.TempDir()
	deep := filepath.Join(dir, "a", "b", "c")
	for range 2 {
		if err := (safeio.FS{}).MkdirAll(deep); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(deep); err != nil || !info.IsDir() {
		t.Fatalf("no directory: %v", err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := (safeio.FS{}).MkdirAll(filepath.Join(file, "sub")); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("below a file: %v", err)
	}
}

func TestRemoveTempsOfAbsentDirectory(t *testing.T) {
	if err := (safeio.FS{}).RemoveTemps(filepath.Join(t.TempDir(), "absent")); err != nil {
		t.Error(err)
	}
}

func TestHashFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "abc")
	if err := os.WriteFile(path, []byte("abc"), 0o666); err != nil {
		t.Fatal(err)
	}
	sum, size, err := safeio.HashFile(path)
	// FIPS 180-2, appendix B.1.
	want := "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if sum != want || size != 3 || err != nil {
		t.Errorf("got %s, %d, %v", sum, size, err)
	}
	if _, _, err := safeio.HashFile(filepath.Join(dir, "absent")); !errors.Is(err, safeio.ErrNotFound) {
		t.Errorf("absent: %v", err)
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, _, err := safeio.HashFile(pipe); err == nil {
		t.Error("a pipe was hashed")
	}
}

func TestWriteFileWritesAllBytes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOfN(rapid.Byte(), 0, 1000).Draw(t, "data")
		times := rapid.IntRange(0, 600).Draw(t, "times")
		err := safeio.FS{}.WriteFile(path, func(w io.Writer) error {
			for range times {
				if _, err := w.Write(data); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != strings.Repeat(string(data), times) {
			t.Fatalf("read %d bytes, wrote %d x %d: %v", len(got), len(data), times, err)
		}
	})
}

func ExampleFS_WriteFile() {
	dir, _ := os.MkdirTemp("", "")
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "manifest.json")
	err := safeio.FS{}.WriteFile(path, func(w io.Writer) error {
		_, err := io.WriteString(w, "{}")
		return err
	})
	data, _ := os.ReadFile(path)
	fmt.Println(string(data), err)
	// Output: {} <nil>
}
