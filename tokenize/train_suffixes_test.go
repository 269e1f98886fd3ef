package tokenize

import (
	"maps"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// substringsByDefinition counts all substrings, and leaves out those that are always
// followed by the same character of their word.
func substringsByDefinition(w *words) map[string]int64 {
	counts := map[string]int64{}
	next := map[string]map[string]bool{}
	for i, n := range w.counts {
		word := []rune(string(w.at(i)))
		for from := range word {
			for to := from + 2; to <= min(len(word), from+maxPieceChars); to++ {
				s := string(word[from:to])
				if next[s] == nil {
					next[s] = map[string]bool{}
				}
				counts[s] += n
				if to < len(word) {
					next[s][string(word[to])] = true
				} else {
					next[s][string(rune(0x10000+i))+"end"] = true // each word ends in its own way
				}
			}
		}
	}
	for i, n := range w.counts {
		if word := string(w.at(i)); n > 1 && utf8.RuneCountInString(word) > 1 && len(next[word]) == 1 {
			next[word]["occurs as a word"] = true
		}
	}
	maps.DeleteFunc(counts, func(s string, _ int64) bool { return len(next[s]) < 2 })
	return counts
}

func TestSubstrings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := newWordTable()
		for range rapid.IntRange(1, 12).Draw(t, "words") {
			word := rapid.StringOfN(rapid.SampledFrom([]rune("aabéè語")), 1, 40, -1).Draw(t, "word")
			table.add(word, rapid.Int64Range(1, 3).Draw(t, "count"))
		}
		a := newSuffixArray(&table.words)
		got := map[string]int64{}
		a.substrings(func(s substring) {
			if _, ok := got[a.string(s)]; ok {
				t.Fatalf("%q comes twice", a.string(s))
			}
			got[a.string(s)] = s.n
		})
		if want := substringsByDefinition(&table.words); !maps.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}
