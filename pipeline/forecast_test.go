package pipeline

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
)

func TestForecastOfASmallCorpusIsExact(t *testing.T) {
	dir := prose(t, 300<<10)
	for _, val := range []float64{0, .2} {
		o := Options{Sources: []string{dir}, Split: SplitBlank, Val: val, Test: val, ShardSize: 40000, Workers: 2, Encoder: bytesEncoder{}}
		f, err := Foresee(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		d, _ := shard(t, o)
		m := d.Manifest().Totals("")
		if f.Documents != m.Documents || f.Tokens != m.Tokens || f.Shards != m.Shards || f.Corpus != d.Manifest().Plan.Corpus.Bytes || f.Error != 0 {
			t.Errorf("forecast %+v, made %+v", f, m)
		}
	}
}

// Of a corpus that is larger than a sample the counts are near and the same
// every time.
func TestForecastOfALargeCorpus(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 28 MB of text")
	}
	dir := t.TempDir()
	var b strings.Builder
	for i := range 4 {
		b.Reset()
		for n := 0; b.Len() < 7<<20; n++ {
			fmt.Fprintf(&b, "%s number %d\n", strings.Repeat("text ", 1+(i+n)%19), n)
		}
		if i%2 == 0 {
			write(t, filepath.Join(dir, fmt.Sprintf("%d.txt", i)), b.String())
			continue
		}
		var packed strings.Builder
		z := gzip.NewWriter(&packed)
		z.Write([]byte(b.String()))
		z.Close()
		write(t, filepath.Join(dir, fmt.Sprintf("%d.txt.gz", i)), packed.String())
	}
	o := Options{Sources: []string{dir}, Split: SplitLine, Val: .01, ShardSize: 4 << 20, Workers: 2, Dedup: DedupExact, Encoder: halfEncoder{}}
	f, err := Foresee(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Foresee(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	again.Seconds = f.Seconds
	if *f != *again {
		t.Errorf("one forecast is %+v, the next %+v", f, again)
	}
	o.Dedup = ""
	d, _ := shard(t, o)
	m := d.Manifest().Totals("")
	for _, c := range []struct {
		what        string
		says, truth float64
	}{
		{"documents", float64(f.Documents), float64(m.Documents)},
		{"tokens", float64(f.Tokens), float64(m.Tokens)},
		{"shards", float64(f.Shards), float64(m.Shards)},
		{"bytes", float64(f.Bytes), float64(m.Bytes)},
	} {
		if ratio := c.says / c.truth; math.Abs(ratio-1) > .1 {
			t.Errorf("%v %s, made %v", c.says, c.what, c.truth)
		}
	}
	if f.Error <= 0 || f.Error > .2 || f.Sampled != samplePlaces*samplePlace || f.WorkBytes < 20*f.Documents {
		t.Errorf("forecast %+v", f)
	}
}

// halfEncoder has a token for every second byte.
type halfEncoder struct{ bytesEncoder }

func (halfEncoder) Encode(dst []int32, text string) []int32 {
	for i := 0; i < len(text); i += 2 {
		dst = append(dst, int32(text[i]))
	}
	return dst
}

func TestMakespan(t *testing.T) {
	var sources []*source
	for _, n := range []int64{10, 10, 10, 5} {
		sources = append(sources, &source{name: fmt.Sprint(n), size: n})
	}
	tasks := cut(sources, 10)
	for workers, want := range map[int]int64{1: 35, 2: 20, 3: 15, 4: 10} {
		if got := makespan(tasks, workers); got != want {
			t.Errorf("%d workers: %d, want %d", workers, got, want)
		}
	}
}
