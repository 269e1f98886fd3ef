package timewarp

import (
	"fmt"
	"math"
)

const (
	// gridNodes is the number of nodes in ln t, 5 % apart in t on [0.1, 50].
	gridNodes = 128
	// memories is the length of the ladder from slow to fast.
	memories = 4
	// longestMemory is what the slowest memory looks back on, in observations,
	// once the run is long; each next one looks back half as far.
	longestMemory = 32000
	// shortestMemory keeps the fast memories from forgetting faster than a
	// curve can be measured at all.
	shortestMemory = 500
)

// memory holds decayed sums over the observations near each node. Memory k of
// the ladder gives observation i of n about the weight (i/n)^p, p = 2^(k+1) - 1,
// so that its mean age is n/(p+2): a third of the run for the slowest, a
// seventeenth for the fastest.
type memory struct {
	W  []float64 `json:"w"`   // sum of weights w
	W2 []float64 `json:"w2"`  // of w^2
	Y  []float64 `json:"wy"`  // of w * loss
	Q  []float64 `json:"wyy"` // of w * loss^2
}

func newMemory() memory {
	mk := func() []float64 { return make([]float64, gridNodes) }
	return memory{W: mk(), W2: mk(), Y: mk(), Q: mk()}
}

// age makes the memory, rung k of the ladder, forget a little before b new
// observations enter, the last of the n so far.
func (m *memory) age(k int, b, n float64) {
	p := math.Exp2(float64(k+1)) - 1
	horizon := longestMemory / math.Exp2(float64(k))
	forget := min(max(p*b/n, b/horizon), b/shortestMemory, 1)
	keep := 1 - forget
	for i := range m.W {
		m.W[i] *= keep
		m.W2[i] *= keep * keep
		m.Y[i] *= keep
		m.Q[i] *= keep
	}
}

// add enters an observation at grid coordinate x, 0 to gridNodes-1, split
// between the two nodes around it so that its place is kept to first order.
func (m *memory) add(x, weight, loss float64) {
	g := min(max(int(x), 0), gridNodes-2)
	right := x - float64(g)
	m.put(g, weight*(1-right), weight, loss)
	m.put(g+1, weight*right, weight, loss)
}

func (m *memory) put(g int, share, weight, loss float64) {
	m.W[g] += share
	m.W2[g] += share * weight
	m.Y[g] += share * loss
	m.Q[g] += share * loss * loss
}

// effective is the number of equally weighted observations worth as much.
func (m *memory) effective() float64 {
	var w, w2 float64
	for i := range m.W {
		w += m.W[i]
		w2 += m.W2[i]
	}
	return w * w / w2
}

// mean is the mean loss remembered.
func (m *memory) mean() float64 {
	var w, y float64
	for i := range m.W {
		w += m.W[i]
		y += m.Y[i]
	}
	return y / w
}

func (m *memory) check(k int) error {
	for name, sums := range map[string][]float64{"w": m.W, "w2": m.W2, "wy": m.Y, "wyy": m.Q} {
		if err := checkSums(fmt.Sprintf("memory %d, %s", k, name), sums, gridNodes); err != nil {
			return err
		}
	}
	return nil
}
