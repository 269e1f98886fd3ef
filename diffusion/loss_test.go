package diffusion

import (
	"math"
	"testing"

	"github.com/seed-4c77ef92/textwarp/embeddings"
	"github.com/seed-4c77ef92/textwarp/timewarp"
)

// student is the toy's posterior as a network that is trained in vain: it keeps
// the sum of what it should have minimised.
type student struct {
	*posteriorNet
	table *embeddings.Table
	total float64
}

func (n *student) Loss(ce []float32, targets []int32, weight []float32) {
	n.CE(ce, targets)
	for r, w := range weight {
		n.total += float64(w) * float64(ce[r])
	}
}

func (n *student) SquaredLoss(se, ce []float32, targets []int32, weight, table, dTable []float32) {
	n.CE(ce, targets)
	x0 := make([]float32, len(targets)*n.d)
	n.Interpolate(x0, nil, nil)
	for r, id := range targets {
		se[r] = 0
		for k, e := range n.table.Row(id) {
			diff := e - x0[r*n.d+k]
			se[r] += diff * diff
		}
		n.total += float64(weight[r]) * float64(se[r])
	}
}

func (n *student) Thin(float64, uint64, uint64, uint64) {}

func (n *student) Backward(dFeatures []float32) { clear(dFeatures) }

// TestLossesOverTheToy: with the exact posterior for a network, the likelihood
// loss is an unbiased estimate of the bound without its prior, 2.754 (see
// TestBoundOfExactPosterior), whatever the schedule; the cross-entropy is the
// mean of the toy's over the schedule.
func TestLossesOverTheToy(t *testing.T) {
	const steps, batch, l = 60, 32, 20
	for _, kind := range []string{timewarp.KindLogUniform, timewarp.KindKarras} {
		z := newToy(27, 16, 1)
		table, err := embeddings.New(27, 16, z.e, make([]float32, len(z.e)))
		if err != nil {
			t.Fatal(err)
		}
		table.Refresh()
		warp, err := timewarp.NewFixed(kind, .3, 50)
		if err != nil {
			t.Fatal(err)
		}
		net := &student{posteriorNet: &posteriorNet{toy: z}, table: table}
		c := NewCDCD(table, net, warp, CDCDOptions{
			Length: l, Batch: batch, MicroBatch: 8, Mask: "mixed", Loss: LossLikelihood, Seed: 2,
		})
		var ce float64
		for step := range steps {
			ce += c.Gradient(uint64(step), z.text(batch*l, uint64(step))).CE / steps
		}
		// 20,000 noisy tokens; the deviation of one is about 3.
		if got := net.total / steps; math.Abs(got-2.754) > .08 {
			t.Errorf("%s: likelihood loss %.3f, expected 2.754", kind, got)
		}

		net.total = 0
		c.o.Loss = LossCE
		for step := range steps {
			c.Gradient(uint64(step), z.text(batch*l, uint64(step)))
		}
		// The likelihood loss trains one sequence in 32 at t_min, where CE is 0.
		if got := net.total / steps * 31 / 32; math.Abs(got-ce) > .03 {
			t.Errorf("%s: cross-entropy %.3f, beside the likelihood loss %.3f", kind, got, ce)
		}
	}
}
