package judge

import (
	"context"
	"errors"
	"index/suffixarray"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

func TestDistinctByHand(t *testing.T) {
	// The first and the last word of a sample may be cut and do not count.
	samples := []string{"x the cat the cat y", "x the dog y"}
	for n, want := range []float64{3. / 6, 3. / 4, 2. / 2, 1} {
		if got := Distinct(samples, n+1).Value; got != want {
			t.Errorf("distinct-%d of %q is %g, want %g", n+1, samples, got, want)
		}
	}
	if got := Distinct([]string{"a b", ""}, 1); got != (Estimate{}) {
		t.Errorf("distinct-1 without a whole word is %v", got)
	}
}

func TestRepeatedByHand(t *testing.T) {
	for _, c := range []struct {
		name, sample string
		k            int
		want         float64
	}{
		{"twice, apart", "abcXabcY", 3, 6. / 8},
		{"the longest counts whole", "abcdXabcdY", 3, 8. / 10},
		{"a loop", "ababababab", 4, 1},
		{"overlapping", "aaaa", 3, 1},
		{"once", "abcdef", 2, 0},
		{"too short", "ab", 3, 0},
		{"characters, not bytes", "éàXéàY", 2, 4. / 6},
		{"empty", "", 3, 0},
	} {
		if got := Repeated([]string{c.sample}, c.k).Value; math.Abs(got-c.want) > 1e-15 {
			t.Errorf("%s: %q has %g, want %g", c.name, c.sample, got, c.want)
		}
	}
	// What only another sample has is not repeated.
	if got := Repeated([]string{"abc", "abc"}, 3).Value; got != 0 {
		t.Errorf("two equal samples without repetition have %g", got)
	}
}

// brute follows the definition: for every pair of places the longest common
// stretch that begins there.
func brute(sample, other []rune, k int, same bool) float64 {
	in := make([]bool, len(sample))
	for i := range sample {
		for j := range other {
			if same && i == j {
				continue
			}
			n := 0
			for i+n < len(sample) && j+n < len(other) && sample[i+n] == other[j+n] {
				n++
			}
			if n >= k {
				for at := i; at < i+n; at++ {
					in[at] = true
				}
			}
		}
	}
	covered := 0.
	for _, is := range in {
		if is {
			covered++
		}
	}
	return covered
}

func TestSharesFollowTheDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune("abé")), 0, 40, -1)
		sample, train, k := text.Draw(t, "sample"), text.Draw(t, "train"), rapid.IntRange(1, 6).Draw(t, "k")
		n := float64(max(1, len([]rune(sample))))
		if got, want := Repeated([]string{sample}, k).Value, brute([]rune(sample), []rune(sample), k, true)/n; math.Abs(got-want) > 1e-12 {
			t.Fatalf("repeated %g, by definition %g", got, want)
		}
		index := suffixarray.New([]byte(train))
		if got, want := Copied([]string{sample}, k, index).Value, brute([]rune(sample), []rune(train), k, false)/n; math.Abs(got-want) > 1e-12 {
			t.Fatalf("copied %g, by definition %g", got, want)
		}
	})
}

func TestEveryCharacterIsSeenOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOfN(rapid.Byte(), 0, 30).Draw(t, "bytes")) // not only UTF-8
		k := rapid.IntRange(1, 8).Draw(t, "k")
		all := Copied([]string{text}, k, suffixarray.New([]byte(text)))
		want := 0.
		if len([]rune(text)) >= k {
			want = 1
		}
		if all.Value != want {
			t.Fatalf("%q is copied from itself to %g, want %g", text, all.Value, want)
		}
		if got := slices.Collect(stretches(text, 1)); strings.Join(got, "") != text {
			t.Fatalf("stretches of one are %q", got)
		}
	})
}

// TestMemorisingShows: a table of 5-grams writes nothing of its own, and what is
// cut out of the text is copied whole.
func TestMemorisingShows(t *testing.T) {
	var b strings.Builder
	s := rng.New(1, "test", 0, 0)
	for range 4000 {
		b.WriteByte("abcdefgh "[s.IntN(9)])
	}
	j, err := New(b.String())
	if err != nil {
		t.Fatal(err)
	}
	cut, err := pieces(b.String(), 100, 10)
	if err != nil {
		t.Fatal(err)
	}
	g, err := NewGenerator(b.String(), 2)
	if err != nil {
		t.Fatal(err)
	}
	own := make([]string, 10)
	for i := range own {
		own[i] = g.Sample(&s, 100)
	}
	copied, err := j.Score(cut)
	if err != nil {
		t.Fatal(err)
	}
	written, err := j.Score(own)
	if err != nil {
		t.Fatal(err)
	}
	if copied.Copied.Value != 1 || written.Copied.Value != 0 {
		t.Errorf("copied %g of what is cut out and %g of what is written; want 1 and 0", copied.Copied.Value, written.Copied.Value)
	}
}

// TestStandardErrors draws the same kind of sample sets many times: the spread
// of a figure is what each set states.
func TestStandardErrors(t *testing.T) {
	const sets, n = 60, 40
	names := []string{"distinct-3", "distinct-4", "repeated", "entropy"}
	values, stated := make([][]float64, len(names)), make([]float64, len(names))
	for set := range sets {
		s := rng.New(7, "test", uint64(set), 0)
		samples, chars := make([]string, n), make([][]rune, n)
		for i := range samples {
			var b strings.Builder
			pool := 2 + s.IntN(4) // samples differ: words of one are alike
			for range 20 {
				b.WriteString(strings.Repeat(string(rune('a'+s.IntN(pool))), 1+s.IntN(4)))
				b.WriteByte(' ')
			}
			samples[i] = b.String()
			chars[i] = []rune(samples[i])
		}
		for k, e := range []Estimate{Distinct(samples, 3), Distinct(samples, 4), Repeated(samples, 8), entropy(chars)} {
			values[k] = append(values[k], e.Value)
			stated[k] += e.StdErr / sets
		}
	}
	for k, name := range names {
		var sum, squares float64
		for _, v := range values[k] {
			sum, squares = sum+v, squares+v*v
		}
		spread := math.Sqrt((squares - sum*sum/sets) / (sets - 1))
		t.Logf("%s: spread %.4g, stated %.4g", name, spread, stated[k])
		// The spread of sixty is itself uncertain by a tenth.
		if r := spread / stated[k]; !(r > .7 && r < 1.4) {
			t.Errorf("%s: spread %.4g over sets, stated error %.4g", name, spread, stated[k])
		}
	}
}

// table is a judge that asks a constant for every token.
type table struct{ err error }

func (table) Name() string { return "table" }

func (s table) NLL(_ context.Context, texts [][]int32) ([]float64, error) {
	out := make([]float64, len(texts))
	for i := range texts {
		out[i] = 3 * float64(len(texts[i]))
	}
	return out, s.err
}

func TestAsk(t *testing.T) {
	p, err := Ask(t.Context(), table{}, []string{"abcb", "abab"}, [][]int32{{1, 3}, {1, 1}})
	if err != nil {
		t.Fatal(err)
	}
	want := math.Log(4)/4 + math.Log(4./3)*3/4
	if p.Judge != "table" || p.Tokens != 4 || p.NLL != (Estimate{3, 0}) || p.PerChar != (Estimate{1.5, 0}) || math.Abs(p.Entropy.Value-want) > 1e-15 {
		t.Errorf("got %+v; want 4 tokens, 3 nats a token, 1.5 a character, entropy %v", p, want)
	}
	if _, err := Ask(t.Context(), table{}, []string{""}, [][]int32{nil}); err == nil {
		t.Error("samples without a token must be an error")
	}
	broken := errors.New("broken")
	if _, err := Ask(t.Context(), table{broken}, []string{"ab"}, [][]int32{{1}}); !errors.Is(err, broken) {
		t.Errorf("error %v, want the judge's own", err)
	}
}
