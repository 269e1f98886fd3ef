package safeio_test

import (
	"errors"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// TestFullDisk fills a real file system of 64 KiB.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("mounting a small file system needs privileges: %v", err)
	}
	defer syscall.Unmount(dir, 0)

	path := filepath.Join(dir, "file")
	if err := (safeio.FS{}).WriteFile(path, writeString("old")); err != nil {
		t.Fatal(err)
	}
	err := safeio.FS{}.WriteFile(path, func(w io.Writer) error {
		for range 100 {
			if _, err := w.Write(make([]byte, 16<<10)); err != nil {
				return err
			}
		}
		return nil
	})
	if !errors.Is(err, safeio.ErrSpace) {
		t.Errorf("file: got %v, want ErrSpace", err)
	}
	err = safeio.FS{}.WriteDir(filepath.Join(dir, "step"), func(tmp string) error {
		return safeio.FS{}.WriteFile(filepath.Join(tmp, "a"), writeString(strings.Repeat("x", 1<<20)))
	})
	if !errors.Is(err, safeio.ErrSpace) {
		t.Errorf("directory: got %v, want ErrSpace", err)
	}
	if got, left := content(t, path), names(t, dir); got != "old" || left != "file" {
		t.Errorf("afterwards: %q, %s", got, left)
	}
	if err := (safeio.FS{}).WriteFile(path, writeString("new")); err != nil {
		t.Errorf("with space again: %v", err)
	}
}
