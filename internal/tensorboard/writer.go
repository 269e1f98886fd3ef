package tensorboard

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// flushAfter is how long an event may wait in memory for others.
const flushAfter = 3 * time.Second

// Writer appends events to an event file. The first error stays: nothing is
// written after it, and all later calls return it. Its methods may be called from
// several goroutines.
type Writer struct {
	mu    sync.Mutex
	file  *os.File
	out   *bufio.Writer
	flush *time.Timer // nil when nothing waits
	err   error
}

// Histogram counts values between the edges, of which there is one more than
// counts. Counts may be shares.
type Histogram struct {
	Edges, Counts []float64
}

// Create begins an event file in dir, which is made if need be, for a session
// that goes on from step. Its name sorts behind the event files that are there,
// whatever the clock says.
func Create(dir string, step int) (*Writer, error) {
	f, err := create(dir)
	if err != nil {
		return nil, fmt.Errorf("create event file: %w", err)
	}
	w := &Writer{file: f, out: bufio.NewWriter(f)}
	w.write(0, fileVersion, []byte("brain.Event:2"))
	if err := w.Restart(step); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return w, nil
}

func create(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	second := time.Now().Unix()
	for _, e := range entries {
		var there int64
		if n, _ := fmt.Sscanf(e.Name(), nameFormat, &there); n == 1 {
			second = max(second, there+1)
		}
	}
	for {
		f, err := os.OpenFile(filepath.Join(dir, fmt.Sprintf(nameFormat, second)), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
		second++
	}
}

// nameFormat: TensorBoard looks for "tfevents" and reads in the order of names;
// its own writers too put the second of their beginning first.
const nameFormat = "events.out.tfevents.%010d.textwarp"

// Restart says that what was written of steps from step on does not count.
func (w *Writer) Restart(step int) error { return w.write(step, sessionLog, sessionStart()) }

// Scalar adds a value to the curve tag.
func (w *Writer) Scalar(step int, tag string, v float64) error {
	return w.write(step, summary, summaryOf(tag, scalar(v), nil))
}

// Histogram adds a distribution to the series tag.
func (w *Writer) Histogram(step int, tag string, h Histogram) error {
	if len(h.Counts) == 0 || len(h.Edges) != len(h.Counts)+1 || !slices.IsSorted(h.Edges) {
		return fmt.Errorf("write histogram %q: %d edges for %d counts, or edges that do not rise", tag, len(h.Edges), len(h.Counts))
	}
	return w.write(step, summary, summaryOf(tag, h.value(), nil))
}

// Text adds a text, which TensorBoard shows as Markdown, to the series tag.
func (w *Writer) Text(step int, tag, s string) error {
	return w.write(step, summary, summaryOf(tag, text(s), textPlugin()))
}

// Flush writes what waits.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flushNow()
	return w.err
}

// Close writes what waits and closes the file.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.flush != nil {
		w.flush.Stop()
	}
	w.flushNow()
	if err := w.file.Close(); w.err == nil && err != nil {
		w.err = fmt.Errorf("close event file: %w", err)
	}
	return w.err
}

func (w *Writer) write(step int, field protowire.Number, payload []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	w.keep(w.out.Write(appendRecord(nil, event(time.Now(), step, field, payload))))
	if w.flush == nil {
		w.flush = time.AfterFunc(flushAfter, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.flush = nil
			w.flushNow()
		})
	}
	return w.err
}

func (w *Writer) flushNow() {
	if w.err == nil {
		w.keep(0, w.out.Flush())
	}
}

// keep keeps the first error.
func (w *Writer) keep(_ int, err error) {
	if w.err == nil && err != nil {
		w.err = fmt.Errorf("write event file: %w", err)
	}
}
