package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

const (
	prepMegabytes = 64
	prepFiles     = 8
)

// measurePrep races the way from text to tokenised files on two cores.
func (d *driver) measurePrep(ctx context.Context) error {
	sets := d.sets
	if len(sets) == 0 {
		sets = []string{"en", "multi", "code", "mail"}
	}
	corpus := filepath.Join(d.out, "prep-corpus")
	size, err := d.cut(sets, d.size(prepMegabytes), prepFiles, corpus)
	if err != nil {
		return err
	}
	out := filepath.Join(d.out, "prep-out")
	clear := func() error {
		if err := os.RemoveAll(out); err != nil {
			return err
		}
		return os.MkdirAll(out, 0o777)
	}
	list := []*contestant{d.shard("ours, Parquet", out, "parquet", corpus), d.shard("ours, Arrow", out, "arrow", corpus)}
	for _, p := range []struct {
		name, peer         string
		processes, threads int
	}{
		{"datasets.map + to_parquet, 1 process, 2 threads", "datasets", 1, 2},
		{"datasets.map + to_parquet, 2 processes", "datasets", 2, 1},
		{"datasets streaming + to_parquet, 2 threads", "datasets_streaming", 1, 2},
		{"datatrove, 2 workers", "datatrove", 2, 1},
	} {
		job := d.job(p.name, p.threads, map[string]any{
			"job": "prep", "peer": p.peer, "tokenizer": d.tokenizer("gpt2"), "corpus": corpus, "out": out, "processes": p.processes,
		})
		job.env = append(job.env, "HF_DATASETS_CACHE="+filepath.Join(out, "cache"), "HF_HOME="+filepath.Join(out, "home"))
		job.threads = 2 // of cores, whichever way
		list = append(list, job)
	}
	for _, c := range list {
		if c.before == nil {
			c.before = clear
		}
	}
	race(ctx, d.rounds, list)
	for _, c := range list {
		for i := range c.answers {
			c.answers[i].Amount = float64(size)
		}
	}
	fmt.Printf("\ntext → tokens of gpt2, %d MB in %d files, 2 cores\n", size/1e6, prepFiles)
	table(list, "MB/s", 1e6)
	mine := find(list, "ours, Parquet")
	least := 0.0
	for _, c := range list {
		if mine != nil && !c.ours && len(c.answers) > 0 && c.failed == "" {
			if r := ratio(mine, c, false); least == 0 || r < least {
				least = r
			}
		}
	}
	if least > 0 {
		mark("data.prep.vs_best", least, ">=", 8)
	}
	return os.RemoveAll(out)
}

// shard is prep shard with the tokenizer of GPT-2.
func (d *driver) shard(name, out, format string, corpus ...string) *contestant {
	shards := filepath.Join(out, "shards")
	return &contestant{
		name: name, ours: true, threads: 2,
		argv: append([]string{d.prep, "shard", "-o", shards, "--tokenizer", d.tokenizer("gpt2"), "--format", format, "--workers", "2"}, corpus...),
		answer: func() (answer, error) {
			tokens, err := tokensOf(shards)
			return answer{Tokens: tokens, Check: strconv.FormatInt(tokens, 10)}, err
		},
	}
}

// tokensOf counts the tokens that a manifest names.
func tokensOf(shards string) (n int64, err error) {
	data, err := os.ReadFile(filepath.Join(shards, "manifest.json"))
	if err != nil {
		return 0, err
	}
	var m struct {
		Shards []struct {
			Tokens int64 `json:"tokens"`
		} `json:"shards"`
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return 0, err
	}
	for _, s := range m.Shards {
		n += s.Tokens
	}
	return n, nil
}
