package diffusion

import (
	"math"
	"slices"
	"testing"

	"github.com/seed-4c77ef92/textwarp/embeddings"
	"github.com/seed-4c77ef92/textwarp/timewarp"
)

// posteriorNet is the toy behind the Network interface: it undoes the input
// scale and reads x out of the features, as a trained network would have to.
type posteriorNet struct {
	*toy
	rows [][]float32 // posterior of every row of the last Forward
}

func (n *posteriorNet) Forward(b, l int, features []float32, t []float64) {
	width, x := 3*n.d+1, make([]float32, n.d)
	n.rows = n.rows[:0]
	for r := range b * l {
		level := t[r/l]
		for k := range x {
			x[k] = features[r*width+k] * float32(math.Sqrt(level*level+1))
		}
		n.posterior(x, level)
		n.rows = append(n.rows, append([]float32(nil), n.p...))
	}
}

func (n *posteriorNet) Thin(float64, uint64, uint64, uint64) {}

func (n *posteriorNet) Loss([]float32, []int32, []float32) { panic("nothing is trained here") }
func (n *posteriorNet) Backward([]float32)                 { panic("nothing is trained here") }

func (n *posteriorNet) SquaredLoss(_, _ []float32, _ []int32, _, _, _ []float32) {
	panic("nothing is trained here")
}

func (n *posteriorNet) CE(ce []float32, targets []int32) {
	for r, id := range targets {
		ce[r] = float32(-math.Log(float64(n.rows[r][id])))
	}
}

func (n *posteriorNet) Interpolate(x0, _, _ []float32) {
	for r, p := range n.rows {
		copy(n.p, p)
		n.interpolate(x0[r*n.d : (r+1)*n.d])
	}
}

func (n *posteriorNet) Predict(ids []int32, prob []float32) {
	for r, p := range n.rows {
		prob[r] = 0
		for i, v := range p {
			if v > prob[r] {
				ids[r], prob[r] = int32(i), v
			}
		}
	}
}

// newToyCDCD is the objective over the toy, with the toy's own embeddings.
func newToyCDCD(t *testing.T, batch, length int) (*CDCD, *toy) {
	t.Helper()
	z := newToy(27, 16, 1)
	table, err := embeddings.New(27, 16, z.e, nil)
	if err != nil {
		t.Fatal(err)
	}
	table.Refresh()
	warp, err := timewarp.NewFixed(timewarp.KindKarras, .3, 50)
	if err != nil {
		t.Fatal(err)
	}
	return NewCDCD(table, &posteriorNet{toy: z}, warp, CDCDOptions{
		Length: length, Batch: batch, MicroBatch: batch, Mask: "mixed", SelfConditioning: .5,
	}), z
}

// TestObjectiveOverTheToy: with the exact posterior for a network, the whole
// path of lookup, corruption, features and interpolation must give the toy's
// cross-entropy, its bound and its text.
func TestObjectiveOverTheToy(t *testing.T) {
	const l = 50
	c, z := newToyCDCD(t, 80, l)
	ids := z.text(80*l, 6)

	ce, m := make([]float32, len(ids)), make([]float32, len(ids))
	fill(m, 1)
	c.CrossEntropy(ce, ids, m, 2, 0, 0)
	// 1.413 in the table of TestCrossEntropyOfExactPosterior; 4,000 tokens of
	// deviation 1.3 have a standard error of .02, another table .03.
	if got := mean(ce); math.Abs(got-1.413) > .1 {
		t.Errorf("CE(2) %.3f, expected 1.413", got)
	}

	bound, err := EvaluateBound(t.Context(), c, newCurve(z, .3, 50), ids, BoundOptions{Length: l, Dim: 16, Batch: 80, Draws: 5})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("bound %.3f ± %.3f, expected 2.757", bound.Nats, bound.StdErr)
	if math.Abs(bound.Nats-2.757) > 3*bound.StdErr {
		t.Errorf("bound %.3f ± %.3f, expected 2.757", bound.Nats, bound.StdErr)
	}

	st := NewState(80, l, 16)
	out, prob := make([]int32, 80*l), make([]float32, 80*l)
	s := plain(c.Warp, 20)
	s.SelfCondition = true
	ids, share := make([]int32, len(out)), make([]float32, len(out))
	observe := func(o Sight) {
		if o.Step != 12 {
			return
		}
		c.Denoise(st, make([]float32, len(st.X))) // whatever was read before
		got, gotShare := o.Tokens()
		if c.Decode(st, ids, share); !slices.Equal(got, ids) || !slices.Equal(gotShare, share) {
			t.Error("the tokens read after a prediction are not those that a call of their own gives")
		}
	}
	if err := s.Run(t.Context(), c, st, out, prob, observe); err != nil {
		t.Fatal(err)
	}
	// Counting noise of 4,000 tokens is about .03.
	if tv := variation(frequencies(out, 27), z.prior); tv > .045 {
		t.Errorf("total variation %.3f of samples through the objective", tv)
	}
}
