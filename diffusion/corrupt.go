package diffusion

import (
	"math"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

// Corrupt writes x = m·(x0 + t·ε), ε ~ N(0, I), for one sequence: x and x0 are
// [L, D], m is [L]. A deviate is drawn for given positions too, so that the
// noise of a position does not depend on the mask. x may be x0.
func Corrupt(x, x0, m []float32, t float64, noise *rng.Stream) {
	d := len(x) / len(m)
	for i, mask := range m {
		row, clean := x[i*d:(i+1)*d], x0[i*d:(i+1)*d]
		for k := range row {
			n := noise.Normal()
			if mask == 0 {
				row[k] = 0
				continue
			}
			row[k] = float32(float64(clean[k]) + t*n)
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
	d, width := s.D, 3*s.D+1
	for b, t := range s.T[:s.B] {
		scale := float32(InputScale(t))
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
}
