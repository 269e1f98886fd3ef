package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// eachDocument gives the texts of a file of JSON lines until they hold at least
// most bytes; 0 is all of them. The peers count alike, so that both sides work on
// the same texts.
func eachDocument(path string, most int64, do func(text string) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	in := bufio.NewReaderSize(file, 1<<20)
	var size int64
	for most == 0 || size < most {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var row struct {
			Text string `json:"text"`
		}
		if err := json.Unmarshal(line, &row); err != nil {
			return fmt.Errorf("read %q: %w", path, err)
		}
		size += int64(len(row.Text))
		if err := do(row.Text); err != nil {
			return err
		}
	}
	return nil
}

// documents are the texts of several files, the same share of each.
func documents(paths []string, most int64) (texts []string, size int64, err error) {
	for _, path := range paths {
		err := eachDocument(path, most/int64(len(paths)), func(text string) error {
			texts = append(texts, text)
			size += int64(len(text))
			return nil
		})
		if err != nil {
			return nil, 0, err
		}
	}
	return texts, size, nil
}
