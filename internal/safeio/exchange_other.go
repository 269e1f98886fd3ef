//go:build !linux

package safeio

import "errors"

// exchange has no counterpart here that every file system knows.
func exchange(_, _ string) error { return errors.ErrUnsupported }
