package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	trainMegabytes = 130 // asked for in equal shares; two of the sets have less, so it is 102
	trainVocab     = 32_768
)

// measureTrain races the training of byte pairs over the same texts.
func (d *driver) measureTrain(ctx context.Context) error {
	sets := d.sets
	if len(sets) == 0 {
		sets = []string{"en", "multi", "code", "mail"}
	}
	corpus := filepath.Join(d.out, "train")
	size, err := d.cut(sets, d.size(trainMegabytes), len(sets), corpus)
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(corpus, "*.jsonl"))
	if err != nil {
		return err
	}
	ours, theirs := filepath.Join(d.out, "ours.json"), filepath.Join(d.out, "theirs.json")
	list := []*contestant{
		{
			name: "ours", ours: true, threads: 2,
			argv: []string{d.prep, "tokenizer", "train", corpus, "-o", ours, "--vocab", strconv.Itoa(trainVocab)},
			answer: func() (answer, error) {
				check, n, err := mergesOf(ours)
				return answer{Amount: float64(size), Tokens: n, Check: check}, err
			},
		},
		d.job("HF BpeTrainer", 2, map[string]any{"job": "train", "sets": files, "most": 0, "vocab": trainVocab, "out": theirs}),
	}
	race(ctx, d.rounds, list)
	fmt.Printf("\n%d MB, %d entries, 2 threads\n", size/1e6, trainVocab)
	table(list, "MB/s", 1e6)
	mine, hf := find(list, "ours"), find(list, "HF BpeTrainer")
	if mine == nil || hf == nil {
		return nil
	}
	differ, err := differentMerges(ours, theirs)
	if err != nil {
		return err
	}
	mark("data.train.merges.differ", float64(differ), "==", 0)
	mark("data.train.vs_hf", ratio(mine, hf, false), ">=", 2)
	mark("data.train.memory", float64(mine.peak)/float64(hf.peak), "<=", 0.5)
	return nil
}

// merges are the merges of a tokenizer.json, each "left right".
func merges(path string) ([]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file struct {
		Model struct {
			Merges []json.RawMessage `json:"merges"`
		} `json:"model"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("read %q: %w", path, err)
	}
	list := make([]string, len(file.Model.Merges))
	for i, m := range file.Model.Merges {
		var pair []string
		if json.Unmarshal(m, &pair) == nil {
			list[i] = strings.Join(pair, " ")
		} else if err := json.Unmarshal(m, &list[i]); err != nil {
			return nil, fmt.Errorf("read %q: merge %d: %w", path, i, err)
		}
	}
	return list, nil
}

func mergesOf(path string) (check string, n int64, err error) {
	list, err := merges(path)
	sum := sha256.Sum256([]byte(strings.Join(list, "\n")))
	return fmt.Sprintf("%x", sum)[:16], int64(len(list)), err
}

// differentMerges counts the places in which two lists differ.
func differentMerges(a, b string) (n int, err error) {
	x, err := merges(a)
	if err != nil {
		return 0, err
	}
	y, err := merges(b)
	if err != nil {
		return 0, err
	}
	for i := range max(len(x), len(y)) {
		if i >= len(x) || i >= len(y) || x[i] != y[i] {
			if n == 0 && i < len(x) && i < len(y) {
				fmt.Printf("the first merge to differ is number %d: ours %q, theirs %q\n", i, x[i], y[i])
			}
			n++
		}
	}
	return n, nil
}
