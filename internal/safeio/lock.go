//go:build unix

package safeio

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// lockName is the file in a directory that its one writer holds locked.
const lockName = ".lock"

// holderLimit bounds what is read of a lock file, in bytes.
const holderLimit = 200

// Lock is the right to write to a directory. The kernel drops it with the
// process, however that ends, so there is no such thing as a stale lock: the
// file that a dead process leaves behind can be locked again at once.
type Lock struct {
	fs   FS
	file *os.File
	path string
}

// Lock takes the lock of a directory, which must exist, and writes this
// process's id and command into dir/.lock for others to read. If it is held,
// the error is ErrLocked and names the holder; Lock never waits.
func (f FS) Lock(dir string) (*Lock, error) {
	path := filepath.Join(dir, lockName)
	for {
		if err := f.before("create", path); err != nil {
			return nil, wrap("lock", dir, err)
		}
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
		if err != nil {
			return nil, wrap("lock", dir, err)
		}
		if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			holder := readHolder(file)
			file.Close()
			if errors.Is(err, syscall.EWOULDBLOCK) {
				return nil, wrap("lock", dir, fmt.Errorf("%w: %s", ErrLocked, holder))
			}
			return nil, wrap("lock", dir, err)
		}
		// The file may have been removed by its holder between open and flock;
		// a lock on a file without a name would exclude nobody.
		if !sameFile(file, path) {
			file.Close()
			continue
		}
		lock := &Lock{fs: f, file: file, path: path}
		if err := lock.sign(); err != nil {
			lock.Close()
			return nil, wrap("lock", dir, err)
		}
		return lock, nil
	}
}

// Close removes the lock file and gives up the lock. A second Close does
// nothing.
func (l *Lock) Close() error {
	if l.file == nil {
		return nil
	}
	file := l.file
	l.file = nil
	// Removed first, while it still excludes others: see sameFile in Lock.
	err := l.fs.remove(l.path)
	if closeErr := file.Close(); err == nil && closeErr != nil {
		err = wrap("unlock", l.path, closeErr)
	}
	return err
}

func (l *Lock) sign() error {
	command := filepath.Base(os.Args[0])
	if len(os.Args) > 1 {
		command += " " + strings.Join(os.Args[1:], " ")
	}
	if err := l.fs.before("write", l.path); err != nil {
		return err
	}
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	_, err := l.file.WriteAt(fmt.Appendf(nil, "process %d: %s\n", os.Getpid(), command), 0)
	return err
}

// readHolder returns what the holder signed with. It is foreign text, so it is
// bounded and quoted.
func readHolder(file *os.File) string {
	text, _ := io.ReadAll(io.LimitReader(file, holderLimit))
	line, _, _ := strings.Cut(string(text), "\n")
	if line == "" {
		return "by a process that has not signed yet"
	}
	return fmt.Sprintf("by %q", line)
}

func sameFile(file *os.File, path string) bool {
	held, err := file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(path)
	return err == nil && os.SameFile(held, named)
}

// Writing says whether a process that is alive has signed the lock of a
// directory. Unlike [FS.Lock] it takes nothing, so that who looks on is never in
// the way of a writer that begins; it can be wrong about a process of another
// machine.
func Writing(dir string) bool {
	path := filepath.Join(dir, lockName)
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return false
	}
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	text, _ := io.ReadAll(io.LimitReader(file, holderLimit))
	var pid int
	if n, _ := fmt.Sscanf(string(text), "process %d:", &pid); n != 1 || pid <= 0 {
		return false
	}
	err = syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
