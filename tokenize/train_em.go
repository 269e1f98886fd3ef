package tokenize

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"
)

// pieceModel is a Unigram model in training (Kudo 2018): pieces of words and how
// likely each is. A word's likelihood is the sum over all ways to spell it.
type pieceModel struct {
	pieces []string
	scores []float64 // logarithms of the probabilities
	probs  []float64
	trie   *trie
}

// newPieceModel makes pieces as likely as they are numerous.
func newPieceModel(pieces []string, numbers []float64) *pieceModel {
	m := &pieceModel{pieces: pieces, scores: make([]float64, len(pieces)), trie: newPieceTrie(pieces)}
	sum := 0.0
	for _, n := range numbers {
		sum += n
	}
	for i, n := range numbers {
		m.scores[i] = math.Log(n) - math.Log(sum)
	}
	m.setProbs()
	return m
}

func (m *pieceModel) setProbs() {
	m.probs = make([]float64, len(m.scores))
	for i, s := range m.scores {
		m.probs[i] = math.Exp(s)
	}
}

// fraction is the unit in which expected numbers are summed. Sums of integers do not
// depend on their order, so nothing depends on who computes which.
const fraction = 1.0 / (1 << 24)

// expect returns how often each piece is expected in the words, of all their
// spellings by how likely they are: the E step.
func (m *pieceModel) expect(w *words) []float64 {
	return m.sum(w, func(l *lattice, word []byte, n int64, numbers []int64) {
		l.spell(m, word)
		l.expect(m, float64(n), numbers)
	}, fraction)
}

// best returns how often each piece stands in the likeliest spellings of the words.
func (m *pieceModel) best(w *words) []float64 {
	return m.sum(w, func(l *lattice, word []byte, n int64, numbers []int64) {
		l.spell(m, word)
		for _, piece := range l.best(m, -1) {
			numbers[piece] += n
		}
	}, 1)
}

// sum adds up numbers by piece over all words, on all cores.
func (m *pieceModel) sum(w *words, add func(l *lattice, word []byte, n int64, numbers []int64), unit float64) []float64 {
	const share = 1 << 10
	var next atomic.Int64
	var wg sync.WaitGroup
	sums := make([][]int64, runtime.GOMAXPROCS(0))
	for worker := range sums {
		wg.Go(func() {
			numbers := make([]int64, len(m.pieces))
			var l lattice
			for from := next.Add(share) - share; from < int64(w.len()); from = next.Add(share) - share {
				for i := from; i < min(from+share, int64(w.len())); i++ {
					add(&l, w.at(int(i)), w.counts[i], numbers)
				}
			}
			sums[worker] = numbers
		})
	}
	wg.Wait()
	out := make([]float64, len(m.pieces))
	for i := range out {
		total := int64(0)
		for _, numbers := range sums {
			total += numbers[i]
		}
		out[i] = float64(total) * unit
	}
	return out
}

// rarestExpected is the expected number below which a piece is dropped.
const rarestExpected = 0.5

// improve is one EM iteration. Instead of the relative frequency a piece gets
// exp(digamma(number)) over that of the sum, which takes from the rare and gives to
// nobody: a sparse prior (Liang and Klein 2007). Pieces that are hardly expected are
// dropped if drop says so, characters never.
func (m *pieceModel) improve(w *words, drop bool) *pieceModel {
	expected := m.expect(w)
	sum := 0.0
	kept := 0
	for i, n := range expected {
		if n < rarestExpected {
			if drop && !isCharacter(m.pieces[i]) {
				continue
			}
			n = rarestExpected
		}
		m.pieces[kept], expected[kept] = m.pieces[i], n
		kept++
		sum += n
	}
	out := &pieceModel{pieces: m.pieces[:kept], scores: make([]float64, kept), trie: m.trie}
	if kept < len(expected) {
		out.trie = newPieceTrie(out.pieces)
	}
	for i, n := range expected[:kept] {
		out.scores[i] = digamma(n) - digamma(sum)
	}
	out.setProbs()
	return out
}

// digamma is the derivative of log gamma: by its recurrence up to 7, then by its
// asymptotic series (Abramowitz and Stegun 6.3.5, 6.3.18).
func digamma(x float64) float64 {
	shift := 0.0
	for ; x < 7; x++ {
		shift -= 1 / x
	}
	y := 1 / (x * x)
	return shift + math.Log(x) - 1/(2*x) - y*(1.0/12-y*(1.0/120-y*(1.0/252-y/240)))
}

func newPieceTrie(pieces []string) *trie { return newTrie(&vocabulary{tokens: pieces, n: len(pieces)}) }
