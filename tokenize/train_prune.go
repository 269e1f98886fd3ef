package tokenize

import (
	"math"
	"runtime"
	"slices"
	"sync"
	"unicode/utf8"
)

const (
	shrinkTo      = 0.75 // of the pieces stay when the least useful are dropped
	iterations    = 2    // of EM between two prunings
	surplus       = 1.1  // times the size wanted, where the last pruning begins
	dropRareAbove = 2    // times the size wanted, where rare pieces may just go
)

// learnPieces learns a Unigram model of at most size pieces, one of them each
// character of the words: from many pieces, by EM, to the ones whose loss would cost
// most likelihood (Kudo 2018, 3.2).
func learnPieces(w *words, size int) *pieceModel {
	m := newPieceModel(seedPieces(w))
	wanted := int(surplus * float64(size))
	for {
		for range iterations {
			m = m.improve(w, len(m.pieces) > dropRareAbove*wanted)
		}
		if len(m.pieces) <= wanted {
			break
		}
		m = m.prune(w, max(wanted, int(shrinkTo*float64(len(m.pieces)))))
	}
	if len(m.pieces) > size {
		m = m.prune(w, size)
		for range iterations {
			m = m.improve(w, false)
		}
	}
	return m
}

// prune keeps the characters and, up to size pieces, those without which the words
// would be least likely.
func (m *pieceModel) prune(w *words, size int) *pieceModel {
	losses := m.losses(m.best(w))
	order := make([]int32, len(m.pieces))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		switch {
		case losses[a] > losses[b]:
			return -1
		case losses[a] < losses[b]:
			return 1
		}
		return int(a - b)
	})
	order = order[:size]
	slices.Sort(order)
	out := &pieceModel{pieces: make([]string, size), scores: make([]float64, size)}
	for i, piece := range order {
		out.pieces[i], out.scores[i] = m.pieces[piece], m.scores[piece]
	}
	out.setProbs()
	out.trie = newPieceTrie(out.pieces)
	return out
}

// losses estimates how much the logarithm of the likelihood of all words falls when a
// piece is taken away, and each of its numbers goes to the pieces that spell it best
// without it. For characters, which nothing else spells, it is infinite.
func (m *pieceModel) losses(numbers []float64) []float64 {
	total := 0.0
	for _, n := range numbers {
		total += n
	}
	losses := make([]float64, len(m.pieces))
	workers := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			var l lattice
			for i := worker; i < len(losses); i += workers {
				losses[i] = m.loss(&l, int32(i), numbers, total)
			}
		})
	}
	wg.Wait()
	return losses
}

func (m *pieceModel) loss(l *lattice, piece int32, numbers []float64, total float64) float64 {
	if isCharacter(m.pieces[piece]) {
		return math.Inf(1)
	}
	n := numbers[piece]
	if n == 0 {
		return 0
	}
	l.spell(m, []byte(m.pieces[piece]))
	spelling := l.best(m, piece)
	loss := math.Log(n) - math.Log(total)
	after := math.Log(total + n*float64(len(spelling)-1))
	for _, p := range spelling {
		loss -= math.Log(numbers[p]+n) - after
	}
	return n * loss
}

func isCharacter(piece string) bool {
	_, n := utf8.DecodeRuneInString(piece)
	return n == len(piece)
}
