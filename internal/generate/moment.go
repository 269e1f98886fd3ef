package generate

import "github.com/seed-4c77ef92/textwarp/diffusion"

// Moment is a batch of texts at one step on their way from noise.
type Moment struct {
	Canvas      Canvas
	First       int // number of the first text
	Texts       int
	Step, Steps int     // from 0 to Steps, where the text is read off
	T           float64 // noise level
	U           float64 // its place on the clock, from 1 to 0
	Calls       int     // of the network so far, for each text

	sight diffusion.Sight
}

// Tokens are the tokens that the network thinks most probable at this moment and
// their probabilities, both [Texts, L]. Given ones are as the canvas has them,
// with probability 1.
func (m Moment) Tokens() (ids []int32, prob []float32) {
	l := len(m.Canvas.IDs)
	ids, prob = make([]int32, m.Texts*l), make([]float32, m.Texts*l)
	best, share := m.sight.Tokens()
	copy(ids, best)
	copy(prob, share)
	for i := range m.Texts {
		for j, noisy := range m.Canvas.Noisy {
			if !noisy {
				ids[i*l+j], prob[i*l+j] = m.Canvas.IDs[j], 1
			}
		}
	}
	return ids, prob
}
