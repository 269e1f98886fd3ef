package pipeline

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// open opens a stream that ends with the test.
func open(t testing.TB, d *Dataset, o StreamOptions) *Stream {
	t.Helper()
	s, err := d.Stream(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func next(t interface{ Fatal(...any) }, s interface{ Next([]int32) error }, length int) []int32 {
	dst := make([]int32, length)
	if err := s.Next(dst); err != nil {
		t.Fatal(err)
	}
	return dst
}

// In a data set in which no token stands twice, every window of an epoch can be
// told apart.
func numbered(t testing.TB, shards, tokens int) *Dataset {
	t.Helper()
	var b strings.Builder
	for i := range shards * tokens {
		fmt.Fprintf(&b, "%d\n", i)
	}
	// A line is one token of numberEncoder; 6 to 7 bytes each make a unit.
	d, _ := shard(t, Options{
		Sources: []string{corpus(t, map[string]string{"a.txt": b.String()})}, Split: SplitLine,
		ShardSize: int64(b.Len()/shards + 1), Encoder: numberEncoder{}, Workers: 2,
	})
	return d
}

// numberEncoder has a token for every number, and no EOS.
type numberEncoder struct{}

func (numberEncoder) Encode(dst []int32, text string) []int32 {
	var n int32
	fmt.Sscan(text, &n)
	return append(dst, n)
}
func (numberEncoder) EOS() int32     { return -1 }
func (numberEncoder) VocabSize() int { return 1 << 20 }
func (numberEncoder) Hash() string   { return strings.Repeat("ab", 32) }

func TestEveryWindowOnceAnEpoch(t *testing.T) {
	d := numbered(t, 9, 31)
	rapid.Check(t, func(t *rapid.T) {
		length := rapid.IntRange(1, 30).Draw(t, "length")
		seed := rapid.Uint64().Draw(t, "seed")
		s, err := d.Stream(StreamOptions{Length: length, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		// An epoch in pieces: interrupted and continued by another reader.
		begin := rapid.IntRange(0, 3).Draw(t, "epoch")
		if err := s.Seek(Cursor{Epoch: begin, Seed: seed}); err != nil {
			t.Fatal(err)
		}
		seen := map[int32]int{}
		for range s.Windows() {
			if rapid.IntRange(0, 60).Draw(t, "interrupt") == 0 {
				c := s.Cursor()
				s.Close()
				if s, err = d.Stream(StreamOptions{Length: length, Seed: seed}); err != nil {
					t.Fatal(err)
				}
				if err := s.Seek(c); err != nil {
					t.Fatal(err)
				}
			}
			c := s.Cursor()
			window := next(t, s, length)
			again := make([]int32, length)
			if err := s.Window(again, c.Epoch, c.Index); err != nil || !slices.Equal(again, window) {
				t.Fatalf("window %d of epoch %d is %v from Next and %v from Window, %v", c.Index, c.Epoch, window, again, err)
			}
			for _, id := range window {
				seen[id]++
			}
		}
		if c := s.Cursor(); c.Epoch != begin+1 || c.Index != 0 {
			t.Fatalf("cursor %+v after an epoch of %d windows", c, s.Windows())
		}
		for id, n := range seen {
			if n > 1 {
				t.Fatalf("token %d was given %d times in an epoch", id, n)
			}
		}
		// At most length-1 tokens of a shard sit out.
		if missing := int(d.Manifest().Totals("").Tokens) - len(seen); missing > len(d.Manifest().Shards)*(length-1) {
			t.Fatalf("%d tokens were not given", missing)
		}
	})
}

// Epochs differ in the order of the windows and in where they are cut; seeds
// too; the rest does not matter.
func TestOrderOfWindows(t *testing.T) {
	d := numbered(t, 9, 200)
	all := func(seed uint64, epoch int) (windows [][]int32) {
		s := open(t, d, StreamOptions{Length: 16, Seed: seed})
		for i := range s.Windows() {
			w := make([]int32, 16)
			if err := s.Window(w, epoch, i); err != nil {
				t.Fatal(err)
			}
			windows = append(windows, w)
		}
		return windows
	}
	first := all(1, 0)
	if again := all(1, 0); !slices.EqualFunc(first, again, slices.Equal) {
		t.Error("the same epoch gives other windows")
	}
	for name, other := range map[string][][]int32{"next epoch": all(1, 1), "other seed": all(2, 0)} {
		same, cuts := 0, map[int32]bool{}
		for i := range first {
			cuts[first[i][0]] = true
			if slices.Equal(first[i], other[i]) {
				same++
			}
		}
		shared := 0
		for _, w := range other {
			if cuts[w[0]] {
				shared++
			}
		}
		if same > 2 || shared > len(first)/3 {
			t.Errorf("%s: %d of %d windows in the same place, %d begin at the same token", name, same, len(first), shared)
		}
	}
	ascending := 0
	for i := range first[1:] {
		if first[i+1][0] > first[i][0] {
			ascending++
		}
	}
	if share := float64(ascending) / float64(len(first)); share < .4 || share > .6 {
		t.Errorf("%.2f of the windows come behind the one before them in the text", share)
	}
}

// A window is L tokens of the documents with EOS between, seen as a circle.
func TestWindowsAreCutFromACircle(t *testing.T) {
	d, _ := shard(t, Options{Sources: []string{corpus(t, map[string]string{"a.txt": "abc\nde\nf"})}, Split: SplitLine})
	var circle []int32
	for _, text := range []string{"abc", "de", "f"} {
		circle = append((bytesEncoder{}).Encode(circle, text), 256)
	}
	if len(circle) != 9 {
		t.Fatal(circle)
	}
	s := open(t, d, StreamOptions{Length: 4, Seed: 5})
	if s.Windows() != 2 {
		t.Fatalf("%d windows of 4 in 9 tokens", s.Windows())
	}
	for epoch := range 20 {
		for i := range 2 {
			w := make([]int32, 4)
			if err := s.Window(w, epoch, i); err != nil {
				t.Fatal(err)
			}
			found := false
			for from := range circle {
				turned := append(slices.Clone(circle[from:]), circle[:from]...)
				found = found || slices.Equal(turned[:4], w)
			}
			if !found {
				t.Errorf("window %v is not of the circle %v", w, circle)
			}
		}
	}
}

func TestStreamRefuses(t *testing.T) {
	d := small(t, FormatParquet)
	for name, o := range map[string]StreamOptions{
		"too long":     {Length: 1000},
		"no length":    {},
		"other splits": {Length: 1, Split: "test"},
	} {
		if s, err := d.Stream(o); err == nil {
			s.Close()
			t.Errorf("%s: no error", name)
		}
	}
	s := open(t, d, StreamOptions{Length: 4, Seed: 1})
	for name, c := range map[string]Cursor{
		"other seed": {Seed: 2}, "negative": {Epoch: -1, Seed: 1}, "beyond": {Index: s.Windows(), Seed: 1},
	} {
		if err := s.Seek(c); !errors.Is(err, safeio.ErrMismatch) {
			t.Errorf("seek %s: %v", name, err)
		}
	}
	if err := s.Window(make([]int32, 3), 0, 0); err == nil {
		t.Error("window of a wrong length")
	}
	s.Close()
	if err := s.Next(make([]int32, 4)); err == nil {
		t.Error("read after close")
	}
}

// A shard that is damaged while a stream is open is an error of Next, each time.
func TestStreamReportsDamage(t *testing.T) {
	d := small(t, FormatParquet)
	if err := flip(filepath.Join(d.dir, "train-00000.parquet"), 5000); err != nil {
		t.Fatal(err)
	}
	s := open(t, d, StreamOptions{Length: 4})
	for range 3 {
		if err := s.Next(make([]int32, 4)); !errors.Is(err, safeio.ErrCorrupt) {
			t.Errorf("error = %v", err)
		}
	}
	if s.Cursor().Index != 0 {
		t.Errorf("the cursor moved to %+v over a window that was not given", s.Cursor())
	}
}

// Memory holds the groups that are in use, not the data set.
func TestStreamHoldsTwoGroups(t *testing.T) {
	d := numbered(t, 30, 50)
	s := open(t, d, StreamOptions{Length: 5})
	for range 3 * s.Windows() {
		next(t, s, 5)
		s.cache.mu.Lock()
		n := len(s.cache.entries)
		s.cache.mu.Unlock()
		if n > 2*groupSize {
			t.Fatalf("%d shards in memory", n)
		}
	}
}

// The group that comes next is loaded ahead.
func TestStreamReadsAhead(t *testing.T) {
	d := numbered(t, 12, 50)
	s := open(t, d, StreamOptions{Length: 5})
	next(t, s, 5)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		s.cache.mu.Lock()
		n := len(s.cache.entries)
		s.cache.mu.Unlock()
		if n == 2*groupSize {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d shards in memory, want two groups", n)
		}
	}
}

func TestTextStream(t *testing.T) {
	const text = "to be\nor not\n\n\nto be\n"
	want := append((bytesEncoder{}).Encode(nil, "to be\nor not"), 256)
	want = append((bytesEncoder{}).Encode(want, "to be"), 256)
	read := func(skip int) (got []int32) {
		s, err := NewTextStream(strings.NewReader(text), bytesEncoder{}, 4)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Seek(Cursor{Index: skip}); err != nil {
			t.Fatal(err)
		}
		dst := make([]int32, 4)
		for {
			err := s.Next(dst)
			if err == io.EOF {
				return got
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, dst...)
		}
	}
	want = want[:len(want)/4*4]
	for skip := range 4 {
		if got := read(skip); !slices.Equal(got, want[4*skip:]) {
			t.Errorf("after %d windows: %v, want %v", skip, got, want[4*skip:])
		}
	}
	s, err := NewTextStream(strings.NewReader(text), bytesEncoder{}, 4)
	if err != nil {
		t.Fatal(err)
	}
	next(t, s, 4)
	next(t, s, 4)
	for name, c := range map[string]Cursor{"beyond": {Index: 99}, "back": {Index: 1}, "epoch": {Epoch: 1, Index: 99}} {
		if err := s.Seek(c); !errors.Is(err, safeio.ErrMismatch) {
			t.Errorf("seek %s: %v", name, err)
		}
	}
}

// A long text without a line end is given in bounded pieces.
func TestTextStreamOfOneLine(t *testing.T) {
	s, err := NewTextStream(io.LimitReader(zeros{}, 3*PartSize), bytesEncoder{}, 1<<16)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for dst := make([]int32, 1<<16); ; n++ {
		if err := s.Next(dst); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if n != 3*PartSize>>16 || cap(s.tokens) > 3*PartSize {
		t.Errorf("%d windows, %d tokens in memory", n, cap(s.tokens))
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return copy(p, bytes.Repeat([]byte("0"), len(p))), nil }

// Reading what was not read before: each window of each shard once, files in the
// page cache. The tokens are of bytes, so there are more of them to a byte of
// file than in a vocabulary of words.
func BenchmarkWindowsParquet(b *testing.B) { benchmarkWindows(b, FormatParquet) }
func BenchmarkWindowsArrow(b *testing.B)   { benchmarkWindows(b, FormatArrow) }

func benchmarkWindows(b *testing.B, format string) {
	const length = 1024
	d, _ := shard(b, Options{Sources: []string{prose(b, 32<<20)}, Split: SplitBlank, Format: format, ShardSize: 2 << 20})
	s := open(b, d, StreamOptions{Length: length})
	dst := make([]int32, length)
	n := 0
	for b.Loop() {
		for range s.Windows() {
			if err := s.Next(dst); err != nil {
				b.Fatal(err)
			}
			n += length
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds()/1e6, "Mtokens/s")
}

func BenchmarkShard(b *testing.B) {
	source := prose(b, 4<<20)
	for _, format := range []string{FormatParquet, FormatArrow} {
		b.Run(format, func(b *testing.B) {
			b.SetBytes(4 << 20)
			for b.Loop() {
				shard(b, Options{Sources: []string{source}, Split: SplitBlank, Format: format})
			}
		})
	}
}

// A stream holds two groups of shards, and files only while it reads them.
func TestStreamBytes(t *testing.T) {
	d := numbered(t, 20, 1000)
	s := open(t, d, StreamOptions{Length: 10})
	most := 0
	for range s.Windows() + 1 {
		next(t, s, 10)
		s.cache.mu.Lock()
		held := 0
		for _, e := range s.cache.entries {
			select {
			case <-e.ready:
				held += 4 * e.circle.len() // numbers of 20 bits
			default:
			}
		}
		s.cache.mu.Unlock()
		most = max(most, held)
	}
	var files []int64
	for _, w := range s.shards {
		files = append(files, w.info.Bytes)
	}
	if tokens := int(s.Bytes() - largest(1+loaders(), files)); most > tokens || most < tokens/2 { // half: reading ahead may lag
		t.Errorf("%d bytes of tokens are held at most, %d estimated", most, tokens)
	}
}

// Whatever their sizes, training sees the documents that Docs gives, long ones and
// empty ones included.
func TestTokensAreThoseOfTheDocuments(t *testing.T) {
	for _, format := range []string{FormatParquet, FormatArrow} {
		lines := []string{strings.Repeat("a long document ", 3<<20/16), "b", "", strings.Repeat("c", 70_000), "d"}
		d, _ := shard(t, Options{
			Sources: []string{corpus(t, map[string]string{"a.txt": strings.Join(lines, "\n")})}, Split: SplitLine, Format: format,
		})
		var want []int32
		for doc, err := range d.Docs(TrainSplit) {
			if err != nil {
				t.Fatal(err)
			}
			want = append(append(want, doc.Tokens...), 256)
		}
		circle, err := d.load(t.Context(), d.shards(TrainSplit)[0])
		if err != nil {
			t.Fatal(err)
		}
		defer circle.close()
		got := make([]int32, circle.len())
		if err := circle.copy(got, 0); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d tokens in training, %d in the documents, or others", format, len(got), len(want))
		}
	}
}
