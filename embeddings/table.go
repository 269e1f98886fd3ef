package embeddings

import (
	"fmt"
	"math"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

// InitStd is the standard deviation of the raw rows at the start. It is small on
// purpose: a short row turns far with every step of the optimiser, so that the
// directions are soon learned rather than drawn (arXiv 2211.15089, section 6).
const InitStd = 0.001

// Table is a vocabulary of V embeddings of dimension D. It is not safe for
// concurrent use, except for reading between calls of Refresh.
type Table struct {
	V, D int
	W    []float32 // [V, D] raw rows, the parameters
	G    []float32 // [V, D] their gradient; nil for inference
	E    []float32 // [V, D] used rows, √D·W/‖W‖; stale until Refresh

	// Free leaves the rows as long as they are, E = W, to show what the norm
	// prevents: under cross-entropy they grow, under a squared error they shrink
	// (arXiv 2211.15089, section 3.3).
	Free bool

	scale    []float64 // [V] √D/‖W_i‖; 0 for a row without a direction
	upstream []float32 // [V, D] gradient with respect to E since the last Backward
	touched  []int32   // rows of upstream that are not zero, in order of first use
	seen     []bool    // [V] membership of touched
}

// New makes a table over the caller's memory: w and g are [v, d], g is nil when
// no gradient is wanted. Fill w, by Init or from a checkpoint, and call Refresh
// before anything else.
func New(v, d int, w, g []float32) (*Table, error) {
	if v < 1 || d < 1 {
		return nil, fmt.Errorf("make embedding table: %d tokens of dimension %d: both must be positive", v, d)
	}
	if len(w) != v*d {
		return nil, fmt.Errorf("make embedding table: %d raw values for [%d, %d]", len(w), v, d)
	}
	t := &Table{V: v, D: d, W: w, E: make([]float32, v*d), scale: make([]float64, v)}
	if g == nil {
		return t, nil
	}
	if len(g) != v*d {
		return nil, fmt.Errorf("make embedding table: %d gradient values for [%d, %d]", len(g), v, d)
	}
	t.G = g
	t.upstream = make([]float32, v*d)
	t.touched = make([]int32, 0, v)
	t.seen = make([]bool, v)
	return t, nil
}

// Init draws the raw rows from N(0, InitStd²) and refreshes.
func (t *Table) Init(seed uint64) {
	initial(t.W, seed)
	t.Refresh()
}

// initial writes the raw rows that Init(seed) gives.
func initial(w []float32, seed uint64) {
	s := rng.New(seed, "init.embeddings", 0, 0)
	s.FillNormal(w)
	for i := range w {
		w[i] *= InitStd
	}
}

// Stretch multiplies the raw rows, which changes how fast they turn, and how
// long they are if they are free.
func (t *Table) Stretch(factor float64) {
	for i := range t.W {
		t.W[i] *= float32(factor)
	}
	t.Refresh()
}

// Refresh recomputes E from W. Call it after every change of W. A row of zeros
// has no direction; (1, ..., 1) stands for it, without a gradient.
func (t *Table) Refresh() {
	if t.Free {
		copy(t.E, t.W)
		return
	}
	root := math.Sqrt(float64(t.D))
	for i := range t.V {
		w, e := t.W[i*t.D:(i+1)*t.D], t.E[i*t.D:(i+1)*t.D]
		r := norm(w)
		if r == 0 {
			t.scale[i] = 0
			for k := range e {
				e[k] = 1
			}
			continue
		}
		t.scale[i] = root / r
		for k, v := range w {
			e[k] = float32(t.scale[i] * float64(v))
		}
	}
}

// Row is e_i, a view of E.
func (t *Table) Row(id int32) []float32 {
	return t.E[int(id)*t.D : (int(id)+1)*t.D]
}

// Lookup copies the embeddings of ids to dst [len(ids), D].
func (t *Table) Lookup(dst []float32, ids []int32) {
	for n, id := range ids {
		copy(dst[n*t.D:(n+1)*t.D], t.Row(id))
	}
}

// Accumulate adds dE [len(ids), D], the gradient of the loss with respect to the
// embeddings of ids as Lookup gave them. Rows are added in the order of ids.
func (t *Table) Accumulate(ids []int32, dE []float32) {
	for n, id := range ids {
		if !t.seen[id] {
			t.seen[id] = true
			t.touched = append(t.touched, id)
		}
		sum := t.upstream[int(id)*t.D : (int(id)+1)*t.D]
		for k, g := range dE[n*t.D : (n+1)*t.D] {
			sum[k] += g
		}
	}
}

// AccumulateTable adds dE [V, D], the gradient of the loss with respect to E.
func (t *Table) AccumulateTable(dE []float32) {
	for id := range t.V {
		t.Accumulate([]int32{int32(id)}, dE[id*t.D:(id+1)*t.D])
	}
}

// Backward adds to G the gradient of what was accumulated, carried through the
// normalisation: with n = W/‖W‖ and upstream g,
//
//	∂W = √D/‖W‖ · (g - n (n·g)).
//
// What was accumulated is cleared. W must not have changed since Refresh.
func (t *Table) Backward() {
	for _, id := range t.touched {
		lo, hi := int(id)*t.D, (int(id)+1)*t.D
		e, g, out := t.E[lo:hi], t.upstream[lo:hi], t.G[lo:hi]
		// n (n·g) = e (e·g) / D, since e = √D n.
		along, scale := dot(e, g)/float64(t.D), t.scale[id]
		if t.Free {
			along, scale = 0, 1
		}
		for k, v := range g {
			out[k] += float32(scale * (float64(v) - along*float64(e[k])))
		}
		clear(g)
		t.seen[id] = false
	}
	t.touched = t.touched[:0]
}

// dot is the inner product in float64.
func dot(a, b []float32) (sum float64) {
	for k, v := range a {
		sum += float64(v) * float64(b[k])
	}
	return sum
}

// norm is the Euclidean norm in float64, where no float32 overflows.
func norm(a []float32) float64 { return math.Sqrt(dot(a, a)) }
