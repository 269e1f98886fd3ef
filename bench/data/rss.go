package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// measureRSS shards 1 GB and then 10 GB and compares the largest resident sizes. It
// needs about 20 GB of disk for a while.
func (d *driver) measureRSS(ctx context.Context) error {
	const room = 20e9
	var disk syscall.Statfs_t
	if err := syscall.Statfs(d.out, &disk); err != nil {
		return err
	}
	if free := float64(disk.Bavail) * float64(disk.Bsize); free < room {
		return fmt.Errorf("%.0f GB of disk are free in %q: %.0f GB are needed", free/1e9, d.out, room/1e9)
	}
	corpus, out := filepath.Join(d.out, "rss-corpus"), filepath.Join(d.out, "rss-out")
	defer os.RemoveAll(corpus)
	defer os.RemoveAll(out)
	var peaks []float64
	for _, gigabytes := range []int{1, 10} {
		files, err := d.grow(corpus, gigabytes)
		if err != nil {
			return err
		}
		if err := os.RemoveAll(out); err != nil {
			return err
		}
		c := d.shard(fmt.Sprintf("%d GB", gigabytes), out, "parquet", files...)
		if err := c.run(ctx); err != nil {
			return fmt.Errorf("shard %d GB: %w", gigabytes, err)
		}
		peaks = append(peaks, float64(c.peak)/(1<<20))
		fmt.Printf("%2d GB of text: peak RSS %.0f MiB, %.1f s, %.1f MB/s\n", gigabytes, peaks[len(peaks)-1], c.wall[0], float64(gigabytes)*1e3/c.wall[0])
		mark(fmt.Sprintf("data.prep.rss_%dgb", gigabytes), peaks[len(peaks)-1], "<=", 512)
	}
	mark("data.prep.rss_growth", peaks[1]/peaks[0], "<=", 1.1)
	return nil
}

// grow makes the corpus as large as wanted: files of 250 MB, the sets over and over,
// each time with other numbers in the texts.
func (d *driver) grow(dir string, gigabytes int) (files []string, err error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	var lines [][]byte
	for _, set := range []string{"en", "multi", "code", "mail"} {
		data, err := os.ReadFile(d.set(set))
		if err != nil {
			return nil, err
		}
		lines = slices.AppendSeq(lines, bytes.Lines(data))
	}
	for i := range 4 * gigabytes {
		path := filepath.Join(dir, fmt.Sprintf("%03d.jsonl", i))
		files = append(files, path)
		if _, err := os.Stat(path); err == nil {
			continue
		}
		if err := growFile(path, i, lines); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func growFile(path string, number int, lines [][]byte) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	w := bufio.NewWriterSize(file, 1<<20)
	const most = 250_000_000
	for size := 0; size < most; {
		for i, line := range lines {
			text, ok := bytes.CutPrefix(line, []byte(`{"text": "`))
			if !ok {
				return fmt.Errorf("line %d of the sets does not begin as corpus.py writes it", i+1)
			}
			n, err := fmt.Fprintf(w, `{"text": "%d-%d %s`, number, size, text)
			if err != nil {
				return err
			}
			if size += n; size >= most {
				break
			}
		}
	}
	return w.Flush()
}
