package diffusion

// Sight is what an observer of a Run sees of a step. Its slices are the run's
// own and change with the next step.
type Sight struct {
	Step  int       // from 0; the last, numbered Steps, reads the tokens off
	T     float64   // noise level at which the network was asked last
	U     float64   // its place on the clock, from 1 to 0
	Calls int       // of the network so far, for a sequence
	X0    []float32 // [B, L, D] the raw prediction x̂0; nil at the last step

	run *run
}

// Reader is a [Denoiser] that can say which tokens its last Denoise thought
// most probable, without running the network again.
type Reader interface {
	// Read writes the most probable token of every position and its probability,
	// both [B, L].
	Read(ids []int32, prob []float32)
}

// Tokens are the tokens that the network thinks most probable and their
// probabilities, both [B, L]; given positions have no meaning. They cost one
// multiplication by the head. Before the last step they are nil if the denoiser
// is no [Reader].
func (s Sight) Tokens() (ids []int32, prob []float32) {
	r := s.run
	if s.X0 != nil {
		reader, ok := r.d.(Reader)
		if !ok {
			return nil, nil
		}
		reader.Read(r.best, r.prob)
	}
	return r.best, r.prob
}
