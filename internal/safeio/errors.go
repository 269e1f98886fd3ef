package safeio

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// The kinds of failure that the commands tell apart by exit code. Libraries
// wrap them with %w next to the file, the place and what was wrong.
var (
	// ErrCorrupt says that bytes are not what their format or their hash says.
	ErrCorrupt = errors.New("corrupt data")
	// ErrMismatch says that two sound things do not belong together.
	ErrMismatch = errors.New("mismatch")
	// ErrLocked says that another process is writing to the same directory.
	ErrLocked = errors.New("locked by another process")
	// ErrNotFound says that there is nothing at the place that was named.
	ErrNotFound = errors.New("not found")
	// ErrSpace says that the disk, the quota or the largest file size is used up.
	ErrSpace = errors.New("out of space")
	// ErrLimit says that an input asks for more than the stated limit.
	ErrLimit = errors.New("limit exceeded")
)

// wrap says what was attempted on which path, and marks a full disk as
// ErrSpace and an absent file as ErrNotFound. Where the cause names the same
// path once more, or the temporary one in its place, its reason alone is kept.
func wrap(verb, path string, err error) error {
	var pathErr *fs.PathError
	var linkErr *os.LinkError
	switch {
	case errors.As(err, &pathErr) && pathErr == err && (pathErr.Path == path || isTemp(pathErr.Path)):
		err = pathErr.Err
	case errors.As(err, &linkErr) && linkErr == err:
		err = linkErr.Err
	}
	return fmt.Errorf("%s %q: %w", verb, path, mark(err))
}

func mark(err error) error {
	for _, kind := range []error{ErrCorrupt, ErrMismatch, ErrLocked, ErrNotFound, ErrSpace, ErrLimit} {
		if errors.Is(err, kind) {
			return err
		}
	}
	for _, errno := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, errno) {
			return fmt.Errorf("%w: %w", ErrSpace, err)
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return err
}
