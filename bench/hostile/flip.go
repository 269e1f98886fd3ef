package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// flips flips single bits of shards, of which every one must be found by verify,
// and of sources, where none may end in a panic or without an end. Those of an
// archive, a compressed file or a table with checksums must be found too: what
// is read from them is what was written, or nothing.
func flips(dir, prep string, args []string) {
	n := argument(args, 0)
	r := rand.New(rand.NewPCG(7, 7))
	source := filepath.Join(dir, "corpus")
	names := variety(source)
	shards := filepath.Join(dir, "shards")
	if o := run(nil, hung, prep, options(source, shards, 2)...); o.code != 0 {
		must(fmt.Errorf("prep: exit %d: %s", o.code, o.said))
	}
	entries, err := os.ReadDir(shards)
	must(err)
	// A data set of one shard, its manifest and its tokenizer is verified quickly.
	little := filepath.Join(dir, "little")
	put(filepath.Join(dir, "little.txt"), text(9, 20000))
	if o := run(nil, hung, prep, "shard", filepath.Join(dir, "little.txt"), "-o", little, "--tokenizer", "byte", "--split-docs", "blank"); o.code != 0 {
		must(fmt.Errorf("prep: exit %d: %s", o.code, o.said))
	}
	var panics, hangs, silent int
	look := func(o outcome, missed bool) {
		switch {
		case o.signal:
			hangs++
		case o.panicked():
			panics++
			fmt.Println(o.said)
		case missed:
			silent++
		}
	}
	littles, err := os.ReadDir(little)
	must(err)
	for i := range n {
		if i%2 == 0 { // shards
			name := littles[r.IntN(len(littles))].Name()
			restore := flip(filepath.Join(little, name), r)
			o := run(nil, hung, prep, "verify", little)
			look(o, o.code == 0)
			restore()
			continue
		}
		name := names[r.IntN(len(names))]
		path := filepath.Join(dir, "one-"+name)
		data, err := os.ReadFile(filepath.Join(source, name))
		must(err)
		put(path, data)
		out := filepath.Join(dir, "out")
		want := read(prep, path, out)
		restore := flip(path, r)
		o := run(nil, hung, prep, "shard", path, "-o", out, "--tokenizer", "byte")
		missed := false
		if checked := strings.HasSuffix(name, ".gz") || strings.HasSuffix(name, ".zst") || strings.HasSuffix(name, ".parquet"); checked && o.code == 0 {
			missed = texts(prep, out) != want
		}
		look(o, missed)
		restore()
		must(os.RemoveAll(out))
	}
	fmt.Printf("%d flipped bits: %d in shards, manifest and tokenizer (of %d files), %d in sources of %d kinds\n", n, (n+1)/2, len(entries), n/2, len(names))
	mark("prep.flips.panics", float64(panics), "==", 0)
	mark("prep.flips.hangs", float64(hangs), "==", 0)
	mark("prep.flips.silent", float64(silent), "==", 0)
}

var known = map[string]string{}

// read is what prep makes of a source that is whole.
func read(prep, path, out string) string {
	if want, ok := known[path]; ok {
		return want
	}
	run(nil, hung, prep, "shard", path, "-o", out, "--tokenizer", "byte")
	known[path] = texts(prep, out)
	must(os.RemoveAll(out))
	return known[path]
}

// texts are the documents of a data set, by their hashes.
func texts(prep, dir string) string {
	o := run(nil, hung, prep, "cat", dir, "--json")
	return fmt.Sprint(o.code, o.out)
}

// flip flips a bit of a file and returns what undoes it.
func flip(path string, r *rand.Rand) func() {
	data, err := os.ReadFile(path)
	must(err)
	bit := r.IntN(len(data) * 8)
	data[bit/8] ^= 1 << (bit % 8)
	must(os.WriteFile(path, data, 0o666))
	return func() {
		data[bit/8] ^= 1 << (bit % 8)
		must(os.WriteFile(path, data, 0o666))
	}
}
