package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// The exit codes of all commands. A command stopped by a signal exits with 128
// plus its number: 130 for SIGINT, 143 for SIGTERM.
const (
	ExitOK       = 0  // done
	ExitFailure  = 1  // any failure without a code of its own
	ExitUsage    = 2  // the command line or the configuration makes no sense
	ExitSkipped  = 3  // done, but some inputs were skipped
	ExitCorrupt  = 4  // data are corrupt, or do not belong together
	ExitSpace    = 5  // out of disk space, or beyond a limit
	ExitDiverged = 6  // training diverged
	ExitNothing  = 10 // there is nothing at the place that was named
	ExitLocked   = 11 // another process is writing there
)

// ExitHelp is the section on exit codes for the help text of a command.
const ExitHelp = `EXIT STATUS
   0  done
   1  failure
   2  wrong usage
   3  done, but some inputs were skipped
   4  corrupt data, or data that do not belong together
   5  out of disk space, or beyond a limit
   6  training diverged
  10  nothing there: no such file, shard directory or run
  11  locked by another process
 130  stopped by SIGINT, what is saved is whole
 143  stopped by SIGTERM, what is saved is whole`

type exitError struct {
	error
	code int
}

func (e *exitError) Unwrap() error { return e.error }

// Exit gives err an exit code that its kind does not already have.
func Exit(code int, err error) error {
	if err == nil {
		return nil
	}
	return &exitError{err, code}
}

// Usagef is an error in the way a command was called, exit code 2.
func Usagef(format string, args ...any) error {
	return Exit(ExitUsage, fmt.Errorf(format, args...))
}

type hintError struct {
	error
	hint string
}

func (e *hintError) Unwrap() error { return e.error }

// Hint adds what to do next, printed on a line of its own below the error.
func Hint(err error, hint string) error {
	if err == nil {
		return nil
	}
	return &hintError{err, hint}
}

// signalError is the cause of the cancellation of a command's context.
type signalError struct{ syscall.Signal }

func (s signalError) Error() string {
	switch s.Signal {
	case syscall.SIGINT:
		return "stopped by SIGINT"
	case syscall.SIGTERM:
		return "stopped by SIGTERM"
	}
	return "stopped by signal " + s.Signal.String()
}

// code is the one mapping from errors to exit codes. The outermost Exit wins
// over the kind of the error; cancelled is the signal that ended the context,
// if one did.
func code(err error, cancelled error) int {
	var exit *exitError
	var stopped signalError
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &stopped):
		return 128 + int(stopped.Signal)
	case errors.Is(err, context.Canceled) && errors.As(cancelled, &stopped):
		return 128 + int(stopped.Signal)
	case errors.Is(err, safeio.ErrCorrupt), errors.Is(err, safeio.ErrMismatch):
		return ExitCorrupt
	case errors.Is(err, safeio.ErrLocked):
		return ExitLocked
	case errors.Is(err, safeio.ErrSpace), errors.Is(err, safeio.ErrLimit),
		errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return ExitSpace
	case errors.Is(err, safeio.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return ExitNothing
	}
	return ExitFailure
}
