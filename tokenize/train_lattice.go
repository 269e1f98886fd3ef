package tokenize

import (
	"math"
	"slices"
)

// lattice holds the pieces that one word can be spelt with, by where they stand. It is
// used again for the next word.
type lattice struct {
	edges    []latticeEdge // by where they begin
	forward  []likelihood  // by position: the likelihood of all spellings up to there
	backward []likelihood  // and from there on
	scores   []float64     // by position: of the likeliest spelling up to there
	came     []int32       // by position: the edge that it ends with
	path     []int32
}

type latticeEdge struct {
	from, to uint32
	piece    int32
}

// spell finds the edges of a word.
func (l *lattice) spell(m *pieceModel, word []byte) {
	l.edges = l.edges[:0]
	for from := 0; from < len(word); from++ {
		at := root
		for to := from; to < len(word); to++ {
			if at = m.trie.step(at, word[to]); at < 0 {
				break
			}
			if piece := m.trie.states[at].value; piece >= 0 {
				l.edges = append(l.edges, latticeEdge{uint32(from), uint32(to + 1), piece})
			}
		}
	}
	l.forward = slices.Grow(l.forward[:0], len(word)+1)[:len(word)+1]
	l.backward = slices.Grow(l.backward[:0], len(word)+1)[:len(word)+1]
	l.scores = slices.Grow(l.scores[:0], len(word)+1)[:len(word)+1]
	l.came = slices.Grow(l.came[:0], len(word)+1)[:len(word)+1]
}

// expect adds to numbers, in units of fraction, how often each piece is expected in n
// such words (the forward-backward algorithm).
func (l *lattice) expect(m *pieceModel, n float64, numbers []int64) {
	clear(l.forward)
	clear(l.backward)
	last := len(l.forward) - 1
	l.forward[0], l.backward[last] = likelihood{value: 1}, likelihood{value: 1}
	for _, e := range l.edges {
		l.forward[e.from].normalize()
		l.forward[e.to].add(l.forward[e.from].times(m.probs[e.piece]))
	}
	for _, e := range slices.Backward(l.edges) {
		l.backward[e.to].normalize()
		l.backward[e.from].add(l.backward[e.to].times(m.probs[e.piece]))
	}
	all := l.forward[last]
	all.normalize()
	if all.value == 0 {
		return
	}
	for _, e := range l.edges {
		f, b := l.forward[e.from], l.backward[e.to]
		share := f.value * m.probs[e.piece] * b.value / all.value
		if power := f.power + b.power - all.power; power != 0 {
			share = math.Ldexp(share, -power*scaleBits)
		}
		numbers[e.piece] += int64(share*n/fraction + 0.5)
	}
}

// best returns the pieces of the likeliest spelling, the last first, of those that do
// without one piece; -1 leaves none out. It is empty if there is none.
func (l *lattice) best(m *pieceModel, without int32) []int32 {
	for i := range l.came {
		l.scores[i], l.came[i] = math.Inf(-1), -1
	}
	l.scores[0] = 0
	for i, e := range l.edges {
		if s := l.scores[e.from] + m.scores[e.piece]; e.piece != without && s > l.scores[e.to] {
			l.scores[e.to], l.came[e.to] = s, int32(i)
		}
	}
	l.path = l.path[:0]
	for at := uint32(len(l.came) - 1); at > 0; {
		if l.came[at] < 0 {
			return nil
		}
		e := l.edges[l.came[at]]
		l.path = append(l.path, e.piece)
		at = e.from
	}
	return l.path
}

// likelihood is value / 2^(scaleBits * power): likelihoods of long words are too small for
// a float64.
type likelihood struct {
	value float64
	power int
}

const scaleBits = 256

// normalize keeps the value where it can be multiplied by a few probabilities.
func (s *likelihood) normalize() {
	for s.value != 0 && s.value < 1.0/(1<<64) {
		s.value, s.power = s.value*math.Ldexp(1, scaleBits), s.power+1
	}
}

func (s likelihood) times(p float64) likelihood { return likelihood{s.value * p, s.power} }

// add adds t, and takes the smaller power of the two.
func (s *likelihood) add(t likelihood) {
	switch {
	case s.value == 0:
		*s = t
	case s.power == t.power:
		s.value += t.value
	case s.power < t.power:
		s.value += math.Ldexp(t.value, (s.power-t.power)*scaleBits)
	default:
		s.value, s.power = math.Ldexp(s.value, (t.power-s.power)*scaleBits)+t.value, t.power
	}
}
