package tokenize

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// TestPieces compares ids and decoded text of WordPiece and Unigram tokenizers.
func TestPieces(t *testing.T) {
	g := pieceCases(t)
	for _, c := range g.Tokenizers {
		t.Run(c.Name, func(t *testing.T) {
			tok, err := Parse(changed(t, c.File, c.Changes))
			if err != nil {
				t.Fatal(err)
			}
			again, err := Parse(tok.JSON())
			if err != nil {
				t.Fatal(err)
			}
			for _, tok := range []*Tokenizer{tok, again} {
				for _, c := range c.Cases {
					ids := tok.Encode(nil, c.Text)
					if !slices.Equal(ids, c.IDs) {
						t.Errorf("%+q is %v, %s has %v", c.Text, ids, g.Source, c.IDs)
					}
					if got := string(tok.Decode(nil, c.IDs)); got != c.Decoded {
						t.Errorf("%+q decodes to %+q, %s has %+q", c.Text, got, g.Source, c.Decoded)
					}
				}
			}
		})
	}
}

// changed returns a file of testdata with some fields of its parts changed.
func changed(t testing.TB, name string, changes map[string]map[string]json.RawMessage) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var f map[string]json.RawMessage
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	for part, fields := range changes {
		var p map[string]json.RawMessage
		if err := json.Unmarshal(f[part], &p); err != nil {
			t.Fatal(err)
		}
		for name, value := range fields {
			p[name] = value
		}
		f[part] = marshal(p)
	}
	return marshal(f)
}

// tokens draws distinct tokens of few letters, so that many are prefixes of others.
func tokens(t *rapid.T) []string {
	letter := rapid.SampledFrom([]string{"a", "b", "é", "e", "世", "\u2581", "#"})
	token := rapid.Map(rapid.SliceOfN(letter, 1, 5), func(s []string) string { return strings.Join(s, "") })
	return rapid.SliceOfNDistinct(token, 1, 60, rapid.ID).Draw(t, "tokens")
}

func word(t *rapid.T, most int) string {
	letter := rapid.SampledFrom([]string{"a", "b", "é", "e", "世", "\u2581", "#", "☃", "\xff"})
	return strings.Join(rapid.SliceOfN(letter, 1, most).Draw(t, "word"), "")
}

func TestTrie(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := tokens(t)
		v, err := newVocabulary(list)
		if err != nil {
			t.Fatal(err)
		}
		tree := newTrie(v)
		for id, token := range list {
			if got := tree.find(token); got != int32(id) {
				t.Fatalf("%q has id %d, want %d", token, got, id)
			}
		}
		text, want := word(t, 12), int32(-1)
		for n := len(text); n > 0 && want < 0; n-- {
			want = v.id(text[:n])
		}
		if got, _ := tree.longest(root, text); got != want {
			t.Fatalf("%q begins with %d, want %d", text, got, want)
		}
	})
}

// TestWordPieceGreedy compares with trying every length.
func TestWordPieceGreedy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := append(tokens(t), "[UNK]")
		v, err := newVocabulary(list)
		if err != nil {
			t.Fatal(err)
		}
		unk, prefix, most := "[UNK]", rapid.SampledFrom([]string{"#", "##", "", "%"}).Draw(t, "prefix"), 10
		m := &wordPiece{v: v, config: wordPieceConfig{UnkToken: &unk, ContinuingSubwordPrefix: &prefix, MaxInputCharsPerWord: &most}}
		if err := m.compile(); err != nil {
			t.Fatal(err)
		}
		text := word(t, 12)
		var want, ends []int32
		for i := 0; i < len(text); {
			lead, n := "", len(text)
			if i > 0 {
				lead = prefix
			}
			for n > i && v.id(lead+text[i:n]) < 0 {
				n--
			}
			if n == i || utf8.RuneCountInString(text) > most {
				want = []int32{m.unk}
				break
			}
			want, i = append(want, v.id(lead+text[i:n])), n
		}
		got := m.encodeWord(nil, &ends, text)
		if !slices.Equal(got, want) || len(ends) != len(got) || int(ends[len(ends)-1]) != len(text) {
			t.Fatalf("%q is %v with ends %v, want %v", text, got, ends, want)
		}
	})
}

// TestUnigramBest compares with the search over the whole text, without cuts.
func TestUnigramBest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := append([]string{"<unk>"}, tokens(t)...)
		fallback := rapid.Bool().Draw(t, "fallback")
		if fallback {
			for b := range 256 {
				list = append(list, "<0x"+string("0123456789ABCDEF"[b>>4])+string("0123456789ABCDEF"[b&15])+">")
			}
		}
		v, err := newVocabulary(list)
		if err != nil {
			t.Fatal(err)
		}
		m := &unigram{v: v, config: unigramConfig{UnkID: new(int), ByteFallback: fallback}}
		for range list { // few scores, so that there are ties
			m.scores = append(m.scores, rapid.SampledFrom([]float64{-1, -2, -2.5, -3, -0.1}).Draw(t, "score"))
		}
		if err := m.compile(); err != nil {
			t.Fatal(err)
		}
		text := word(t, 40)
		var ends []int32
		got, want := m.encodeWord(nil, &ends, text), bestSpelling(m, text)
		if !slices.Equal(got, want) || len(ends) != len(got) || int(ends[len(ends)-1]) != len(text) {
			t.Fatalf("%q is %v with ends %v, want %v", text, got, ends, want)
		}
	})
}

func bestSpelling(m *unigram, text string) (ids []int32) {
	type node struct {
		score float64
		start int
		id    int32
	}
	best := make([]node, len(text)+1)
	for i := range best {
		best[i] = node{math.Inf(-1), -1, -1}
	}
	best[0].score = 0
	for i := 0; i < len(text); {
		n, single := charLen(text, i), false
		for end := i + 1; end <= len(text); end++ {
			if id := m.v.id(text[i:end]); id >= 0 {
				if s := best[i].score + m.scores[id]; s > best[end].score {
					best[end] = node{s, i, id}
				}
				single = single || end == i+n
			}
		}
		if s := best[i].score + m.unknown; !single && s > best[i+n].score {
			best[i+n] = node{s, i, m.unk}
		}
		i += n
	}
	unknown := ""
	flush := func() {
		switch {
		case unknown == "":
		case m.config.ByteFallback:
			for i := len(unknown) - 1; i >= 0; i-- {
				ids = append(ids, m.bytes[unknown[i]])
			}
		default:
			ids = append(ids, m.unk)
		}
		unknown = ""
	}
	for end := len(text); end > 0; end = best[end].start {
		if n := best[end]; n.id == m.unk {
			unknown = text[n.start:end] + unknown
		} else {
			flush()
			ids = append(ids, n.id)
		}
	}
	flush()
	slices.Reverse(ids)
	return ids
}

// TestUnigramLong: the time is linear and the memory that of a stretch, whatever the
// text has to offer.
func TestUnigramLong(t *testing.T) {
	v, err := newVocabulary([]string{"<unk>", "a", "aa", "aaaa", "b"})
	if err != nil {
		t.Fatal(err)
	}
	m := &unigram{v: v, config: unigramConfig{UnkID: new(int)}, scores: []float64{0, -3, -4, -5, -2}}
	if err := m.compile(); err != nil {
		t.Fatal(err)
	}
	const n = 1 << 20
	for name, text := range map[string]string{
		"one letter": strings.Repeat("a", n), "unknown": strings.Repeat("☃", n/3), "cuts": strings.Repeat("aaab", n/4),
	} {
		ids := m.encodeWord(nil, nil, text)
		if want := map[string]int{"one letter": n / 4, "unknown": 1, "cuts": 3 * n / 4}[name]; len(ids) != want {
			t.Errorf("%s: %d tokens, want %d", name, len(ids), want)
		}
	}
}
