package tokenize

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// spaced takes everything between spaces for a word.
func spaced(text string, word func(string)) {
	for w := range strings.SplitSeq(text, " ") {
		word(w)
	}
}

func asMap(w *words) map[string]int64 {
	m := map[string]int64{}
	for i, n := range w.counts {
		m[string(w.at(i))] += n
	}
	return m
}

// However many workers count, and however little memory they have, the counts are
// those of the text.
func TestCountWords(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	rapid.Check(t, func(t *rapid.T) {
		docs := rapid.SliceOf(rapid.StringOfN(rapid.SampledFrom([]rune("ab é")), 0, 80, -1)).Draw(t, "documents")
		want := map[string]int64{}
		for _, doc := range docs {
			spaced(doc, func(word string) { want[word]++ })
		}
		c := counter{
			split: spaced, workers: rapid.IntRange(1, 4).Draw(t, "workers"),
			table: rapid.SampledFrom([]int{0, 1 << 14, 1 << 20}).Draw(t, "table"), keep: 1 << 20,
		}
		got, err := c.count(slices.Values(docs))
		if err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(asMap(got), want) {
			t.Fatalf("counted %v, want %v", asMap(got), want)
		}
		if len(got.counts) != len(want) {
			t.Fatalf("%d entries for %d words", len(got.counts), len(want))
		}
	})
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil || len(left) > 0 {
		t.Errorf("temporary files are left: %v, error %v", left, err)
	}
}

func TestCountWordsLong(t *testing.T) {
	c := counter{split: spaced, workers: 1, table: 1 << 10, keep: 1 << 30}
	got, err := c.count(slices.Values([]string{strings.Repeat("x", 2*longestWord+1)}))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int64{strings.Repeat("x", longestWord): 2, "x": 1}
	if !maps.Equal(asMap(got), want) {
		t.Errorf("a long word is counted as %d words", got.len())
	}
}

// A text with more distinct words than may be kept: the frequent ones stay, and of
// the rarest about the share for which there is room, the same ones every time.
func TestCountWordsKeepsFrequent(t *testing.T) {
	var docs []string
	for i := range 26 * 26 {
		word := string([]byte{'a' + byte(i/26), 'a' + byte(i%26)})
		docs = append(docs, word)
		if i%26 == 0 {
			docs = append(docs, word)
		}
	}
	for name, table := range map[string]int{"in memory": 1 << 20, "on disk": 1 << 10} {
		t.Run(name, func(t *testing.T) {
			var first map[string]int64
			for workers := 1; workers < 4; workers++ {
				c := counter{split: spaced, workers: workers, table: table, keep: 26*26 + 26}
				counted, err := c.count(slices.Values(docs))
				if err != nil {
					t.Fatal(err)
				}
				got := asMap(counted)
				for i := range byte(26) {
					if got[string([]byte{'a' + i, 'a'})] != 2 {
						t.Errorf("%c is missing though it is frequent", 'a'+i)
					}
				}
				if n := len(got); n < 300 || n > 376 {
					t.Errorf("%d words are kept, want about 338", n)
				}
				if first == nil {
					first = got
				}
				if !maps.Equal(got, first) {
					t.Errorf("%d workers keep other words than one", workers)
				}
				slices.Reverse(docs)
			}
		})
	}
}

func TestCountWordsDiskFull(t *testing.T) {
	t.Setenv("TMPDIR", "/nonexistent")
	c := counter{split: spaced, workers: 2, table: 0, keep: 1 << 20}
	if _, err := c.count(slices.Values(slices.Repeat([]string{strings.Repeat("a b c ", 1<<16)}, 8))); err == nil || !strings.Contains(err.Error(), "counted words") {
		t.Errorf("error %v does not say what failed", err)
	}
}

func TestPairCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		counts, want := newPairCounts(), map[tokenPair]int64{}
		for range rapid.IntRange(0, 3000).Draw(t, "steps") {
			p := pairOf(rapid.Int32Range(0, 60).Draw(t, "left"), rapid.Int32Range(0, 60).Draw(t, "right"))
			n := rapid.Int64Range(-1, 1).Draw(t, "n")
			counts.add(p, n)
			if want[p] += n; want[p] == 0 {
				delete(want, p)
			}
		}
		if counts.used != len(want) {
			t.Fatalf("%d pairs, want %d", counts.used, len(want))
		}
		for p, n := range want {
			if got := counts.get(p); got != n {
				t.Fatalf("pair %d, %d has count %d, want %d", p.left(), p.right(), got, n)
			}
		}
	})
}
