package trainer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// Files of a run directory.
const (
	ConfigFile     = "config.toml"
	TokenizerFile  = "tokenizer.json"
	MetricsFile    = "metrics.jsonl"
	WarpFile       = "warp.jsonl"
	EmbeddingsFile = "embeddings.jsonl"
	SamplesFile    = "samples.jsonl"
	TimingFile     = "timing.jsonl" // wall clock: the one that differs between equal runs
)

// logs are the files that a run appends lines to.
type logs struct {
	files map[string]*os.File
}

// openLogs opens the logs of a run, those named in lengths cut to their length.
// A new run has no lengths and begins with empty logs.
func openLogs(dir string, lengths map[string]int64) (*logs, error) {
	l := &logs{files: map[string]*os.File{}}
	for _, name := range []string{MetricsFile, WarpFile, EmbeddingsFile, SamplesFile, TimingFile} {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			l.close()
			return nil, fmt.Errorf("open log: %w", err)
		}
		l.files[name] = f
	}
	if err := l.truncate(lengths); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// truncate cuts the logs to the given lengths, and keeps of timing.jsonl what
// is there, but for a line that a crash has torn.
func (l *logs) truncate(lengths map[string]int64) error {
	for name, f := range l.files {
		end, err := f.Seek(0, io.SeekEnd)
		if err != nil {
			return fmt.Errorf("open log: %w", err)
		}
		want := lengths[name]
		if name == TimingFile && lengths != nil {
			if want, err = wholeLines(f, end); err != nil {
				return fmt.Errorf("read log: %w", err)
			}
		}
		if end < want {
			return fmt.Errorf("log %q has %d bytes, its checkpoint knows of %d; a log of a run must not be edited: %w", f.Name(), end, want, safeio.ErrCorrupt)
		}
		if err := f.Truncate(want); err != nil {
			return fmt.Errorf("cut log: %w", err)
		}
		if _, err := f.Seek(want, io.SeekStart); err != nil {
			return fmt.Errorf("cut log: %w", err)
		}
	}
	return nil
}

// wholeLines is where the last whole line of a file of short lines ends.
func wholeLines(f io.ReaderAt, end int64) (int64, error) {
	tail := make([]byte, min(end, 64<<10))
	if _, err := f.ReadAt(tail, end-int64(len(tail))); err != nil {
		return 0, err
	}
	return end - int64(len(tail)) + int64(bytes.LastIndexByte(tail, '\n')) + 1, nil
}

// write appends v as one line of JSON.
func (l *logs) write(name string, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if _, err := l.files[name].Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write log: %w", err)
	}
	return nil
}

// sync makes the logs durable and returns the length of each.
func (l *logs) sync() (map[string]int64, error) {
	lengths := map[string]int64{}
	for name, f := range l.files {
		if err := f.Sync(); err != nil {
			return nil, fmt.Errorf("sync log: %w", err)
		}
		if name == TimingFile {
			continue
		}
		end, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, fmt.Errorf("sync log: %w", err)
		}
		lengths[name] = end
	}
	return lengths, nil
}

func (l *logs) close() error {
	var first error
	for _, f := range l.files {
		if err := f.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}
