package pipeline

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// Every kind of bad source is refused by name, in a line, and leaves nothing.
func TestHostileSources(t *testing.T) {
	zeros := strings.Repeat("\x00", 1<<20)
	bomb := strings.Repeat(zeros, 65)
	sparse := func() string { // a file of 1 TiB of holes, as GNU tar stores it
		h := make([]byte, 512)
		copy(h, "holes.txt")
		copy(h[100:], "0000644\x000000000\x000000000\x0000000000000\x0000000000000\x00        S")
		copy(h[257:], "ustar  \x00")
		copy(h[386:], "\x80\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00") // data at the end, none of it
		copy(h[483:], "\x80\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00")
		sum := 0
		for _, c := range h {
			sum += int(c)
		}
		copy(h[148:], []byte{byte('0' + sum>>15&7), byte('0' + sum>>12&7), byte('0' + sum>>9&7), byte('0' + sum>>6&7), byte('0' + sum>>3&7), byte('0' + sum&7), 0, ' '})
		return string(h) + strings.Repeat("\x00", 1024)
	}
	good := table("a text")
	for name, c := range map[string]struct {
		file, content string
		kind          error
	}{
		"truncated gzip":        {"a.txt.gz", zip("some text")[:20], safeio.ErrCorrupt},
		"truncated bzip2":       {"a.txt.bz2", packedLines[".bz2"][:30], safeio.ErrCorrupt},
		"truncated xz":          {"a.txt.xz", packedLines[".xz"][:40], safeio.ErrCorrupt},
		"no bzip2":              {"a.txt.bz2", "plain", safeio.ErrCorrupt},
		"no xz":                 {"a.txt.xz", "plain text that is long enough", safeio.ErrCorrupt},
		"empty xz":              {"a.txt.xz", "", safeio.ErrCorrupt},
		"garbage behind gzip":   {"a.txt.gz", zip("a") + "garbage", safeio.ErrCorrupt},
		"gzip bomb":             {"a.txt.gz", zip(bomb), safeio.ErrLimit},
		"zstd bomb in archive":  {"a.tar", archive(tarred{"a.txt.zst", zst(bomb), tar.TypeReg}), safeio.ErrLimit},
		"bombs in archive":      {"a.tar", archive(tarred{"a.txt.zst", zst(bomb[:40<<20]), tar.TypeReg}, tarred{"b.txt.zst", zst(bomb[:40<<20]), tar.TypeReg}), safeio.ErrLimit},
		"archive that unfolds":  {"a.tar.zst", zst(archive(tarred{"a.bin", bomb, tar.TypeReg})), safeio.ErrLimit},
		"holes":                 {"a.tar", sparse(), safeio.ErrLimit},
		"no archive":            {"a.tar", strings.Repeat("no archive ", 100), safeio.ErrCorrupt},
		"truncated archive":     {"a.tar", archive(tarred{"a.txt", strings.Repeat("a", 2000), tar.TypeReg})[:1000], safeio.ErrCorrupt},
		"no Parquet":            {"a.parquet", "PAR1 something else", safeio.ErrCorrupt},
		"truncated Parquet":     {"a.parquet", good[:len(good)-9], safeio.ErrCorrupt},
		"Parquet without pages": {"a.parquet", "PAR1" + good[len(good)/2:], safeio.ErrCorrupt},
		"encrypted Parquet":     {"a.parquet", good[:len(good)-4] + "PARE", safeio.ErrCorrupt},
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{Sources: []string{corpus(t, map[string]string{c.file: c.content, "good.txt": "good"})}, Out: filepath.Join(t.TempDir(), "out"), Encoder: bytesEncoder{}, TextField: "body"}
			begun := time.Now()
			_, _, err := Shard(t.Context(), o)
			if !errors.Is(err, c.kind) {
				t.Fatalf("error = %v, want one of kind %v", err, c.kind)
			}
			if !strings.Contains(err.Error(), c.file) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error = %v, want a line that names the file", err)
			}
			if took := time.Since(begun); took > 20*time.Second {
				t.Errorf("took %v", took)
			}
			if left := contents(t, o.Out); len(left) > 0 {
				t.Errorf("left %d files", len(left))
			}
		})
	}
}

// Nesting costs nothing, and what is longer than the limits is lost by count.
func TestDepthAndLength(t *testing.T) {
	deep := strings.Repeat("<div><b>", 100000) + "x" + strings.Repeat("</b></div>", 100000)
	d, report := shard(t, Options{Sources: []string{corpus(t, map[string]string{
		"a.html":  deep,
		"b.html":  "<p>seen<p title='" + strings.Repeat("a", maxToken) + "'>lost",
		"c.jsonl": `{"text":"ok","x":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "}\n" + `{"text":"bad","x":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + "}",
	})}})
	if got := textsOf(docs(t, d, "")); strings.Join(got, "|") != "x|seen|ok" {
		t.Errorf("documents = %.100q", got)
	}
	if want := (Report{CutPages: 1, Malformed: 1}); *report != want {
		t.Errorf("report = %+v, want %+v", *report, want)
	}
}

// A line that reaches through many units counts once: progress never passes its end
// and never goes back.
func TestProgressOfALongLine(t *testing.T) {
	dir := corpus(t, map[string]string{"a.txt": strings.Repeat("a", 8<<20)})
	var last Progress
	shard(t, Options{
		Sources: []string{dir}, Split: SplitLine, ShardSize: 1 << 20, Workers: 2,
		Progress: func(p Progress) {
			if p.Done > p.Total || p.Stage == last.Stage && p.Done < last.Done {
				t.Errorf("%s: %d of %d bytes after %d", p.Stage, p.Done, p.Total, last.Done)
			}
			last = p
		},
	})
	if last.Stage != "shard" || last.Done != 8<<20 {
		t.Errorf("progress ended with %+v, want all %d bytes", last, 8<<20)
	}
}

// A source that changes between scan and reading is refused, though it is as
// long as it was and claims to be as old.
func TestSourcesThatChange(t *testing.T) {
	for _, name := range []string{"a.txt", "a.txt.gz"} {
		t.Run(name, func(t *testing.T) {
			text := strings.Repeat("the text as it was\n\n", 1000)
			other := strings.Replace(text, "was", "is ", 1)
			if strings.HasSuffix(name, ".gz") {
				text, other = zip(text), zip(other)
			}
			path := filepath.Join(corpus(t, map[string]string{name: text}), name)
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(20 * time.Millisecond) // the grain of a file system's clock
			changed := false
			o := Options{Sources: []string{path}, Out: t.TempDir(), Encoder: bytesEncoder{}, Split: SplitBlank, ShardSize: 2000, FS: safeio.FS{}}
			o.Progress = func(p Progress) {
				if p.Stage == "shard" && !changed {
					changed = true
					err = errors.Join(os.WriteFile(path, []byte(other), 0o666), os.Chtimes(path, info.ModTime(), info.ModTime()))
				}
			}
			_, _, got := Shard(t.Context(), o)
			if err != nil || !changed {
				t.Fatal(err, changed)
			}
			if !errors.Is(got, safeio.ErrMismatch) || !strings.Contains(got.Error(), "changed") {
				t.Errorf("error = %v, want that it has changed", got)
			}
		})
	}
}

// A pipe that takes the place of a file does not stop the work for ever.
func TestPipeInPlaceOfAFile(t *testing.T) {
	dir := corpus(t, map[string]string{"a.txt": "a"})
	if err := errors.Join(os.Remove(filepath.Join(dir, "a.txt")), syscall.Mkfifo(filepath.Join(dir, "a.txt"), 0o666)); err != nil {
		t.Fatal(err)
	}
	if _, err := (&folder{dir}).open("a.txt"); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("error = %v", err)
	}
}

func TestStdin(t *testing.T) {
	text := strings.Repeat("a line\nand another\n\n", 2000)
	out := t.TempDir()
	options := func(in io.Reader) Options {
		return Options{Sources: []string{"-"}, Stdin: in, Out: filepath.Join(out, "a"), Split: SplitBlank, ShardSize: 9000, Workers: 3, Encoder: bytesEncoder{}}
	}
	d, _ := shard(t, options(strings.NewReader(text)))
	if n := d.Manifest().Totals(""); n.Documents != 2000 || n.Shards < 4 {
		t.Errorf("totals = %+v", n)
	}
	if s := docs(t, d, "")[1]; s.Source != "stdin.txt" || s.Offset != 20 {
		t.Errorf("the second document is at %d of %q", s.Offset, s.Source)
	}
	want := contents(t, filepath.Join(out, "a"))
	for name := range want {
		if strings.HasPrefix(name, ".tmp-") {
			t.Errorf("left %q", name)
		}
	}
	// The same text again finds the work done, and is refused with another.
	shard(t, options(strings.NewReader(text)))
	if names := differences(want, contents(t, filepath.Join(out, "a"))); len(names) > 0 {
		t.Errorf("%v differ", names)
	}
	if _, _, err := Shard(t.Context(), options(strings.NewReader(text+"x"))); !errors.Is(err, safeio.ErrMismatch) {
		t.Errorf("error = %v, want a mismatch", err)
	}
	o := options(bytes.NewReader([]byte(zip("{\"text\":\"x\"}"))))
	o.Out, o.StdinName = filepath.Join(out, "b"), "x.jsonl.gz"
	if d, _ := shard(t, o); docs(t, d, "")[0].Text != "x" {
		t.Error("standard input was not read as what its name says")
	}
	o = options(strings.NewReader(text))
	o.Out, o.StdinLimit = filepath.Join(out, "c"), 1000
	if _, _, err := Shard(t.Context(), o); !errors.Is(err, safeio.ErrLimit) {
		t.Errorf("error = %v, want that it is too long", err)
	}
}
