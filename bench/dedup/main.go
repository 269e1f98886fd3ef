// Command dedup plants near-duplicates in real text, has prep leave out
// duplicates, and compares what is gone with the truth, which is worked out by
// counting the shingles of every pair that has one in common.
//
//	go run ./bench/dedup -prep PREP -out DIR TEXT...
//
// Time is that of prep with a trained tokenizer on the same corpus, with and
// without each kind of comparison, interleaved, the median of the rounds.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-4c77ef92/textwarp/pipeline"
)

const threshold = 0.8

type bench struct {
	prep, out string
	rounds    int
	docs      []document
}

func main() {
	var b bench
	flag.StringVar(&b.prep, "prep", "", "the prep command")
	flag.StringVar(&b.out, "out", "", "directory for corpus and shards")
	flag.IntVar(&b.rounds, "rounds", 3, "rounds of timing; 0: none")
	flag.Parse()
	if err := b.run(flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func (b *bench) run(texts []string) error {
	var originals []string
	for _, path := range texts {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, text := range strings.Split(string(data), "\n\n") {
			if text = strings.TrimSpace(text); text != "" {
				originals = append(originals, text)
			}
		}
	}
	b.docs = plant(originals)
	corpus := filepath.Join(b.out, "planted.jsonl")
	size, err := b.write(corpus)
	if err != nil {
		return err
	}
	fmt.Printf("%d documents, %.1f MB, of which %d planted\n", len(b.docs), float64(size)/1e6, len(b.docs)-len(originals))
	if err := b.judge(corpus); err != nil {
		return err
	}
	if b.rounds == 0 {
		return nil
	}
	// What is left out need not be tokenised: the time is that of a corpus of
	// which nothing is planted.
	b.docs = slices.DeleteFunc(b.docs, func(d document) bool { return d.kind != "" })
	corpus = filepath.Join(b.out, "originals.jsonl")
	if _, err := b.write(corpus); err != nil {
		return err
	}
	return b.time(corpus)
}

func (b *bench) write(path string) (int64, error) {
	file, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	w := bufio.NewWriter(file)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	var size int64
	for _, d := range b.docs {
		if err := enc.Encode(d); err != nil {
			return 0, err
		}
		size += int64(len(d.Text))
	}
	if err := w.Flush(); err != nil {
		return 0, err
	}
	return size, file.Close()
}

// shard runs prep and returns what it took.
func (b *bench) shard(corpus, dedup string, flags ...string) (string, time.Duration, error) {
	dir := filepath.Join(b.out, "shards-"+dedup)
	if err := os.RemoveAll(dir); err != nil {
		return "", 0, err
	}
	args := append([]string{"shard", corpus, "-o", dir, "--dedup", dedup}, flags...)
	begun := time.Now()
	if out, err := exec.Command(b.prep, args...).CombinedOutput(); err != nil {
		return "", 0, fmt.Errorf("prep %v: %w: %s", args, err, out)
	}
	return dir, time.Since(begun), nil
}

// judge counts what is gone.
func (b *bench) judge(corpus string) error {
	// Small shards, so that there are many units.
	dir, _, err := b.shard(corpus, "near", "--tokenizer", "byte", "--shard-size", "256K", "--val", "0.05")
	if err != nil {
		return err
	}
	left := map[string]string{} // text to split
	d, err := pipeline.Open(dir)
	if err != nil {
		return err
	}
	var kept int64
	for doc, err := range d.Docs("") {
		if err != nil {
			return err
		}
		left[doc.Text] = doc.Split
		kept++
	}
	t := newTruth(b.docs)
	first := map[string]int{}
	gone := make([]bool, len(b.docs))
	copies := 0
	for i, d := range b.docs {
		_, copied := first[d.Text]
		if !copied {
			first[d.Text] = i
		}
		_, stays := left[d.Text]
		gone[i] = copied || !stays
		if copied {
			copies++
		}
	}
	copiesLeft := int(kept) - len(left) // a text that is left more than once

	const width = 20
	var pairs, found [width + 1]int
	var dropped, right, near int
	kinds := map[string][2]int{}
	leaks := 0
	for i, d := range b.docs {
		if first[d.Text] != i {
			continue // a copy
		}
		// What is gone must be similar to something; what is not, to nothing that
		// is left.
		best := t.best(i, func(k int) bool { return gone[i] || !gone[k] })
		at := int(best * width)
		pairs[at]++
		if gone[i] {
			found[at]++
			dropped++
			if best >= threshold {
				right++
			}
			if best >= threshold-.1 {
				near++
			}
		}
		if best >= threshold {
			k := kinds[d.kind]
			k[0]++
			if gone[i] {
				k[1]++
			}
			kinds[d.kind] = k
		}
		if !gone[i] {
			split := left[d.Text]
			if t.best(i, func(k int) bool { return !gone[k] && left[b.docs[k].Text] != split }) >= threshold+.1 {
				leaks++
			}
		}
	}
	fmt.Printf("\nsimilarity to the nearest earlier document (of those that are left: to one that is left), and the share of them that is gone\n")
	for i := width; i >= width/2; i-- {
		if pairs[i] > 0 {
			fmt.Printf("  %.2f  %6d  %6.2f %%\n", float64(i)/width, pairs[i], 100*float64(found[i])/float64(pairs[i]))
		}
	}
	fmt.Printf("of a similarity of %v and more, by kind\n", threshold)
	var names []string
	for kind := range kinds {
		names = append(names, kind)
	}
	slices.Sort(names)
	for _, kind := range names {
		k, name := kinds[kind], kind
		if name == "" {
			name = "(as it was in the text)"
		}
		fmt.Printf("  %-24s %6d  %6.2f %%\n", name, k[0], 100*float64(k[1])/float64(k[0]))
	}
	recall := func(from float64) float64 {
		n, of := 0, 0
		for i := int(from*width + .5); i <= width; i++ {
			n, of = n+found[i], of+pairs[i]
		}
		return float64(n) / float64(max(of, 1))
	}
	fmt.Println()
	mark("dedup.exact.recall", float64(copies-copiesLeft)/float64(max(copies, 1)), "==", 1)
	mark("dedup.near.recall.from_0.9", recall(.9), ">=", .99)
	mark("dedup.near.recall.from_0.8", recall(.8), ">=", .95)
	mark("dedup.near.precision", float64(right)/float64(max(dropped, 1)), ">=", .9)
	mark("dedup.near.precision.within_0.1", float64(near)/float64(max(dropped, 1)), ">=", .99)
	mark("dedup.near.leaks", float64(leaks), "==", 0)
	return nil
}

// time compares prep with and without comparisons.
func (b *bench) time(corpus string) error {
	tokenizer := filepath.Join(b.out, "tokenizer.json")
	if out, err := exec.Command(b.prep, "tokenizer", "train", corpus, "-o", tokenizer, "--vocab", "8192").CombinedOutput(); err != nil {
		return fmt.Errorf("train a tokenizer: %w: %s", err, out)
	}
	took := map[string][]float64{}
	for range b.rounds {
		for _, dedup := range []string{"none", "exact", "near"} {
			_, d, err := b.shard(corpus, dedup, "--tokenizer", tokenizer)
			if err != nil {
				return err
			}
			took[dedup] = append(took[dedup], d.Seconds())
		}
	}
	median := func(dedup string) float64 {
		slices.Sort(took[dedup])
		return took[dedup][len(took[dedup])/2]
	}
	none := median("none")
	fmt.Printf("prep: %.2f s without, %.2f s with exact, %.2f s with near\n", none, median("exact"), median("near"))
	mark("dedup.exact.cost", median("exact")/none-1, "<=", .15)
	mark("dedup.near.cost", median("near")/none-1, "<=", .5)
	return nil
}

// mark prints a figure and whether it is what it should be.
func mark(name string, value float64, relation string, target float64) {
	ok := map[string]bool{">=": value >= target, "<=": value <= target, "==": value == target}[relation]
	verdict := "short"
	if ok {
		verdict = "ok"
	}
	fmt.Printf("mark %s %s %s %v %s\n", name, strconv.FormatFloat(value, 'g', 4, 64), relation, target, verdict)
}
