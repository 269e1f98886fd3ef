package diffusion

import (
	"math"

	"github.com/seed-4c77ef92/textwarp/embeddings"
	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

// Corrupt writes x = m·(x0 + t·ε), ε ~ N(0, I), for one sequence: x and x0 are
// [L, D], m is [L]. The deviates of given positions are passed over, so that the
// noise of a position does not depend on the mask. x may be x0.
func Corrupt(x, x0, m []float32, t float64, noise *rng.Stream) {
	d := len(x) / len(m)
	var buffer [256]float64
	for i, mask := range m {
		row, clean := x[i*d:(i+1)*d], x0[i*d:(i+1)*d]
		if mask == 0 {
			clear(row)
			noise.SkipNormal(d)
			continue
		}
		for k := 0; k < d; k += len(buffer) {
			e := buffer[:min(len(buffer), d-k)]
			noise.FillNormal64(e)
			for j, e := range e {
				row[k+j] = float32(float64(clean[k+j]) + t*e)
			}
		}
	}
}

// InputScale is 1/√(t²+1), which gives a noised embedding unit variance
// (Karras et al. 2022, arXiv 2206.00364, table 1, with σ_data = 1).
func InputScale(t float64) float64 { return 1 / math.Sqrt(t*t+1) }

// Features writes what the network sees of a state to dst [B·L, 3D+1]: the
// noised embedding times [InputScale], the condition, the mask and the last
// guess of every position, one after another.
func Features(dst []float32, s *State) {
	for b := range s.B {
		s.features(dst, b)
	}
}

// features writes those of sequence b.
func (s *State) features(dst []float32, b int) {
	d, width := s.D, 3*s.D+1
	scale := float32(InputScale(s.T[b]))
	for r := b * s.L; r < (b+1)*s.L; r++ {
		out := dst[r*width : (r+1)*width]
		for k, v := range s.X[r*d : (r+1)*d] {
			out[k] = scale * v
		}
		copy(out[d:2*d], s.C[r*d:(r+1)*d])
		out[2*d] = s.M[r]
		copy(out[2*d+1:], s.P[r*d:(r+1)*d])
	}
}

// inputs is the task of [Features].
type inputs struct {
	dst   []float32
	state State
}

// Do does one sequence.
func (w *inputs) Do(b int) { w.state.features(w.dst, b) }

// corruption is the task of filling X and C of a state from its masks and levels
// and the tokens, and of clearing the guess P.
type corruption struct {
	state   State
	table   *embeddings.Table
	ids     []int32
	seed    uint64
	purpose string
	i, j    uint64
}

// Do does one sequence.
func (w *corruption) Do(b int) {
	st, l, d := &w.state, w.state.L, w.state.D
	m, x, c := st.M[b*l:(b+1)*l], st.X[b*l*d:(b+1)*l*d], st.C[b*l*d:(b+1)*l*d]
	w.table.Lookup(c, w.ids[b*l:(b+1)*l])
	noise := rng.New(w.seed, w.purpose, w.i, w.j+uint64(b))
	Corrupt(x, c, m, st.T[b], &noise)
	for r, m := range m {
		if m != 0 {
			clear(c[r*d : (r+1)*d])
		}
	}
	clear(st.P[b*l*d : (b+1)*l*d])
}
