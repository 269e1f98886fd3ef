package inspect

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// maxLine bounds a line of a log; the longest that a run writes, a snapshot of
// the warp, has some ten thousand bytes.
const maxLine = 16 << 20

// readLog decodes a log of a run, a JSON object a line. The end of the file may
// be a line that is being written or whose writer was killed: without its
// newline it does not count.
func readLog[T any](run, name string) ([]T, error) {
	path := filepath.Join(run, name)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nothing(run, name)
	}
	if err != nil {
		return nil, fmt.Errorf("read log: %w", err)
	}
	defer f.Close()
	var out []T
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxLine)
	lines.Split(wholeLines)
	n := 0
	for lines.Scan() {
		n++
		var v T
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			return nil, fmt.Errorf("read %q, line %d: %w (%w)", path, n, err, safeio.ErrCorrupt)
		}
		out = append(out, v)
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return nil, fmt.Errorf("read %q, line %d: longer than %d bytes: %w", path, n+1, maxLine, safeio.ErrCorrupt)
	}
	if lines.Err() != nil {
		return nil, fmt.Errorf("read log: %w", lines.Err())
	}
	return out, nil
}

// wholeLines is a bufio.SplitFunc for lines that end in a newline.
func wholeLines(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF {
		return len(data), nil, nil
	}
	return 0, nil, nil
}

// nothing says that a run has no such log, or that there is no run.
func nothing(run, name string) error {
	if info, err := os.Stat(run); err != nil || !info.IsDir() {
		return fmt.Errorf("no run directory %q: %w", run, safeio.ErrNotFound)
	}
	return fmt.Errorf("no %s in %q: not a run, or one that has not begun: %w", name, run, safeio.ErrNotFound)
}

// corrupt says which step of which log makes no sense, and why.
func corrupt(run, name string, step int, format string, args ...any) error {
	return fmt.Errorf("read %q, step %d: %s: %w", filepath.Join(run, name), step, fmt.Sprintf(format, args...), safeio.ErrCorrupt)
}
