package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"sync"
	"time"

	"github.com/seed-4c77ef92/textwarp/tokenize"
)

const encodeMegabytes = 32

// measureEncode races encoders on the same texts, each in a fresh process.
func (d *driver) measureEncode(ctx context.Context) error {
	names, sets := d.names, d.sets
	if len(names) == 0 {
		names = []string{"gpt2", "llama3"}
	}
	if len(sets) == 0 {
		sets = []string{"en", "multi", "code", "mail"}
	}
	for _, name := range names {
		list := d.encoders(name, sets)
		race(ctx, d.rounds, list)
		fmt.Printf("\n%s: MB/s of text, %d MB of %v\n", name, d.size(encodeMegabytes), sets)
		table(list, "MB/s", 1e6)
		d.markEncode(name, list)
	}
	return nil
}

func (d *driver) size(megabytes int) int {
	if d.megabytes > 0 {
		return d.megabytes
	}
	return megabytes
}

func (d *driver) encoders(name string, sets []string) []*contestant {
	spec := func(peer string) map[string]any {
		return map[string]any{
			"job": "encode", "peer": peer, "tokenizer": d.tokenizer(name),
			"sets": d.setPaths(sets), "most": d.size(encodeMegabytes) * 1e6,
		}
	}
	list := []*contestant{d.own("ours, 1 thread", 1, spec("")), d.own("ours, 2 threads", 2, spec(""))}
	for _, p := range []struct {
		peer, name string
		threads    []int
	}{
		{"hf_fast", "HF encode_batch_fast", []int{1, 2}},
		{"hf", "HF encode_batch", []int{1, 2}},
		{"tiktoken", "tiktoken", []int{1, 2}},
		{"tiktoken_numpy", "tiktoken to numpy", []int{1}},
		{"gigatoken", "gigatoken", []int{1, 2}},
		{"tokie", "tokie", []int{1, 2}},
		{"iree", "iree-tokenizer", []int{1}},
		{"kitoken", "kitoken", []int{1}},
	} {
		for _, threads := range p.threads {
			list = append(list, d.job(fmt.Sprintf("%s, %d", p.name, threads), threads, spec(p.peer)))
		}
	}
	return list
}

func (d *driver) markEncode(name string, list []*contestant) {
	for _, threads := range []int{1, 2} {
		mine := find(list, fmt.Sprintf("ours, %d thread%s", threads, "s"[:threads-1]))
		if mine == nil {
			continue
		}
		if hf := find(list, fmt.Sprintf("HF encode_batch_fast, %d", threads)); hf != nil {
			mark(fmt.Sprintf("data.encode.%s.vs_hf_fast.%dt", name, threads), ratio(mine, hf, true), ">=", 10)
		}
		best := 0.0
		for _, peer := range []string{"tiktoken", "tiktoken to numpy"} {
			if t := find(list, fmt.Sprintf("%s, %d", peer, threads)); t != nil {
				if r := ratio(mine, t, true); best == 0 || r < best {
					best = r
				}
			}
		}
		if best > 0 {
			mark(fmt.Sprintf("data.encode.%s.vs_tiktoken.%dt", name, threads), best, ">=", 3)
		}
	}
	one, two := find(list, "ours, 1 thread"), find(list, "ours, 2 threads")
	if one != nil && two != nil {
		mark("data.encode."+name+".two_threads", ratio(two, one, false), ">=", 1.85)
	}
}

// encodeSpecification is the job of a worker of ours.
type encodeSpecification struct {
	Tokenizer string   `json:"tokenizer"`
	Sets      []string `json:"sets"`
	Most      int64    `json:"most"`
	Threads   int      `json:"threads"`
}

// batch is the number of texts that a thread takes at a time.
const batch = 64

func (s encodeSpecification) run() (a answer, err error) {
	texts, size, err := documents(s.Sets, s.Most)
	if err != nil {
		return a, err
	}
	start := time.Now()
	tok, err := tokenize.Load(s.Tokenizer)
	if err != nil {
		return a, err
	}
	a.Load = time.Since(start).Seconds()
	start = time.Now()
	counts := make([]int64, s.Threads)
	todo := make(chan []string)
	var all sync.WaitGroup
	for i := range s.Threads {
		all.Go(func() {
			var ids []int32
			for texts := range todo {
				for _, text := range texts {
					ids = tok.Encode(ids[:0], text)
					counts[i] += int64(len(ids))
				}
			}
		})
	}
	for rest := texts; len(rest) > 0; rest = rest[min(batch, len(rest)):] {
		todo <- rest[:min(batch, len(rest))]
	}
	close(todo)
	all.Wait()
	a.Seconds, a.Amount = time.Since(start).Seconds(), float64(size)
	for _, n := range counts {
		a.Tokens += n
	}
	var check uint32
	var data []byte
	for i := 0; i < len(texts); i += max(1, len(texts)/2000) {
		data = data[:0]
		for _, id := range tok.Encode(nil, texts[i]) {
			data = binary.LittleEndian.AppendUint32(data, uint32(id))
		}
		check = crc32.Update(check, crc32.IEEETable, data)
	}
	a.Check = fmt.Sprintf("%d-%08x", a.Tokens, check)
	return a, nil
}
