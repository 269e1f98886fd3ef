package tokenize

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// mergeByDefinition joins the pair of lowest rank, the leftmost of equals, until no
// pair joins: byte-pair encoding as it is defined.
func mergeByDefinition(m *bpe, ids []int32) []int32 {
	for {
		best, at := noRank, 0
		for i := 0; i+1 < len(ids); i++ {
			if rank := m.table.find(ids[i], ids[i+1]); rank < best {
				best, at = rank, i
			}
		}
		if best == noRank {
			return ids
		}
		ids[at] = m.made[best]
		ids = slices.Delete(ids, at+1, at+2)
	}
}

func (m *bpe) symbolsOf(word string) (ids []int32) {
	if !m.byteLevel {
		return m.symbols(nil, nil, word)
	}
	for i := range len(word) {
		ids = append(ids, m.bytes[word[i]])
	}
	return ids
}

func TestMerge(t *testing.T) {
	m := load(t, KindBPE).model.(*bpe)
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringOfN(rapid.SampledFrom([]rune("aehinorst d")), 1, 120, -1).Draw(t, "word")
		want := mergeByDefinition(m, m.symbolsOf(word))
		if got := m.encodeWord(nil, nil, word); !slices.Equal(got, want) {
			t.Fatalf("encodeWord(%q) = %v, want %v", word, got, want)
		}
		if got := m.mergeLong(nil, nil, word); !slices.Equal(got, want) {
			t.Fatalf("mergeLong(%q) = %v, want %v", word, got, want)
		}
	})
}

// TestLongWord encodes words that would take hours if time grew with the square of
// the length.
func TestLongWord(t *testing.T) {
	tok := load(t, KindBPE)
	for name, word := range map[string]string{
		"one letter": strings.Repeat("a", 1<<20),
		"merges":     strings.Repeat("the", 1<<18),
		"spaces":     strings.Repeat(" ", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			if got := string(tok.Decode(nil, tok.Encode(nil, word))); got != word {
				t.Errorf("a word of %d bytes decodes to another of %d", len(word), len(got))
			}
		})
	}
}

// TestMergeAgain: merges that later merges undo the order of, and two merges that make
// the same token.
func TestMergeAgain(t *testing.T) {
	tokens := []string{}
	for b := range 256 {
		tokens = append(tokens, string([]byte{byte(b)}))
	}
	tokens = append(tokens, "bc", "abc", "ab", "aa", "aaa")
	const a, b, c, bc, abc, ab, aa = 'a', 'b', 'c', 256, 257, 258, 259
	tok, err := newByteLevel(tokens, make([]bool, len(tokens)), [][2]int32{
		{ab, c}, {a, bc}, {a, b}, {b, c}, {aa, a}, {a, aa}, {a, a},
	})
	if err != nil {
		t.Fatal(err)
	}
	for word, want := range map[string][]int32{
		"abc":   {abc},     // a b first, then ab c, although its rank is lower
		"bcabc": {bc, abc}, // each by another way
		"aaaa":  {260, a},  // aa, then at once aaa
		"aaaaa": {260, aa}, // and the rest
		"acb":   {a, c, b}, // nothing joins
		"aab":   {a, ab},   // a b has the lower rank
	} {
		if got := tok.Encode(nil, word); !slices.Equal(got, want) {
			t.Errorf("Encode(%q) = %v, want %v", word, got, want)
		}
		if got := tok.model.(*bpe).mergeLong(nil, nil, word); !slices.Equal(got, want) {
			t.Errorf("mergeLong(%q) = %v, want %v", word, got, want)
		}
	}
}
