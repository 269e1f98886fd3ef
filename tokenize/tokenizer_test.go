package tokenize

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// text draws strings that are not all noise: words of the corpus, white space, other
// scripts and bytes that are no UTF-8.
func text() *rapid.Generator[string] {
	piece := rapid.OneOf(
		rapid.SampledFrom([]string{" ", "  ", "\n", "\r\n", "'s", "'ll", "'", "the", " the", "and", "First Citizen:", "\u00a0", "👩‍👩‍👧‍👦", "é", "\xc3", "\xff", "\xed\xa0\x80", "<eos>", "\x00"}),
		rapid.String(),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 8), func(b []byte) string { return string(b) }),
	)
	return rapid.Map(rapid.SliceOfN(piece, 0, 40), func(p []string) string { return strings.Join(p, "") })
}

func TestLossless(t *testing.T) {
	for _, kind := range []string{KindBPE, KindByte} {
		tok := load(t, kind)
		t.Run(kind, rapid.MakeCheck(func(t *rapid.T) {
			s := text().Draw(t, "text")
			ids := tok.Encode(nil, s)
			if got := string(tok.Decode(nil, ids)); got != s {
				t.Fatalf("Decode(Encode(%q)) = %q", s, got)
			}
			for _, id := range ids {
				if tok.text.isSpecial(id) {
					t.Fatalf("Encode(%q) has id %d, which is no text", s, id)
				}
			}
		}))
	}
}

func TestCharLossless(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		docs := rapid.SliceOfN(text(), 1, 5).Draw(t, "documents")
		tok, err := TrainChar(slices.Values(docs))
		all, valid := strings.Join(docs, "\x00"), ""
		for _, doc := range docs { // each by itself: two halves could make a character
			valid += strings.ToValidUTF8(doc, "")
		}
		if err != nil {
			if valid != "" {
				t.Fatal(err)
			}
			return
		}
		if got := string(tok.Decode(nil, tok.Encode(nil, valid))); got != valid {
			t.Fatalf("Decode(Encode(%q)) = %q", valid, got)
		}
		if got := len(tok.Encode(nil, all)); got != utf8.RuneCountInString(all) {
			t.Fatalf("%d characters have %d ids", utf8.RuneCountInString(all), got)
		}
	})
}

func TestCharUnknown(t *testing.T) {
	tok, err := TrainChar(slices.Values([]string{"ab\ufffd", "b\xffa"}))
	if err != nil {
		t.Fatal(err)
	}
	// <unk>, <eos>, a, b, U+FFFD: the replacement character is a character like any
	// other, a byte that is not UTF-8 is none.
	if got, want := tok.Encode(nil, "ba\ufffd\xff\xc3zé"), []int32{3, 2, 4, 0, 0, 0, 0}; !slices.Equal(got, want) {
		t.Errorf("Encode gives %v, want %v", got, want)
	}
	if got := string(tok.Decode(nil, []int32{0, 3, 1, 2, -1, 99})); got != "ba" {
		t.Errorf("Decode gives %q, want %q", got, "ba")
	}
}

func TestSpecialTokens(t *testing.T) {
	for _, c := range []struct {
		kind               string
		eos, pad, mask, nk int32
	}{
		{KindBPE, 0, -1, -1, -1},
		{KindByte, 256, -1, -1, -1},
		{KindChar, 1, -1, -1, 0},
	} {
		tok := load(t, c.kind)
		if tok.Kind() != c.kind {
			t.Errorf("%s.json has kind %q", c.kind, tok.Kind())
		}
		got := []int32{tok.EOS(), tok.PAD(), tok.MASK(), tok.UNK()}
		if want := []int32{c.eos, c.pad, c.mask, c.nk}; !slices.Equal(got, want) {
			t.Errorf("%s: EOS, PAD, MASK, UNK are %v, want %v", c.kind, got, want)
		}
		if got := tok.Token(tok.EOS()); got != "<eos>" {
			t.Errorf("%s: the end token is shown as %q", c.kind, got)
		}
	}
}

func TestToken(t *testing.T) {
	bpe := load(t, KindBPE)
	ids := bpe.Encode(nil, " the")
	if len(ids) != 1 || bpe.Token(ids[0]) != " the" {
		t.Errorf("%v is shown as %q, want one token %q", ids, bpe.Token(ids[0]), " the")
	}
	byt := NewByte()
	for id, want := range map[int32]string{'a': "a", 0xc3: `\xc3`, 256: "<eos>", 257: "", -1: ""} {
		if got := byt.Token(id); got != want {
			t.Errorf("Token(%d) = %q, want %q", id, got, want)
		}
	}
}

// TestConcurrent has goroutines share a tokenizer and its cache; run it with -race.
func TestConcurrent(t *testing.T) {
	tok := load(t, KindBPE)
	s := corpus(t)
	want := load(t, KindBPE).Encode(nil, s)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				if !slices.Equal(tok.Encode(nil, s), want) {
					t.Error("goroutines that share a tokenizer get other ids")
				}
			}
		})
	}
	wg.Wait()
}

func TestEncodeAppends(t *testing.T) {
	for _, kind := range []string{KindBPE, KindByte, KindChar} {
		tok := load(t, kind)
		got := tok.Encode([]int32{7}, "a cat")
		if want := append([]int32{7}, tok.Encode(nil, "a cat")...); !slices.Equal(got, want) {
			t.Errorf("%s: Encode onto [7] gives %v, want %v", kind, got, want)
		}
		if got := string(tok.Decode([]byte("x"), got[1:])); got != "xa cat" {
			t.Errorf("%s: Decode onto x gives %q", kind, got)
		}
	}
}

func FuzzEncodeDecode(f *testing.F) {
	for _, s := range []string{"", "First Citizen:\n", "we'll  go\r\n", "\x00\xff\xed\xa0\x80", "👩‍👩‍👧‍👦\u00a0", strings.Repeat("ab", 60)} {
		f.Add(s)
	}
	bpe, byt := load(f, KindBPE), NewByte()
	f.Fuzz(func(t *testing.T, s string) {
		for _, tok := range []*Tokenizer{bpe, byt} {
			if got := string(tok.Decode(nil, tok.Encode(nil, s))); got != s {
				t.Errorf("%s: Decode(Encode(%q)) = %q", tok.Kind(), s, got)
			}
		}
	})
}

func ExampleTokenizer() {
	docs := slices.Values([]string{"low lower lowest", "new newer newest"})
	tok, err := TrainBPE(docs, 270)
	if err != nil {
		panic(err)
	}
	ids := tok.Encode(nil, "slow newest")
	for _, id := range ids {
		fmt.Printf("%q ", tok.Token(id))
	}
	fmt.Println(string(tok.Decode(nil, ids)))
	// Output: "s" "lo" "w" " ne" "west" slow newest
}

// BenchmarkEncode encodes the corpus with a warm cache, with none (every word is
// new), and a single word of 64 KiB.
func BenchmarkEncode(b *testing.B) {
	tok := load(b, KindBPE)
	r := rand.New(rand.NewPCG(1, 2))
	var words strings.Builder
	for words.Len() < 1<<18 {
		words.WriteByte(' ')
		for range 4 + r.IntN(8) {
			words.WriteByte("etaoinshrdlu"[r.IntN(12)])
		}
	}
	for _, c := range []struct{ name, text string }{
		{"corpus", strings.Repeat(corpus(b), 20)},
		{"random words", words.String()},
		{"long word", strings.Repeat("the", 1<<16/3)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.text)))
			b.ReportAllocs()
			var ids []int32
			for b.Loop() {
				ids = tok.Encode(ids[:0], c.text)
			}
		})
	}
}
