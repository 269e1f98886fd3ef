package diffusion

import "fmt"

// State is a batch of B sequences of L positions on their way from noise to
// text. Matrices are row-major, sequence after sequence.
//
// At a given position (mask 0) C holds the token's embedding and X and P are
// zero; at a noisy one (mask 1) X holds the noised embedding, P the last guess
// of the clean one and C is zero. A Denoiser reads the state and never writes
// it.
type State struct {
	B, L, D int
	X       []float32 // [B, L, D] noised embeddings, of variance t²+1 a component
	C       []float32 // [B, L, D] condition: clean embeddings of given tokens
	P       []float32 // [B, L, D] self-conditioning: a former x̂0, or zero
	M       []float32 // [B, L] 0 given, 1 noisy
	T       []float64 // [B] noise level: standard deviation of the noise in X

	// Ban lists for each position [B·L] the tokens that it cannot have; nil bans
	// nothing.
	Ban [][]int32
}

// NewState makes a state in which every position is noisy, X, C and P are zero
// and the noise levels are not set.
func NewState(b, l, d int) *State {
	s := &State{
		B: b, L: l, D: d,
		X: make([]float32, b*l*d), C: make([]float32, b*l*d), P: make([]float32, b*l*d),
		M: make([]float32, b*l), T: make([]float64, b),
	}
	for i := range s.M {
		s.M[i] = 1
	}
	return s
}

// check tells whether every part has the shape that B, L and D say.
func (s *State) check() error {
	n := s.B * s.L
	if s.B < 1 || s.L < 1 || s.D < 1 || len(s.M) != n || len(s.T) != s.B ||
		len(s.X) != n*s.D || len(s.C) != n*s.D || len(s.P) != n*s.D || s.Ban != nil && len(s.Ban) != n {
		return fmt.Errorf("state of %d sequences of %d positions in %d dimensions has x %d, c %d, p %d, m %d, t %d values",
			s.B, s.L, s.D, len(s.X), len(s.C), len(s.P), len(s.M), len(s.T))
	}
	return nil
}

// Denoiser guesses clean text from a state. The network is one; the exact
// posterior of a known distribution, which the tests use, is another.
type Denoiser interface {
	// Denoise writes x̂0 = Σ_i p(e_i | x) e_i of every noisy position to x0
	// [B, L, D]; what it leaves at the given ones has no meaning.
	Denoise(s *State, x0 []float32)
	// Decode writes the most probable token of every position and its
	// probability, both [B, L].
	Decode(s *State, ids []int32, prob []float32)
}

// Schedule maps u in [0, 1] to a noise level, growing from t_min to t_max.
// Every timewarp.Warp is one.
type Schedule interface {
	Quantile(u float64) float64
}
