package diffusion

import "github.com/seed-4c77ef92/textwarp/timewarp"

// The losses that CDCD can be trained with. Whatever the loss, the warp is shown
// cross-entropies.
const (
	// LossCE is the mean cross-entropy over the noisy positions, each noise level
	// counting as often as the warp draws it (Dieleman et al. 2022).
	LossCE = "ce"
	// LossLikelihood is an unbiased estimate of the likelihood bound (see
	// [EvaluateBound]) of the noisy positions: cross-entropy at the lowest noise
	// level, for which the first sequence of every step is taken, and t⁻³‖x0 - x̂0‖²
	// over the density of t at the others (Plaid, Gulrajani and Hashimoto 2023,
	// arXiv 2305.18619). The squared error teaches the network alone, and the
	// cross-entropy the embeddings too: else these would become all alike, which
	// makes the squared error zero, before the network has learned anything.
	LossLikelihood = "likelihood"
	// LossSquared is the mean of ‖x0 - x̂0‖², which embeddings that are all alike
	// make zero. It is here to show that.
	LossSquared = "squared"
)

// loss has the network start the gradient of the sequences in the state, of
// which the first is number first of the step, and writes the cross-entropy of
// the noisy positions. noisy counts those of the whole step. It returns how many
// of the positions teach the embeddings by what the network sees.
func (c *CDCD) loss(ce []float32, ids []int32, first, noisy int) (teach int) {
	weight, st := c.weight[:len(ids)], &c.state
	if c.o.Loss == "" || c.o.Loss == LossCE {
		for r, m := range st.M {
			weight[r] = m / float32(noisy)
		}
		c.Net.Loss(ce, ids, weight)
		return len(ids)
	}
	anchor, se := 0, c.se[:len(ids)]
	scale := func(float64) float64 { return 1 / float64(noisy) }
	if c.o.Loss == LossLikelihood {
		if first == 0 {
			anchor = st.L
		}
		others := float64(noisy - c.anchored)
		scale = func(t float64) float64 { return 1 / (t * t * t * timewarp.TrainDensity(c.Warp, t) * others) }
	}
	for i, t := range st.T {
		w := float32(scale(t))
		for r := i * st.L; r < (i+1)*st.L; r++ {
			weight[r] = w * st.M[r]
		}
	}
	clear(weight[:anchor])
	if c.o.Loss == LossLikelihood {
		c.Net.SquaredLoss(se, ce, ids, weight, c.Table.E, nil)
	} else {
		clear(c.dTable)
		c.Net.SquaredLoss(se, ce, ids, weight, c.Table.E, c.dTable)
		c.Table.AccumulateTable(c.dTable)
	}
	if anchor > 0 {
		clear(weight)
		for r := range anchor {
			weight[r] = st.M[r] / float32(c.anchored)
		}
		c.Net.Loss(se, ids, weight)
		copy(ce[:anchor], se[:anchor])
	}
	if c.o.Loss == LossLikelihood {
		return anchor
	}
	return len(ids)
}
