// Command data measures the data side beside its peers: tokens, speed of encoding,
// training of vocabularies, making of shards, reading of windows. Start it by
// bench/data/run; README.md says what is measured and how.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// driver is what a measurement needs besides its subject.
type driver struct {
	self, prep   string // commands of ours
	python, peer string // and of the peers
	streaming    string // a Python that has MosaicML streaming
	corpus       string // directory of the sets of texts
	tokenizers   string // directory of real tokenizer.json files
	out          string // directory of files in passing
	names, sets  []string
	rounds       int
	megabytes    int
}

// parts are the measurements, in the order in which they are made.
var parts = []struct {
	name string
	run  func(*driver, context.Context) error
}{
	{"tokens", (*driver).measureTokens},
	{"encode", (*driver).measureEncode},
	{"train", (*driver).measureTrain},
	{"prep", (*driver).measurePrep},
	{"read", (*driver).measureRead},
	{"rss", (*driver).measureRSS},
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == "worker" {
		finish(work(os.Args[2], os.Stdout))
		return
	}
	var d driver
	var part, names, sets string
	flag.StringVar(&part, "part", "tokens,encode,train,prep,read", "what to measure, with commas between; rss is the sixth")
	flag.StringVar(&names, "tokenizers", "", "of tokens and encode: which of the files (default all; encode: gpt2,llama3)")
	flag.StringVar(&sets, "sets", "", "of tokens and encode: which sets of texts (default all; encode: en,multi,code,mail)")
	flag.IntVar(&d.rounds, "rounds", 3, "rounds of each race")
	flag.IntVar(&d.megabytes, "mb", 0, "megabytes of text in each race (default: encode 32, train 100, prep 60)")
	flag.StringVar(&d.corpus, "corpus", "bench/out/data/corpus", "directory of the sets of texts")
	flag.StringVar(&d.tokenizers, "files", "bench/out/data/tokenizers", "directory of tokenizer.json files")
	flag.StringVar(&d.out, "out", "bench/out/data", "directory for what is made on the way")
	flag.StringVar(&d.prep, "prep", "bench/out/data/prep", "the prep command")
	flag.StringVar(&d.python, "python", "python3", "Python with requirements.txt")
	flag.StringVar(&d.streaming, "streaming", "python3", "Python with requirements-read.txt")
	flag.StringVar(&d.peer, "peer", "bench/data/peer", "the peers")
	flag.Parse()
	d.names, d.sets = list(names), list(sets)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	finish(d.run(ctx, list(part)))
}

func finish(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func list(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}

func (d *driver) run(ctx context.Context, wanted []string) (err error) {
	if d.self, err = os.Executable(); err != nil {
		return err
	}
	for _, path := range []*string{&d.out, &d.corpus, &d.tokenizers, &d.prep} {
		if *path, err = filepath.Abs(*path); err != nil { // some peers change directory
			return err
		}
	}
	fmt.Println(machine(), "load", load())
	for _, p := range parts {
		if i := slices.Index(wanted, p.name); i >= 0 {
			wanted = slices.Delete(wanted, i, i+1)
			fmt.Printf("\n== %s\n", p.name)
			if err := p.run(d, ctx); err != nil {
				return fmt.Errorf("measure %s: %w", p.name, err)
			}
		}
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
	}
	if len(wanted) > 0 {
		return fmt.Errorf("measure %q: no such part", wanted)
	}
	return nil
}

// tokenizer is the path of a real tokenizer.json.
func (d *driver) tokenizer(name string) string { return filepath.Join(d.tokenizers, name+".json") }

// set is the path of a set of texts.
func (d *driver) set(name string) string { return filepath.Join(d.corpus, name+".jsonl") }

func (d *driver) setPaths(names []string) []string {
	var paths []string
	for _, name := range names {
		paths = append(paths, d.set(name))
	}
	return paths
}

// namesIn lists the files of a directory with an extension, without it.
func namesIn(dir, extension string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*"+extension))
	if err == nil && len(paths) == 0 {
		err = fmt.Errorf("no *%s in %q: bench/data/run makes them", extension, dir)
	}
	for i, p := range paths {
		paths[i] = strings.TrimSuffix(filepath.Base(p), extension)
	}
	return paths, err
}

func machine() string {
	model := "unknown processor"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if rest, ok := strings.CutPrefix(line, "model name"); ok {
				model = strings.Trim(rest, "\t :\n")
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d cores, %s/%s, %s", model, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// load is the load average of the last minute.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Fields(string(text))[0]
}
