package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// options are those of the data sets that are compared byte for byte.
func options(source, out string, workers int) []string {
	return []string{"shard", source, "-o", out, "--tokenizer", "byte", "--split-docs", "blank", "--val", "0.1", "--shard-size", "16K", "--workers", fmt.Sprint(workers)}
}

// kills has prep killed at random moments, begun again until it is done, and
// compares what it made with what one run makes that is left alone.
func kills(dir, prep string, args []string) {
	n := argument(args, 0)
	source := filepath.Join(dir, "corpus")
	variety(source)
	whole := filepath.Join(dir, "whole")
	alone := run(nil, hung, prep, options(source, whole, 2)...)
	if alone.code != 0 {
		must(fmt.Errorf("prep left alone: exit %d: %s", alone.code, alone.said))
	}
	want := contents(whole)
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	killed, finished, differing, failed := 0, 0, 0, 0
	out := filepath.Join(dir, "out")
	for killed < n {
		o := run(nil, time.Duration(r.Float64()*1.1*float64(alone.wall)), prep, options(source, out, 1+r.IntN(3))...)
		if o.signal {
			killed++
			if killed < n {
				continue
			}
			o = run(nil, hung, prep, options(source, out, 1)...)
		}
		if o.code != 0 {
			failed++
			fmt.Println(o.said)
		}
		finished++
		differing += differences(want, contents(out))
		must(os.RemoveAll(out))
	}
	fmt.Printf("%d kills, %d data sets of %d files finished between them\n", killed, finished, len(want))
	mark("prep.kill.kills", float64(killed), ">=", float64(n))
	mark("prep.kill.failures", float64(failed), "==", 0)
	mark("prep.kill.differing_shards", float64(differing), "==", 0)
}

// orders makes one data set under everything that must not matter.
func orders(dir, prep string, _ []string) {
	source := filepath.Join(dir, "first")
	names := variety(source)
	var want map[string]string
	differing := 0
	for i := range 16 {
		copied := filepath.Join(dir, fmt.Sprint("copy-", i))
		slices.Sort(names)
		if i&1 != 0 {
			slices.Reverse(names) // the order of the directory's entries
		}
		for _, name := range names {
			data, err := os.ReadFile(filepath.Join(source, name))
			must(err)
			put(filepath.Join(copied, name), data)
		}
		env := []string{"LC_ALL=" + []string{"C", "tr_TR.UTF-8"}[i>>1&1], "TZ=" + []string{"UTC", "Asia/Kathmandu"}[i>>2&1]}
		out := filepath.Join(dir, fmt.Sprint("out-", i))
		if o := run(env, hung, prep, options(copied, out, []int{1, 4}[i>>3&1])...); o.code != 0 {
			must(fmt.Errorf("combination %d: exit %d: %s", i, o.code, o.said))
		}
		got := contents(out)
		if want == nil {
			want = got
		}
		differing += differences(want, got)
	}
	fmt.Printf("16 combinations of workers, directory order, locale and time zone, %d files each\n", len(want))
	mark("prep.orders.differing_shards", float64(differing), "==", 0)
}
