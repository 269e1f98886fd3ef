package tokenize

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// spellings calls do for every way to spell word.
func spellings(m *pieceModel, word string, path []int32, do func(path []int32)) {
	if word == "" {
		do(path)
		return
	}
	for i, piece := range m.pieces {
		if rest, ok := strings.CutPrefix(word, piece); ok {
			spellings(m, rest, append(path, int32(i)), do)
		}
	}
}

func drawModel(t *rapid.T) *pieceModel {
	pieces := []string{"a", "b", "é"}
	pieces = append(pieces, rapid.SliceOfNDistinct(rapid.StringOfN(rapid.SampledFrom([]rune("abé")), 2, 4, -1), 1, 12, rapid.ID[string]).Draw(t, "pieces")...)
	numbers := make([]float64, len(pieces))
	for i := range numbers {
		numbers[i] = rapid.Float64Range(0.01, 100).Draw(t, "number")
	}
	return newPieceModel(pieces, numbers)
}

func TestExpect(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawModel(t)
		word := rapid.StringOfN(rapid.SampledFrom([]rune("abé")), 1, 9, -1).Draw(t, "word")
		table := newWordTable()
		table.add(word, 3)
		want, all := make([]float64, len(m.pieces)), 0.0
		best, likeliest := math.Inf(-1), []int32(nil)
		spellings(m, word, nil, func(path []int32) {
			score := 0.0
			for _, p := range path {
				score += m.scores[p]
			}
			all += math.Exp(score)
			for _, p := range path {
				want[p] += 3 * math.Exp(score)
			}
			if score > best {
				best, likeliest = score, slices.Clone(path)
			}
		})
		for i, n := range m.expect(&table.words) {
			if math.Abs(n-want[i]/all) > 1e-6 {
				t.Fatalf("%q is expected %v times, want %v", m.pieces[i], n, want[i]/all)
			}
		}
		var l lattice
		l.spell(m, []byte(word))
		got := 0.0
		for _, p := range l.best(m, -1) {
			got += m.scores[p]
		}
		if math.Abs(got-best) > 1e-9 {
			t.Fatalf("the best spelling has score %v, want %v of %v", got, best, likeliest)
		}
	})
}

// The likelihood of a long word is far below the smallest float64.
func TestExpectLongWord(t *testing.T) {
	m := newPieceModel([]string{"a", "b", "ab", "c"}, []float64{1, 1, 1, 1e6})
	table := newWordTable()
	table.add(strings.Repeat("ab", 2000)+strings.Repeat("c", 90), 2)
	n := m.expect(&table.words)
	// "ab" has likelihood p as one piece, p*p as two: 2000 independent choices.
	p := m.probs[0]
	one := 1 / (1 + p)
	for i, want := range []float64{4000 * (1 - one), 4000 * (1 - one), 4000 * one, 180} {
		if math.Abs(n[i]-want) > 1e-3 {
			t.Errorf("%q is expected %v times, want %v", m.pieces[i], n[i], want)
		}
	}
}

func TestDigamma(t *testing.T) {
	// Abramowitz and Stegun 6.3.2 and 6.3.3: minus Euler's constant, and that minus 2 ln 2.
	const euler = 0.57721566490153286
	for x, want := range map[float64]float64{1: -euler, 0.5: -euler - 2*math.Ln2, 2: 1 - euler} {
		if got := digamma(x); math.Abs(got-want) > 1e-9 {
			t.Errorf("digamma(%v) is %v, want %v", x, got, want)
		}
	}
}

// The pieces depend neither on the order of the documents nor on the number of cores.
func TestTrainUnigramDeterministic(t *testing.T) {
	docs := strings.SplitAfter(corpus(t), "\n")
	var first *pieceModel
	for cores := 1; cores <= 4; cores++ {
		old := runtime.GOMAXPROCS(cores)
		counted, err := countWords(slices.Values(docs), unigramWords(t))
		if err != nil {
			t.Fatal(err)
		}
		m := learnPieces(withinAlphabet(counted, alphabetOf(counted, 1000)), 300)
		runtime.GOMAXPROCS(old)
		if first == nil {
			first = m
		}
		if !slices.Equal(m.pieces, first.pieces) || !slices.Equal(m.scores, first.scores) {
			t.Fatalf("%d cores learn other pieces than one", cores)
		}
		rand.New(rand.NewPCG(1, uint64(cores))).Shuffle(len(docs), func(i, j int) { docs[i], docs[j] = docs[j], docs[i] })
	}
}

func TestLearnPieces(t *testing.T) {
	counted, err := countWords(slices.Values([]string{corpus(t)}), unigramWords(t))
	if err != nil {
		t.Fatal(err)
	}
	alphabet := alphabetOf(counted, 1000)
	counted = withinAlphabet(counted, alphabet)
	for _, size := range []int{2 * len(alphabet), 300, 500} {
		m := learnPieces(counted, size)
		if len(m.pieces) != size {
			t.Errorf("%d pieces, want %d", len(m.pieces), size)
		}
		sum := 0.0
		for i, p := range m.probs {
			if math.IsNaN(p) || p <= 0 {
				t.Errorf("%q has probability %v", m.pieces[i], p)
			}
			sum += p
		}
		if sum > 1 {
			t.Errorf("probabilities sum to %v", sum)
		}
		for _, r := range alphabet {
			if !slices.Contains(m.pieces, string(r)) {
				t.Errorf("size %d: no piece for %q", size, r)
			}
		}
	}
}

func unigramWords(t *testing.T) splitter {
	t.Helper()
	split, err := unigramFrame.split()
	if err != nil {
		t.Fatal(err)
	}
	return split
}
