package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/seed-4c77ef92/textwarp/pipeline"
)

const (
	readMegabytes = 100
	windowLength  = 1024
)

// measureRead races the reading of shuffled windows for an epoch.
func (d *driver) measureRead(ctx context.Context) error {
	sets := d.sets
	if len(sets) == 0 {
		sets = []string{"en", "multi", "code", "mail"}
	}
	dir := filepath.Join(d.out, "read")
	corpus := filepath.Join(dir, "corpus")
	if _, err := d.cut(sets, d.size(readMegabytes), prepFiles, corpus); err != nil {
		return err
	}
	var list []*contestant
	for _, format := range []string{"arrow", "parquet"} {
		out := filepath.Join(dir, format)
		if err := os.RemoveAll(out); err != nil {
			return err
		}
		if err := d.shard(format, out, format, corpus).run(ctx); err != nil {
			return fmt.Errorf("make shards: %w", err)
		}
		list = append(list, d.own("ours, "+format, 2, map[string]any{
			"job": "read", "directory": filepath.Join(out, "shards"), "length": windowLength,
		}))
	}
	spec := encodeSpec(map[string]any{
		"job": "windows", "shards": filepath.Join(dir, "parquet", "shards"), "out": filepath.Join(dir, "theirs"), "length": windowLength, "threads": 1,
	})
	if out, err := exec.CommandContext(ctx, d.streaming, d.peer, spec).CombinedOutput(); err != nil {
		return fmt.Errorf("write windows: %w: %s", err, lastLine(string(out)))
	}
	for _, p := range []struct {
		name, peer string
		threads    int
	}{
		{"MosaicML streaming", "mosaic", 0},
		{"MosaicML streaming, loader", "mosaic_loader", 0},
		{"MosaicML streaming, loader with 2 workers", "mosaic_loader", 2},
		{"datasets streaming", "datasets", 1},
		{"datasets streaming, lists", "datasets_lists", 1},
		{"datasets streaming, batches of 64", "datasets_batches", 1},
	} {
		job := d.job(p.name, p.threads, map[string]any{"job": "read", "peer": p.peer, "directory": filepath.Join(dir, "theirs"), "length": windowLength})
		job.threads = 2
		if strings.HasPrefix(p.peer, "mosaic") {
			job.argv[0] = d.streaming
		}
		list = append(list, job)
	}
	race(ctx, d.rounds, list)
	fmt.Printf("\nan epoch of shuffled windows of %d tokens\n", windowLength)
	table(list, "Mtokens/s", 1e6)
	for _, format := range []string{"parquet", "arrow"} {
		mine := find(list, "ours, "+format)
		if mine == nil {
			continue
		}
		for _, against := range []struct {
			mark   string
			names  []string
			target float64
		}{
			{"mosaic", []string{"MosaicML streaming", "MosaicML streaming, loader", "MosaicML streaming, loader with 2 workers"}, 10},
			{"datasets", []string{"datasets streaming", "datasets streaming, lists", "datasets streaming, batches of 64"}, 50},
		} {
			least := 0.0
			for _, name := range against.names {
				if c := find(list, name); c != nil {
					if r := ratio(mine, c, true); least == 0 || r < least {
						least = r
					}
				}
			}
			if least > 0 {
				mark(fmt.Sprintf("data.read.%s.vs_%s", format, against.mark), least, ">=", against.target)
			}
		}
	}
	return nil
}

// readSpecification is the job of a worker of ours.
type readSpecification struct {
	Directory string `json:"directory"`
	Length    int    `json:"length"`
}

func (s readSpecification) run() (a answer, err error) {
	start := time.Now()
	data, err := pipeline.Open(s.Directory)
	if err != nil {
		return a, err
	}
	stream, err := data.Stream(pipeline.StreamOptions{Length: s.Length, Seed: 1})
	if err != nil {
		return a, err
	}
	defer stream.Close()
	a.Load = time.Since(start).Seconds()
	start = time.Now()
	window := make([]int32, s.Length)
	var total int64
	for range stream.Windows() {
		if err := stream.Next(window); err != nil {
			return a, err
		}
		total += int64(window[0]) + int64(window[s.Length-1])
	}
	a.Seconds = time.Since(start).Seconds()
	a.Tokens = int64(stream.Windows()) * int64(s.Length)
	a.Amount = float64(a.Tokens)
	_ = total
	return a, nil
}
