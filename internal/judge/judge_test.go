package judge

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

func TestProbabilitiesSumToOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune("abc é")), MaxOrder, 80, -1).Draw(t, "text")
		order := rapid.IntRange(1, MaxOrder).Draw(t, "order")
		m, err := Train(text, order)
		if err != nil {
			t.Fatal(err)
		}
		context := []rune(rapid.StringOfN(rapid.RuneFrom([]rune("abc éX")), 0, 6, -1).Draw(t, "context"))
		const unknown = 'Z'
		sum := m.Prob(context, unknown)
		for _, r := range m.Alphabet() {
			sum += m.Prob(context, r)
		}
		if math.Abs(sum-1) > 1e-12 {
			t.Fatalf("order %d, context %q: probabilities sum to %v", order, string(context), sum)
		}
	})
}

// TestByHand follows the recursion on a text whose counts fit on a napkin:
// "abab" has the bigrams ab (twice) and ba (once), so n1 = n2 = 1 and D = 1/3;
// the unigram level counts one predecessor each for a and b, so n2 = 0 there
// and D = 1/2. p0 = 1/3 for a, b and unknown.
func TestByHand(t *testing.T) {
	m, err := Train("abab", 2)
	if err != nil {
		t.Fatal(err)
	}
	p1 := (1-.5)/2 + .5*2/2*(1./3)     // p(b) = p(a)
	want := (2-1./3)/2 + (1./3)*1/2*p1 // p(b|a)
	if got := m.Prob([]rune("a"), 'b'); math.Abs(got-want) > 1e-15 {
		t.Errorf("p(b|a) = %v, want %v", got, want)
	}
	if got := m.Prob([]rune("z"), 'b'); math.Abs(got-p1) > 1e-15 {
		t.Errorf("p(b|unseen context) = %v, want the unigram %v", got, p1)
	}
}

func TestWords(t *testing.T) {
	for _, c := range []struct {
		name, sample string
		want         []string
	}{
		{"ends dropped", "alf the King's men cam", []string{"the", "king's", "men"}},
		{"quotes are not part of a word", "so 'tis 'good' ' he", []string{"tis", "good"}},
		{"other letters", "ab Größe, été. x", []string{"größe", "été"}},
		{"nothing left", "one two", []string{}},
		{"empty", "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := wholeWords(c.sample); !slices.Equal(got, c.want) {
				t.Errorf("wholeWords(%q) = %q, want %q", c.sample, got, c.want)
			}
		})
	}
}

func TestScore(t *testing.T) {
	j, err := New("the cat sat on the mat; the cat sat on the hat")
	if err != nil {
		t.Fatal(err)
	}
	s, err := j.Score([]string{"x the cat zzzz mat y", "aabb"})
	if err != nil {
		t.Fatal(err)
	}
	if s.Words != 4 || s.Known.Value != .75 || s.LongWords != 1 || s.KnownLong.Value != 0 {
		t.Errorf("words %d known %g, long %d known %g; want 4 .75, 1 0", s.Words, s.Known.Value, s.LongWords, s.KnownLong.Value)
	}
	same, err := j.Score([]string{"the cat sat on"})
	if err != nil || same.NLL.Value >= s.NLL.Value {
		t.Errorf("the training text has nll %g (%v), nonsense %g", same.NLL.Value, err, s.NLL.Value)
	}
	if _, err := j.Score([]string{"abc"}); err == nil {
		t.Error("a sample without a scored character must be an error")
	}
}

func TestEntropy(t *testing.T) {
	if got, want := entropy([][]rune{[]rune("ab"), []rune("cd")}).Value, math.Log(4); math.Abs(got-want) > 1e-15 {
		t.Errorf("entropy of four equal characters = %v, want ln 4 = %v", got, want)
	}
	if got := entropy([][]rune{[]rune("aaaa")}); got != (Estimate{}) {
		t.Errorf("entropy of one character = %v", got)
	}
}

func TestGeneratorStaysOnTheText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune("abc é")), MaxOrder+1, 60, -1).Draw(t, "text")
		order := rapid.IntRange(1, MaxOrder).Draw(t, "order")
		g, err := NewGenerator(text, order)
		if err != nil {
			t.Fatal(err)
		}
		s := rng.New(rapid.Uint64().Draw(t, "seed"), "test", 0, 0)
		got := g.Sample(&s, 40)
		if n := utf8.RuneCountInString(got); n != 40 {
			t.Fatalf("%d characters, want 40", n)
		}
		head := string([]rune(got)[:order])
		if !strings.Contains(text, head) && !strings.HasSuffix(text, string([]rune(got)[:order-1])) {
			t.Fatalf("%q begins with an n-gram that %q has not", got, text)
		}
	})
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		text  string
		order int
	}{{"abcdef", 0}, {"abcdef", MaxOrder + 1}, {"", 1}, {"abc", 4}} {
		if _, err := Train(c.text, c.order); err == nil {
			t.Errorf("Train(%q, %d) must fail", c.text, c.order)
		}
		if _, err := NewGenerator(c.text, c.order); err == nil {
			t.Errorf("NewGenerator(%q, %d) must fail", c.text, c.order)
		}
	}
	if _, _, err := Ladder("abcdefgh", "short", 1); err == nil {
		t.Error("a held-out text without a single piece must be refused")
	}
}

// TestLadderOnShakespeare compares with an independent Python implementation
// that was run on the same split: the held-out figures to all printed digits,
// the sampled columns within four standard errors of its 400 samples.
func TestLadderOnShakespeare(t *testing.T) {
	b, err := os.ReadFile("../../testdata/tinyshakespeare/input.txt")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the demo corpus is not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	cut := len(b) * 9 / 10
	rungs, _, err := Ladder(string(b[:cut]), string(b[cut:]), 1)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct{ heldOut, nll, h, word, word4 float64 }{
		{3.347, 5.48, 3.30, .166, .004},
		{2.484, 4.13, 3.31, .264, .041},
		{2.045, 2.90, 3.32, .443, .192},
		{1.729, 1.83, 3.31, .718, .536},
		{1.579, 1.24, 3.31, .903, .833},
		{0, 1.56, 3.34, .947, .904},
	}
	for i, w := range want {
		r := rungs[i]
		if math.Abs(r.HeldOut-w.heldOut) > .0006 {
			t.Errorf("%s: held-out %.4f, want %.3f", r.Name, r.HeldOut, w.heldOut)
		}
		s := r.Score
		if math.Abs(s.NLL.Value-w.nll) > .05 || math.Abs(s.Entropy.Value-w.h) > .03 {
			t.Errorf("%s: nll %.3f H %.3f, want %.2f %.2f", r.Name, s.NLL.Value, s.Entropy.Value, w.nll, w.h)
		}
		if math.Abs(s.Known.Value-w.word) > 4*s.Known.StdErr*math.Sqrt2 || math.Abs(s.KnownLong.Value-w.word4) > 4*s.KnownLong.StdErr*math.Sqrt2+.002 {
			t.Errorf("%s: words %.3f %.3f, want %.3f %.3f", r.Name, s.Known.Value, s.KnownLong.Value, w.word, w.word4)
		}
	}
}

func BenchmarkSurprise(b *testing.B) {
	text := strings.Repeat("It was the best of times, it was the worst of times. ", 200)
	m, err := Train(text, MaxOrder)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		m.CrossEntropy(text)
	}
}
