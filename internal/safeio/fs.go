package safeio

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// tempPrefix begins the name of everything that is not yet committed.
const tempPrefix = ".tmp-"

// bufferSize is large enough that the number of write calls does not matter.
const bufferSize = 256 << 10

// FS is the file system as the writers of this project see it. The zero value
// is the real one.
//
// Before, if set, is called ahead of each operation with its name (create,
// write, sync, close, rename, syncdir, remove, mkdir) and path; an error from
// it is the outcome of that operation, which is then not carried out (but a
// file is closed all the same). Tests fail the n-th operation through it, for
// every n.
type FS struct {
	Before func(op, path string) error
}

func (f FS) before(op, path string) error {
	if f.Before == nil {
		return nil
	}
	return f.Before(op, path)
}

// WriteFile replaces the file at path by what write produces, atomically and
// durably. The directory must exist. The bytes go through a buffer to a
// temporary file beside path, which is synced and renamed; on any failure, a
// panic in write included, the temporary file is removed and path is as before.
// A full disk is ErrSpace.
func (f FS) WriteFile(path string, write func(io.Writer) error) (err error) {
	temp := tempPath(path)
	if err := f.before("create", temp); err != nil {
		return wrap("create", path, err)
	}
	file, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return wrap("create", path, err)
	}
	closed, renamed := false, false
	defer func() {
		if !closed {
			file.Close()
		}
		if !renamed {
			f.remove(temp)
		}
	}()

	buffered := bufio.NewWriterSize(&hookedWriter{f, file, temp}, bufferSize)
	if err := write(buffered); err != nil {
		return wrap("write", path, err)
	}
	if err := buffered.Flush(); err != nil {
		return wrap("write", path, err)
	}
	if err := f.before("sync", temp); err != nil {
		return wrap("sync", path, err)
	}
	if err := file.Sync(); err != nil {
		return wrap("sync", path, err)
	}
	if err := f.before("close", temp); err != nil {
		return wrap("close", path, err)
	}
	closed = true
	if err := file.Close(); err != nil {
		return wrap("close", path, err)
	}
	if err := f.rename(temp, path); err != nil {
		return err
	}
	renamed = true
	return f.syncDir(filepath.Dir(path))
}

// WriteDir makes the directory path with what fill puts into a temporary
// directory beside it, atomically and durably. fill writes its files with
// WriteFile of the same FS. The parent must exist and path must not: a
// directory is committed once (the error then wraps fs.ErrExist). On any
// failure, a panic in fill included, the temporary directory is removed.
func (f FS) WriteDir(path string, fill func(tmpDir string) error) error {
	if _, err := os.Lstat(path); err == nil {
		return wrap("make directory", path, os.ErrExist)
	}
	return f.makeDir(path, fill, func(temp string) (string, error) { return "", f.rename(temp, path) })
}

// ReplaceDir is WriteDir over a directory that is there: the two change places in
// one step, and the old one is removed. Where the system cannot do that, the old
// one is moved away first; a process that is killed right then leaves it beside
// path, under a name that begins with ".tmp-".
func (f FS) ReplaceDir(path string, fill func(tmpDir string) error) error {
	return f.makeDir(path, fill, func(temp string) (string, error) { return f.swap(temp, path) })
}

// makeDir fills a temporary directory and commits it. What commit then no longer
// wants it returns, and that is removed.
func (f FS) makeDir(path string, fill func(tmpDir string) error, commit func(temp string) (old string, err error)) error {
	temp := tempPath(path)
	if err := f.mkdir(temp, path); err != nil {
		return err
	}
	committed := false
	defer func() {
		if !committed {
			f.remove(temp)
		}
	}()
	if err := fill(temp); err != nil {
		return wrap("fill directory", path, err)
	}
	if err := f.syncDir(temp); err != nil {
		return err
	}
	old, err := commit(temp)
	if err != nil {
		return err
	}
	committed = true
	err = f.syncDir(filepath.Dir(path))
	if old != "" {
		err = errors.Join(err, f.remove(old))
	}
	return err
}

// swap puts the directory temp in the place of path and says where what was there
// is now.
func (f FS) swap(temp, path string) (old string, err error) {
	if err := f.before("rename", path); err != nil {
		return "", wrap("rename to", path, err)
	}
	err = exchange(temp, path)
	if errors.Is(err, errors.ErrUnsupported) {
		return f.displace(temp, path)
	}
	if err != nil {
		return "", wrap("rename to", path, err)
	}
	return temp, nil
}

// displace is swap in two steps.
func (f FS) displace(temp, path string) (old string, err error) {
	old = tempPath(path)
	if err := os.Rename(path, old); err != nil {
		return "", wrap("rename", path, err)
	}
	if err := os.Rename(temp, path); err != nil {
		return "", errors.Join(wrap("rename to", path, err), os.Rename(old, path))
	}
	return old, nil
}

// MkdirAll makes the directory path and those above it that are missing, and
// syncs the directory above each new one, so that what is later written into
// path is not lost together with it.
func (f FS) MkdirAll(path string) error {
	path = filepath.Clean(path)
	if info, err := os.Stat(path); err == nil {
		if !info.IsDir() {
			return wrap("make directory", path, syscall.ENOTDIR)
		}
		return nil
	}
	parent := filepath.Dir(path)
	if parent != path {
		if err := f.MkdirAll(parent); err != nil {
			return err
		}
	}
	if err := f.mkdir(path, path); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return f.syncDir(parent)
}

// RemoveDir removes a directory. What a process that is killed leaves of it has a
// temporary name, so that nobody takes it for whole.
func (f FS) RemoveDir(path string) error {
	temp := tempPath(path)
	if err := f.rename(path, temp); err != nil {
		return err
	}
	return f.remove(temp)
}

// RemoveTemps removes what killed writers left in dir: every entry whose name
// begins with ".tmp-". Only the holder of the lock on dir may call it. A
// directory that is not there has no leftovers.
func (f FS) RemoveTemps(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return wrap("list", dir, err)
	}
	for _, entry := range entries {
		if isTemp(entry.Name()) {
			if err := f.remove(filepath.Join(dir, entry.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f FS) mkdir(dir, named string) error {
	if err := f.before("mkdir", dir); err != nil {
		return wrap("make directory", named, err)
	}
	if err := os.Mkdir(dir, 0o777); err != nil {
		return wrap("make directory", named, err)
	}
	return nil
}

func (f FS) rename(temp, path string) error {
	if err := f.before("rename", path); err != nil {
		return wrap("rename to", path, err)
	}
	if err := os.Rename(temp, path); err != nil {
		return wrap("rename to", path, err)
	}
	return nil
}

func (f FS) remove(path string) error {
	if err := f.before("remove", path); err != nil {
		return wrap("remove", path, err)
	}
	if err := os.RemoveAll(path); err != nil {
		return wrap("remove", path, err)
	}
	return nil
}

// syncDir makes the names in dir durable. File systems that cannot sync a
// directory say EINVAL or ENOTSUP: there is then nothing more to be done.
func (f FS) syncDir(dir string) error {
	if err := f.before("syncdir", dir); err != nil {
		return wrap("sync directory", dir, err)
	}
	file, err := os.Open(dir)
	if err != nil {
		return wrap("sync directory", dir, err)
	}
	defer file.Close()
	err = file.Sync()
	if err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return wrap("sync directory", dir, err)
	}
	return nil
}

// tempPath is a fresh name in the directory of path. It does not contain the
// name itself, which may already be as long as the file system allows.
func tempPath(path string) string {
	return filepath.Join(filepath.Dir(path), fmt.Sprintf("%s%016x", tempPrefix, rand.Uint64()))
}

func isTemp(path string) bool { return strings.HasPrefix(filepath.Base(path), tempPrefix) }

type hookedWriter struct {
	fs   FS
	file *os.File
	path string
}

func (w *hookedWriter) Write(p []byte) (int, error) {
	if err := w.fs.before("write", w.path); err != nil {
		return 0, err
	}
	return w.file.Write(p)
}
