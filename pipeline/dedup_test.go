package pipeline

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// repeated writes documents of a few words, many of which occur several times,
// and returns their directory and them.
func repeated(t testing.TB, n, different int) (dir string, texts []string) {
	dir = t.TempDir()
	r := rng.New(1, "repeated", uint64(n), 0)
	for file := range 4 {
		var b strings.Builder
		for range n / 4 {
			text := fmt.Sprintf("document %d of so many that some are the same", r.IntN(different))
			texts = append(texts, text)
			b.WriteString(text + "\n")
		}
		write(t, filepath.Join(dir, fmt.Sprintf("part-%d.txt", file)), b.String())
	}
	return dir, texts
}

// firsts are the texts without those that came before.
func firsts(texts []string) []string {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(texts), func(s string) bool {
		was := seen[s]
		seen[s] = true
		return was
	})
}

func TestExactDuplicates(t *testing.T) {
	dir, texts := repeated(t, 4000, 1500)
	want := firsts(texts)
	var first map[string]string
	for _, c := range []struct {
		size    int64
		workers int
		val     float64
	}{{1 << 20, 1, 0}, {9000, 1, 0}, {9000, 4, 0}, {9000, 2, .2}} {
		o := Options{Sources: []string{dir}, Out: filepath.Join(t.TempDir(), "out"), Split: SplitLine, Dedup: DedupExact, ShardSize: c.size, Workers: c.workers, Val: c.val, Test: c.val}
		d, report := shard(t, o)
		if c.val == 0 {
			if got := textsOf(docs(t, d, "")); !slices.Equal(got, want) {
				t.Errorf("%+v: %d documents stay, want %d, or not the first ones", c, len(got), len(want))
			}
		}
		if got := d.Manifest().Totals("").Documents; got != int64(len(want)) {
			t.Errorf("%+v: %d documents stay, want %d", c, got, len(want))
		}
		if got := report.Duplicates; got != int64(len(texts)-len(want)) || report.NearDuplicates != 0 {
			t.Errorf("%+v: report %+v, want %d duplicates", c, report, len(texts)-len(want))
		}
		if c.size == 9000 && c.val == 0 {
			got := contents(t, o.Out)
			if first == nil {
				first = got
			}
			if names := differences(first, got); len(names) > 0 {
				t.Errorf("%v differ with %d workers", names, c.workers)
			}
		}
	}
}

// The tokenizer is made of what stays.
func TestTokenizerSeesNoDuplicates(t *testing.T) {
	dir, texts := repeated(t, 400, 100)
	var got []string
	_, _, err := Shard(t.Context(), Options{
		Sources: []string{dir}, Out: t.TempDir(), Split: SplitLine, Dedup: DedupExact, ShardSize: 3000,
		Train: func(docs iter.Seq[string]) (Encoder, []byte, error) {
			docs(func(s string) bool { got = append(got, s); return true })
			return bytesEncoder{}, nil, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := firsts(texts); !slices.Equal(got, want) {
		t.Errorf("trained on %d documents, want %d", len(got), len(want))
	}
}

// planted makes a corpus of documents of random words with near-duplicates whose
// similarity is known: in each a run of words is replaced. It returns the texts
// in order and, for each, the similarity to the earlier document that it was
// made from, 0 for an original.
func planted(n int) (texts []string, similarity []float64) {
	r := rng.New(7, "planted", 0, 0)
	for len(texts) < n {
		if len(texts) == 0 || r.Float64() < .6 {
			words := make([]string, 60+r.IntN(200))
			for k := range words {
				words[k] = fmt.Sprint("w", r.IntN(20000))
			}
			texts, similarity = append(texts, strings.Join(words, " ")), append(similarity, 0)
			continue
		}
		from := r.IntN(len(texts))
		if similarity[from] > 0 {
			continue
		}
		words := strings.Fields(texts[from])
		run := 1 + r.IntN(len(words)/5)
		at := r.IntN(len(words) - run)
		for k := range run {
			words[at+k] = fmt.Sprint("x", r.IntN(20000))
		}
		text := strings.Join(words, " ")
		texts, similarity = append(texts, text), append(similarity, jaccard(setOf(texts[from]), setOf(text)))
	}
	return texts, similarity
}

func setOf(text string) map[uint64]bool {
	set := map[uint64]bool{}
	for _, h := range shinglesOf(text) {
		set[h] = true
	}
	return set
}

func jaccard(a, b map[uint64]bool) float64 {
	both := 0
	for h := range a {
		if b[h] {
			both++
		}
	}
	return float64(both) / float64(len(a)+len(b)-both)
}

func TestNearDuplicates(t *testing.T) {
	texts, similarity := planted(3000)
	dir := corpus(t, map[string]string{"a.txt": strings.Join(texts[:1800], "\n"), "b.txt": strings.Join(texts[1800:], "\n")})
	o := Options{Sources: []string{dir}, Out: filepath.Join(t.TempDir(), "out"), Split: SplitLine, Dedup: DedupNear, ShardSize: 100000, Val: .1, Test: .1, Workers: 2}
	d, report := shard(t, o)
	stays := map[string]bool{}
	for _, doc := range docs(t, d, "") {
		stays[doc.Text] = true
	}
	var planted, found, clear, wrong int
	for i, text := range texts {
		gone := !stays[text]
		switch s := similarity[i]; {
		case s == 0 && gone:
			t.Errorf("original %d was dropped", i)
		case s >= .9:
			planted++
			if gone {
				found++
			}
		case s > 0 && s < .7:
			clear++
			if gone {
				wrong++
			}
		}
	}
	t.Logf("%d of %d with a similarity of 0.9 and more found; %d of %d below 0.7 dropped", found, planted, wrong, clear)
	if planted < 90 || clear < 100 || float64(found) < .99*float64(planted) || float64(wrong) > .02*float64(clear) {
		t.Error("recall or precision is less than it was")
	}
	if n := int64(len(texts) - len(stays)); report.NearDuplicates != n || report.Duplicates != 0 {
		t.Errorf("report %+v, want %d near-duplicates", report, n)
	}
	o.Out, o.Workers = filepath.Join(t.TempDir(), "again"), 1
	again, _ := shard(t, o)
	if again.Manifest().Hash() != d.Manifest().Hash() {
		t.Error("another result with another number of workers")
	}
}

// No document of a split is nearly the same as one of another.
func TestNoLeakage(t *testing.T) {
	texts, _ := planted(600)
	dir := corpus(t, map[string]string{"a.txt": strings.Join(texts, "\n")})
	d, _ := shard(t, Options{Sources: []string{dir}, Split: SplitLine, Dedup: DedupNear, ShardSize: 50000, Val: .3, Test: .2})
	train := docs(t, d, TrainSplit)
	sets := map[string]map[uint64]bool{}
	for _, doc := range docs(t, d, "") {
		sets[doc.Text] = setOf(doc.Text)
	}
	for _, split := range []string{ValSplit, TestSplit} {
		held := docs(t, d, split)
		if len(held) < 50 {
			t.Fatalf("%d documents in %s", len(held), split)
		}
		for _, a := range held {
			for _, b := range train {
				// Three standard deviations above the threshold.
				if s := jaccard(sets[a.Text], sets[b.Text]); s > .89 {
					t.Errorf("a document of %s has a similarity of %v to one of train", split, s)
				}
			}
		}
	}
}

// A bucket of any number of documents takes linear time.
func TestBoilerplate(t *testing.T) {
	var lines strings.Builder
	for i := range 30000 {
		fmt.Fprintf(&lines, "This page could not be found on our server, please go back to where you came from and try another page: %d\n", i)
	}
	d, report := shard(t, Options{Sources: []string{corpus(t, map[string]string{"a.txt": lines.String()})}, Split: SplitLine, Dedup: DedupNear, Similarity: .7, ShardSize: 500000, Workers: 2})
	if n := d.Manifest().Totals("").Documents; n > 30 || report.NearDuplicates != 30000-n {
		t.Errorf("%d documents stay, report %+v", n, report)
	}
}

// Stopped in the middle, the comparison goes on where it was.
func TestComparisonContinues(t *testing.T) {
	dir, _ := repeated(t, 2000, 900)
	for _, dedup := range []string{DedupExact, DedupNear} {
		o := Options{Sources: []string{dir}, Out: filepath.Join(t.TempDir(), "out"), Split: SplitLine, Dedup: dedup, ShardSize: 7000, Encoder: bytesEncoder{}, Workers: 2}
		ctx, cancel := context.WithCancel(t.Context())
		o.Progress = func(p Progress) {
			if p.Stage == "compare" && p.Done > p.Total/2 {
				cancel()
			}
		}
		if _, _, err := Shard(ctx, o); !errors.Is(err, context.Canceled) {
			t.Fatalf("%s: error = %v, want that it was cancelled", dedup, err)
		}
		units, _ := filepath.Glob(filepath.Join(o.Out, workDir, "compare-*", "unit-*"))
		if len(units) < 3 {
			t.Errorf("%s: %d units were compared when it was stopped", dedup, len(units))
		}
		var before []os.FileInfo
		for _, u := range units {
			info, err := os.Stat(u)
			if err != nil {
				t.Fatal(err)
			}
			before = append(before, info)
		}
		o.Progress = func(p Progress) {
			if p.Stage == "shard" || len(before) == 0 {
				return
			}
			for i, u := range units {
				if info, err := os.Stat(u); err == nil && !os.SameFile(info, before[i]) {
					t.Errorf("%s: %s was compared again", dedup, filepath.Base(u))
				}
			}
		}
		shard(t, o)
		o.Progress = nil
		clean := o
		clean.Out = filepath.Join(t.TempDir(), "clean")
		shard(t, clean)
		if names := differences(contents(t, clean.Out), contents(t, o.Out)); len(names) > 0 {
			t.Errorf("%s: %v differ", dedup, names)
		}
	}
}

func TestEveryFailingOperationOfComparison(t *testing.T) {
	dir, _ := repeated(t, 120, 50)
	options := func(out string) Options {
		return Options{Sources: []string{dir}, Out: out, Split: SplitLine, Dedup: DedupNear, ShardSize: 3 << 10, Encoder: bytesEncoder{}}
	}
	clean := options(filepath.Join(t.TempDir(), "clean"))
	operations := 0
	clean.FS.Before = func(_, _ string) error { operations++; return nil }
	if _, _, err := Shard(t.Context(), clean); err != nil {
		t.Fatal(err)
	}
	want := contents(t, clean.Out)
	for n := range operations {
		o := options(filepath.Join(t.TempDir(), "out"))
		i := 0
		o.FS.Before = func(_, _ string) error {
			if i++; i == n+1 {
				return syscall.ENOSPC
			}
			return nil
		}
		if _, _, err := Shard(t.Context(), o); err != nil && !errors.Is(err, safeio.ErrSpace) {
			t.Fatalf("operation %d fails: untyped error %v", n, err)
		}
		o.FS.Before = nil
		if _, _, err := Shard(t.Context(), o); err != nil {
			t.Fatalf("after operation %d failed: %v", n, err)
		}
		if names := differences(want, contents(t, o.Out)); len(names) > 0 {
			t.Fatalf("after operation %d failed: %v differ", n, names)
		}
	}
}

// What stands on disk between the passes is checked before it is believed.
func TestSpoiledComparison(t *testing.T) {
	dir, _ := repeated(t, 400, 300)
	stop := func(stage string) Options {
		o := Options{Sources: []string{dir}, Out: filepath.Join(t.TempDir(), "out"), Split: SplitLine, Dedup: DedupNear, ShardSize: 1 << 20, Encoder: bytesEncoder{}}
		// The last unit of a stage is there, the next stage has not begun.
		ctx, cancel := context.WithCancel(t.Context())
		o.Progress = func(p Progress) {
			if p.Stage == stage && (stage == "shard" || p.Done == p.Total) {
				cancel()
			}
		}
		if _, _, err := Shard(ctx, o); !errors.Is(err, context.Canceled) {
			t.Fatalf("error = %v", err)
		}
		o.Progress = nil
		return o
	}
	for stage, pattern := range map[string]string{"compare": "compare-*/unit-00000", "shard": "drops-*"} {
		o := stop(stage)
		path, _ := filepath.Glob(filepath.Join(o.Out, workDir, pattern))
		if len(path) != 1 {
			t.Fatalf("%s: files %v", stage, path)
		}
		data, err := os.ReadFile(path[0])
		if err != nil {
			t.Fatal(err)
		}
		step := max(1, len(data)*8/60)
		for bit := 0; bit < len(data)*8; bit += step {
			if err := flip(path[0], bit); err != nil {
				t.Fatal(err)
			}
			_, _, err := Shard(t.Context(), o)
			if !errors.Is(err, safeio.ErrCorrupt) {
				t.Fatalf("%s: bit %d of %d flips, error = %v", stage, bit, len(data)*8, err)
			}
			if err := flip(path[0], bit); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestDropLists(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		docs := rapid.SliceOfN(rapid.Uint64Range(0, 300), 1, 6).Draw(t, "documents")
		total := uint64(0)
		for _, n := range docs {
			total += n
		}
		all := newFates(total)
		for i := range total {
			all.set(i, fate(rapid.IntRange(0, 2).Draw(t, "fate")))
		}
		var b strings.Builder
		if err := writeDrops(&b, docs, all); err != nil {
			t.Fatal(err)
		}
		first := uint64(0)
		for u, n := range docs {
			data, ok := findDrops(strings.NewReader(b.String()), int64(b.Len()), u)
			if !ok {
				t.Fatalf("no list of unit %d", u)
			}
			l := &dropList{data: data, next: -1}
			for i := range n {
				if got, want := l.fate(), all.get(first+i); got != want {
					t.Fatalf("document %d of unit %d: %d, want %d", i, u, got, want)
				}
			}
			first += n
		}
		if _, ok := findDrops(strings.NewReader(b.String()), int64(b.Len()), len(docs)); ok {
			t.Fatal("a list of a unit that is not there")
		}
	})
}

func FuzzDrops(f *testing.F) {
	var b strings.Builder
	all := newFates(10)
	all.set(3, exact)
	all.set(9, nearby)
	if err := writeDrops(&b, []uint64{5, 5}, all); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(b.String()), 1)
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff"+dropsMagic), 7)
	f.Fuzz(func(t *testing.T, data []byte, unit int) {
		list, ok := findDrops(strings.NewReader(string(data)), int64(len(data)), unit)
		if !ok {
			return
		}
		l := &dropList{data: list, next: -1}
		for range 100 {
			l.fate()
		}
	})
}

func FuzzSections(f *testing.F) {
	c := newCensus(nearOptionsOf(DedupNear, DefaultSimilarity))
	for i := range 5 {
		text := fmt.Sprintf("document %d", i)
		id, _ := identify(text)
		c.add(Doc{ID: id, Text: text})
	}
	f.Add(c.take())
	f.Add(make([]byte, headSize))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "unit")
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		all, err := readSections(path, 0)
		if err != nil {
			return
		}
		for _, s := range all {
			s.read(s.at, min(s.fatesSize(), 1<<20), s.sums[0])
			s.take(nil, s.idsAt(), idSize, 0, blocks)
		}
	})
}
