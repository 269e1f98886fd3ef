package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// memory is what prep may take at its peak, in MiB, whatever it reads.
const memory = 512

// files makes a data set of n tiny files.
func files(dir, prep string, args []string) {
	n := argument(args, 0)
	source := filepath.Join(dir, "corpus")
	for i := range n {
		path := filepath.Join(source, fmt.Sprintf("%03d", i/1000%1000), fmt.Sprintf("a-file-with-a-name-%07d.txt", i))
		if i%1000 == 0 {
			must(os.MkdirAll(filepath.Dir(path), 0o777))
		}
		must(os.WriteFile(path, fmt.Appendf(nil, "the text of file %d\n", i), 0o666))
	}
	o := run(nil, 24*60*hung, prep, "shard", source, "-o", filepath.Join(dir, "out"), "--tokenizer", "byte")
	if o.code != 0 {
		must(fmt.Errorf("prep: exit %d: %s", o.code, o.said))
	}
	info, err := os.Stat(filepath.Join(dir, "out", "manifest.json"))
	must(err)
	fmt.Printf("%d files of 20 to 30 bytes: %.0f s, %.0f CPU s, peak %d MiB, a manifest of %d bytes\n", n, o.wall.Seconds(), o.cpu.Seconds(), o.rss, info.Size())
	mark("prep.files.peak_mib", float64(o.rss), "<=", memory)
}

// scale makes data sets of two corpora and compares what they take.
func scale(dir, prep string, args []string) {
	if len(args) < 3 {
		must(fmt.Errorf("scale wants a tokenizer and two sizes"))
	}
	var peaks [2]int64
	for i := range 2 {
		size := int64(argument(args, i+1))
		source := filepath.Join(dir, fmt.Sprint("corpus-", i))
		must(os.MkdirAll(source, 0o777))
		const part = 256 << 20
		for k, left := int64(0), size; left > 0; k, left = k+1, left-part {
			writeText(filepath.Join(source, fmt.Sprintf("%03d.txt", k)), uint64(k), min(part, left))
		}
		out := filepath.Join(dir, "out")
		o := run(nil, 24*60*hung, prep, "shard", source, "-o", out, "--tokenizer", args[0], "--split-docs", "blank", "--workers", "2")
		if o.code != 0 {
			must(fmt.Errorf("prep: exit %d: %s", o.code, o.said))
		}
		peaks[i] = o.rss
		fmt.Printf("%d bytes: %.0f s (%.1f MB/s), %.0f CPU s, peak %d MiB\n", size, o.wall.Seconds(), float64(size)/1e6/o.wall.Seconds(), o.cpu.Seconds(), o.rss)
		must(os.RemoveAll(out))
		must(os.RemoveAll(source))
	}
	mark("prep.scale.peak_mib", float64(max(peaks[0], peaks[1])), "<=", memory)
	mark("prep.scale.growth", float64(max(peaks[0], peaks[1]))/float64(min(peaks[0], peaks[1])), "<=", 1.1)
}
