package pipeline

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

func TestShardDocuments(t *testing.T) {
	long := strings.Repeat("0123456 ", 3<<15) // 768 KiB
	for name, c := range map[string]struct {
		files   map[string]string
		options Options
		want    []string
		report  Report
	}{
		"files by name": {
			files: map[string]string{"b.txt": "two", "a/z.txt": "one", "c.TXT": "three"},
			want:  []string{"one", "two", "three"},
		},
		"lines": {
			files: map[string]string{"a.txt": "x\r\n\ny"}, options: Options{Split: SplitLine},
			want: []string{"x", "y"}, report: Report{Empty: 1},
		},
		"jsonl": {
			files: map[string]string{"a.jsonl": `{"text":"x","n":1}` + "\n" + `{"text":"\u00e9\ny"}` + "\n\n"},
			want:  []string{"x", "é\ny"}, report: Report{Empty: 1},
		},
		"jsonl field": {
			files: map[string]string{"a.jsonl": `{"body":"x","text":"no"}`}, options: Options{TextField: "body"},
			want: []string{"x"},
		},
		"jsonl damaged": {
			files: map[string]string{"a.jsonl": "{\"text\":\"x\"\n[1]\nnull\n{\"text\":3}\n{\"text\":null}\n{}\n{\"text\":\"\"}\n{\"text\":\"y\"}\n"},
			want:  []string{"y"}, report: Report{Malformed: 3, NoText: 3, Empty: 1},
		},
		"invalid UTF-8": {
			files: map[string]string{"a.txt": "a\xFFb\xE2\x82c", "b.txt": "fine"},
			want:  []string{"a\uFFFDb\uFFFD\uFFFDc", "fine"}, report: Report{ReplacedBytes: 3, ReplacedDocs: 1},
		},
		"NUL is kept": {
			files: map[string]string{"a.txt": "a\x00b"}, want: []string{"a\x00b"},
		},
		"UTF-16 is decoded": {
			files: map[string]string{"a.txt": "\xFF\xFEa\x00\xE9\x00\x3D\xD8\x00\xDE", "b.txt": "\xFE\xFF\x00b", "c.txt": "\xFE", "d.txt": "\xFF\xFE"},
			want:  []string{"aé\U0001F600", "b", "\uFFFD"}, report: Report{UTF16: 3, Empty: 1, ReplacedBytes: 1, ReplacedDocs: 1},
		},
		"other files are left out": {
			files: map[string]string{"a.txt": "a", "b.pdf": "b", ".c.txt": "c", "d.txt": ""},
			want:  []string{"a"}, report: Report{OtherFiles: 2, Empty: 1},
		},
		"long file": {
			files: map[string]string{"a.txt": long + long}, // 1.5 MiB
			want:  []string{(long + long)[:PartSize], (long + long)[PartSize:]}, report: Report{CutDocuments: 1},
		},
		"long JSON text": {
			files: map[string]string{"a.jsonl": `{"text":"` + long + long + `"}`},
			want:  []string{(long + long)[:PartSize], (long + long)[PartSize:]}, report: Report{CutDocuments: 1},
		},
	} {
		for _, format := range []string{FormatParquet, FormatArrow} {
			if format == FormatArrow && strings.HasPrefix(name, "long") {
				continue // what is long is cut before a format sees it
			}
			t.Run(name+" "+format, func(t *testing.T) {
				o := c.options
				o.Sources, o.Format = []string{corpus(t, c.files)}, format
				d, report := shard(t, o)
				all := docs(t, d, "")
				if got := textsOf(all); !slices.Equal(got, c.want) {
					t.Errorf("documents = %.200q, want %.200q", got, c.want)
				}
				if *report != c.report || d.Manifest().Report != c.report {
					t.Errorf("report = %+v, want %+v", *report, c.report)
				}
				for _, doc := range all {
					if want := (bytesEncoder{}).Encode(nil, doc.Text); !slices.Equal(doc.Tokens, want) {
						t.Errorf("tokens of %.20q = %.20v, want %.20v", doc.Text, doc.Tokens, want)
					}
				}
				if err := d.Verify(t.Context(), nil); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// The same text gives the same documents however it is compressed and cut.
func TestCompressedSources(t *testing.T) {
	plain := prose(t, 200<<10)
	packed := t.TempDir()
	entries, _ := os.ReadDir(plain)
	for i, e := range entries {
		data, err := os.ReadFile(filepath.Join(plain, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		ext := ""
		switch i % 3 {
		case 0:
			z := gzip.NewWriter(&b)
			z.Write(data)
			z.Close()
			ext = ".gz"
		case 1:
			z, _ := zstd.NewWriter(&b)
			z.Write(data)
			z.Close()
			ext = ".zst"
		default:
			b.Write(data)
		}
		write(t, filepath.Join(packed, e.Name()+ext), b.String())
	}
	one, _ := shard(t, Options{Sources: []string{plain}, Split: SplitBlank})
	two, _ := shard(t, Options{Sources: []string{packed}, Split: SplitBlank, ShardSize: 7000, Workers: 3})
	if a, b := textsOf(docs(t, one, "")), textsOf(docs(t, two, "")); !slices.Equal(a, b) {
		t.Errorf("%d documents of plain files, %d of compressed ones, or others", len(a), len(b))
	}
	if n := two.Manifest().Totals("").Shards; n < 20 {
		t.Errorf("%d shards, want the 200 kB in shards of 7 kB", n)
	}
}

// 16 combinations: workers, order of creation, locale and time zone.
func TestShardIsDeterministic(t *testing.T) {
	source := prose(t, 50<<10)
	names := []string{"part-0.txt", "part-1.txt", "part-2.txt", "part-3.txt", "part-4.txt"}
	var want map[string]string
	for i := range 16 {
		copied := filepath.Join(t.TempDir(), "somewhere", fmt.Sprint("else-", i))
		if i&1 != 0 {
			slices.Reverse(names)
		}
		for _, name := range names {
			data, err := os.ReadFile(filepath.Join(source, name))
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(copied, name), string(data))
		}
		t.Setenv("LC_ALL", []string{"C", "tr_TR.UTF-8"}[i>>1&1])
		t.Setenv("TZ", []string{"UTC", "Asia/Kathmandu"}[i>>2&1])
		out := t.TempDir()
		shard(t, Options{
			Sources: []string{copied}, Out: out, Split: SplitBlank, ShardSize: 6000, Val: .2,
			Workers: []int{1, 4}[i>>3&1], TokenizerJSON: bytesEncoder{}.JSON(),
		})
		got := contents(t, out)
		if want == nil {
			want = got
		}
		if names := differences(want, got); len(names) > 0 {
			t.Fatalf("combination %d: %v differ", i, names)
		}
	}
	if len(want) < 15 || want["tokenizer.json"] == "" {
		t.Errorf("made %d files", len(want))
	}
}

func TestHeldOut(t *testing.T) {
	source := prose(t, 300<<10)
	d, _ := shard(t, Options{Sources: []string{source}, Split: SplitBlank, Val: .2, ShardSize: 40000})
	train, val := docs(t, d, TrainSplit), docs(t, d, ValSplit)
	seen := map[string]bool{}
	for _, doc := range train {
		seen[doc.Text] = true
	}
	for _, doc := range val {
		if seen[doc.Text] {
			t.Errorf("%.20q stands in both splits", doc.Text)
		}
	}
	n := float64(len(train) + len(val))
	// Five standard deviations of a binomial share.
	if share, e := float64(len(val))/n, 5*math.Sqrt(.2*.8/n); math.Abs(share-.2) > e {
		t.Errorf("share of %v held out of %v documents", share, n)
	}
	// A tokenizer is trained on the training documents, in their order.
	var texts []string
	trained, _, err := Shard(t.Context(), Options{
		Sources: []string{source}, Split: SplitBlank, Val: .2, ShardSize: 40000, Out: t.TempDir(),
		Train: func(docs iter.Seq[string]) (Encoder, []byte, error) {
			texts = slices.Collect(docs)
			return bytesEncoder{}, nil, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(texts, textsOf(train)) {
		t.Errorf("trained on %d texts, the training split has %d, or others", len(texts), len(train))
	}
	n = 0
	for doc, err := range Documents(t.Context(), Options{Sources: []string{source}, Split: SplitBlank, Val: .2}) {
		if err != nil || doc.Text != train[int(n)].Text {
			t.Fatalf("document %v is %.20q, %v", n, doc.Text, err)
		}
		n++
	}
	if trained.Hash() != d.Manifest().Hash() {
		t.Error("another data set than with the same tokenizer given")
	}
}

// One large file can be divided too.
func TestHeldOutOfOneFile(t *testing.T) {
	var lines strings.Builder
	for i := range 40000 {
		fmt.Fprintf(&lines, "line %d\n", i)
	}
	text := lines.String()
	d, report := shard(t, Options{Sources: []string{corpus(t, map[string]string{"a.txt": text})}, Val: .1})
	if d.Manifest().Totals(ValSplit).Documents == 0 || report.CutDocuments != 1 {
		t.Errorf("totals %+v, report %+v", d.Manifest().Totals(ValSplit), report)
	}
	if got := d.Manifest().Totals("").TextBytes; got != int64(len(text)) {
		t.Errorf("%d bytes in the shards, want %d", got, len(text))
	}
}

func TestHostileDirectories(t *testing.T) {
	dir := corpus(t, map[string]string{"a.txt": "a", "sub/b.txt": "b"})
	link := func(to, name string) {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("..", "sub/up")
	link(".", "here")
	link("self", "self")
	link("nowhere", "dangling.txt")
	link("a.txt", "z.txt")
	link("/dev/zero", "zero.txt")
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.txt"), 0o666); err != nil {
		t.Fatal(err)
	}
	d, report := shard(t, Options{Sources: []string{dir, filepath.Join(dir, "a.txt")}})
	if got := textsOf(docs(t, d, "")); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("documents = %q", got)
	}
	if want := (Report{SpecialFiles: 2, Unreadable: 2, Repeated: 2}); *report != want {
		t.Errorf("report = %+v, want %+v", *report, want)
	}
	if report.Skipped() != 4 {
		t.Errorf("skipped %d, want 4", report.Skipped())
	}
}

func TestShardRefuses(t *testing.T) {
	var zipped, bomb strings.Builder
	z := gzip.NewWriter(&zipped)
	z.Write([]byte(strings.Repeat("some text ", 1000)))
	z.Close()
	b, _ := zstd.NewWriter(&bomb)
	zeros := make([]byte, 1<<20)
	for range 65 {
		b.Write(zeros)
	}
	b.Close()
	dir := corpus(t, map[string]string{
		"empty/a.txt": "", "empty/b.txt": "", "nothing/a.pdf": "x", "blank.txt": "\n\n\n",
		"cut.txt.gz": zipped.String()[:zipped.Len()/2], "not.txt.gz": "plain", "none.txt.gz": "",
		"bad.txt.zst": "plain text, no frame", "bomb.txt.zst": bomb.String(), "ok.txt": "ok",
	})
	flipped := []byte(zipped.String())
	flipped[len(flipped)/2] ^= 4
	write(t, filepath.Join(dir, "flip.txt.gz"), string(flipped))
	for name, c := range map[string]struct {
		source  string
		options Options
		kind    error
	}{
		"missing":         {"nope", Options{}, safeio.ErrNotFound},
		"empty files":     {"empty", Options{}, safeio.ErrNotFound},
		"no text files":   {"nothing", Options{}, safeio.ErrNotFound},
		"only line ends":  {"blank.txt", Options{Split: SplitLine}, safeio.ErrNotFound},
		"truncated gzip":  {"cut.txt.gz", Options{}, safeio.ErrCorrupt},
		"flipped gzip":    {"flip.txt.gz", Options{}, safeio.ErrCorrupt},
		"not gzip":        {"not.txt.gz", Options{}, safeio.ErrCorrupt},
		"empty gzip":      {"none.txt.gz", Options{}, safeio.ErrCorrupt},
		"not zstd":        {"bad.txt.zst", Options{}, safeio.ErrCorrupt},
		"zstd bomb":       {"bomb.txt.zst", Options{}, safeio.ErrLimit},
		"wrong tokenizer": {"ok.txt", Options{TokenizerJSON: []byte("{}")}, safeio.ErrMismatch},
		"format":          {"ok.txt", Options{Format: "csv"}, nil},
		"separation":      {"ok.txt", Options{Split: "word"}, nil},
		"share":           {"ok.txt", Options{Val: math.NaN()}, nil},
		"shard size":      {"ok.txt", Options{ShardSize: -1}, nil},
		"token outside":   {"ok.txt", Options{Encoder: lying{}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			o := c.options
			o.Sources, o.Out = []string{filepath.Join(dir, c.source)}, filepath.Join(t.TempDir(), "out")
			if o.Encoder == nil {
				o.Encoder = bytesEncoder{}
			}
			_, _, err := Shard(t.Context(), o)
			if err == nil || c.kind != nil && !errors.Is(err, c.kind) {
				t.Fatalf("error = %v, want one of kind %v", err, c.kind)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error of several lines: %v", err)
			}
			for name := range contents(t, filepath.Dir(o.Out)) {
				if strings.HasPrefix(filepath.Base(name), ".tmp-") || strings.HasPrefix(filepath.Base(name), "manifest") {
					t.Errorf("left %q", name)
				}
			}
		})
	}
}

// lying is an encoder with ids outside its vocabulary.
type lying struct{ bytesEncoder }

func (lying) Encode(dst []int32, _ string) []int32 { return append(dst, 257) }

func TestShardRefusesToMix(t *testing.T) {
	source := prose(t, 20<<10)
	base := Options{Sources: []string{source}, Out: filepath.Join(t.TempDir(), "out"), Split: SplitBlank, Val: .1}
	shard(t, base)
	before := contents(t, base.Out)
	for name, c := range map[string]struct {
		change func(*Options)
		says   string
	}{
		"corpus":     {func(o *Options) { o.Sources = []string{prose(t, 30<<10)} }, "corpus"},
		"tokenizer":  {func(o *Options) { o.Encoder = bytesEncoder{shift: 1} }, "tokenizer"},
		"format":     {func(o *Options) { o.Format = FormatArrow }, "format"},
		"separation": {func(o *Options) { o.Split = SplitLine }, "separation"},
		"field":      {func(o *Options) { o.TextField = "body" }, "text field"},
		"shard size": {func(o *Options) { o.ShardSize = 1 << 10 }, "shard size"},
		"share":      {func(o *Options) { o.Val = .2 }, "held-out share"},
	} {
		t.Run(name, func(t *testing.T) {
			o := base
			o.Encoder = bytesEncoder{}
			c.change(&o)
			_, _, err := Shard(t.Context(), o)
			if !errors.Is(err, safeio.ErrMismatch) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error = %v, want a mismatch that names the %s", err, c.says)
			}
			if names := differences(before, contents(t, base.Out)); len(names) > 0 {
				t.Errorf("%v changed", names)
			}
		})
	}
	t.Run("foreign files", func(t *testing.T) {
		o := base
		o.Encoder, o.Out = bytesEncoder{}, corpus(t, map[string]string{"thesis.tex": "x"})
		if _, _, err := Shard(t.Context(), o); !errors.Is(err, safeio.ErrMismatch) {
			t.Errorf("error = %v, want a mismatch", err)
		}
	})
	t.Run("a second writer", func(t *testing.T) {
		lock, err := safeio.FS{}.Lock(base.Out)
		if err != nil {
			t.Fatal(err)
		}
		defer lock.Close()
		o := base
		o.Encoder = bytesEncoder{}
		if _, _, err := Shard(t.Context(), o); !errors.Is(err, safeio.ErrLocked) {
			t.Errorf("error = %v, want that it is locked", err)
		}
	})
}

func TestShardMakesDamagedShardsAnew(t *testing.T) {
	o := Options{Sources: []string{prose(t, 60<<10)}, Out: filepath.Join(t.TempDir(), "out"), Split: SplitBlank, Val: .2, ShardSize: 20000, TokenizerJSON: bytesEncoder{}.JSON()}
	shard(t, o)
	want := contents(t, o.Out)
	for name, damage := range map[string]func() error{
		"flipped bit":       func() error { return flip(filepath.Join(o.Out, "train-00001.parquet"), 1000) },
		"missing shard":     func() error { return os.Remove(filepath.Join(o.Out, "val-00000.parquet")) },
		"truncated shard":   func() error { return os.Truncate(filepath.Join(o.Out, "train-00000.parquet"), 100) },
		"missing tokenizer": func() error { return os.Remove(filepath.Join(o.Out, "tokenizer.json")) },
		"leftovers": func() error {
			return errors.Join(os.WriteFile(filepath.Join(o.Out, ".tmp-1"), nil, 0o666), os.MkdirAll(filepath.Join(o.Out, ".work", "x"), 0o777))
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := damage(); err != nil {
				t.Fatal(err)
			}
			shard(t, o)
			if names := differences(want, contents(t, o.Out)); len(names) > 0 {
				t.Errorf("%v differ", names)
			}
		})
	}
}

// flip flips a bit of a file.
func flip(path string, bit int) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if bit >= len(data)*8 {
		return errors.New("no such bit")
	}
	data[bit/8] ^= 1 << (bit % 8)
	return os.WriteFile(path, data, 0o666)
}

func TestShardStopsWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	o := Options{Sources: []string{prose(t, 60<<10)}, Out: filepath.Join(t.TempDir(), "out"), Split: SplitBlank, ShardSize: 4000, Workers: 2, Encoder: bytesEncoder{}}
	o.Progress = func(p Progress) {
		if p.Stage == "shard" && p.Done > 20000 {
			cancel()
		}
	}
	if _, _, err := Shard(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("error = %v, want that it was cancelled", err)
	}
	if _, err := Open(o.Out); !errors.Is(err, safeio.ErrNotFound) {
		t.Fatalf("open unfinished data set: %v", err)
	}
	o.Progress = nil
	shard(t, o)
	clean := o
	clean.Out = filepath.Join(t.TempDir(), "clean")
	shard(t, clean)
	if names := differences(contents(t, clean.Out), contents(t, o.Out)); len(names) > 0 {
		t.Errorf("%v differ", names)
	}
}
