package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

func TestCode(t *testing.T) {
	_, missing := os.Open("/no/such/file")
	cases := []struct {
		name      string
		err       error
		cancelled error
		want      int
	}{
		{"none", nil, nil, 0},
		{"plain", errors.New("x"), nil, 1},
		{"usage", Usagef("no corpus given"), nil, 2},
		{"skipped", Exit(ExitSkipped, errors.New("2 files skipped")), nil, 3},
		{"corrupt", fmt.Errorf("shard 3: %w", safeio.ErrCorrupt), nil, 4},
		{"mismatch", fmt.Errorf("tokenizer: %w", safeio.ErrMismatch), nil, 4},
		{"out of space", fmt.Errorf("save: %w", safeio.ErrSpace), nil, 5},
		{"limit", safeio.ErrLimit, nil, 5},
		{"bare ENOSPC", &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, nil, 5},
		{"diverged", Exit(ExitDiverged, errors.New("10 of 100 steps skipped")), nil, 6},
		{"not found", safeio.ErrNotFound, nil, 10},
		{"missing file", missing, nil, 10},
		{"locked", safeio.ErrLocked, nil, 11},
		{"under a hint", Hint(safeio.ErrLocked, "wait"), nil, 11},
		{"exit over kind", Exit(ExitDiverged, safeio.ErrCorrupt), nil, 6},
		{"joined", errors.Join(errors.New("x"), safeio.ErrCorrupt), nil, 4},
		{"SIGINT", fmt.Errorf("train: %w", context.Canceled), signalError{syscall.SIGINT}, 130},
		{"SIGTERM", context.Canceled, signalError{syscall.SIGTERM}, 143},
		{"cause of SIGTERM", fmt.Errorf("train: %w", signalError{syscall.SIGTERM}), nil, 143},
		{"cancelled by ourselves", context.Canceled, nil, 1},
		{"failure while stopping", safeio.ErrSpace, signalError{syscall.SIGINT}, 5},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := code(c.err, c.cancelled); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestNilStaysNil(t *testing.T) {
	if Exit(ExitCorrupt, nil) != nil || Hint(nil, "x") != nil {
		t.Error("an error out of nothing")
	}
}
