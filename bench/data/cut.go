package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// cut writes some megabytes of the sets, the same share of each, as a directory of
// files of JSON lines, so that a peer that works file by file has work for each core.
// It returns the bytes of text.
func (d *driver) cut(sets []string, megabytes, files int, dir string) (size int64, err error) {
	if err := os.RemoveAll(dir); err != nil {
		return 0, err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return 0, err
	}
	var out []*bufio.Writer
	for i := range files {
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%02d.jsonl", i)))
		if err != nil {
			return 0, err
		}
		defer f.Close()
		out = append(out, bufio.NewWriterSize(f, 1<<20))
	}
	n := 0
	for _, set := range sets {
		err := eachDocument(d.set(set), int64(megabytes)*1e6/int64(len(sets)), func(text string) error {
			size += int64(len(text))
			n++
			return writeDocument(out[n%files], text)
		})
		if err != nil {
			return 0, err
		}
	}
	for _, w := range out {
		if err := w.Flush(); err != nil {
			return 0, err
		}
	}
	return size, nil
}

// writeDocument writes a line as Python's json does, and its peers read fastest:
// without escapes that are not needed.
func writeDocument(w *bufio.Writer, text string) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(map[string]string{"text": text})
}
