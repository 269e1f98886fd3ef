package denoiser

import (
	"math"
	"slices"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

// squaredErrors are ‖e_y - x̂0‖² of all positions.
func (r *reference) squaredErrors(p problem, features, table []float64) []float64 {
	var out []float64
	size, d := r.c.Features(), r.c.EmbedDim
	for s := range p.b {
		var rows [][]float64
		for i := s * p.l; i < (s+1)*p.l; i++ {
			rows = append(rows, features[i*size:(i+1)*size])
		}
		for i, z := range r.logits(rows, p.t[s]) {
			var sum float64
			for _, z := range z {
				sum += math.Exp(z)
			}
			rest := slices.Clone(table[int(p.targets[s*p.l+i])*d:][:d])
			for j, z := range z {
				for k := range rest {
					rest[k] -= math.Exp(z) / sum * table[j*d+k]
				}
			}
			var se float64
			for _, v := range rest {
				se += v * v
			}
			out = append(out, se)
		}
	}
	return out
}

// The gradients of the squared error agree with central differences of the
// float64 network: of every tensor, of the features and of the table; with room
// for all logits at once and for a few.
func TestSquaredLossAgainstFiniteDifferences(t *testing.T) {
	for name, chunk := range map[string]int{"at once": 10, "in parts": 5, "one by one": 1} {
		t.Run(name, func(t *testing.T) {
			c := small
			p := newProblem(c, 2, 5)
			params, grads := lively(c), make([]float32, c.NumParams())
			pool := kernels.NewPool(2)
			t.Cleanup(pool.Close)
			n, err := New(c, params, grads, pool)
			if err != nil {
				t.Fatal(err)
			}
			table := make([]float32, c.Vocab*c.EmbedDim)
			s := rng.New(4, "table", 0, 0)
			s.FillNormal(table)
			dTable, dFeatures := make([]float32, len(table)), make([]float32, len(p.features))
			se, ce := make([]float32, 10), make([]float32, 10)
			pass := n.NewPass(2, 5, true)
			pass.chunk = chunk
			pass.Forward(2, 5, p.features, p.t)
			pass.SquaredLoss(se, ce, p.targets, p.weight, table, dTable)
			pass.Backward(dFeatures)

			r, features, wide := newReference(c, params), widen(p.features), widen(table)
			loss := func() (sum float64) {
				for i, se := range r.squaredErrors(p, features, wide) {
					sum += float64(p.weight[i]) * se
				}
				return sum
			}
			wantSE, wantCE := r.squaredErrors(p, features, wide), r.losses(p, features)
			for i, w := range p.weight {
				if w == 0 { // left out
					wantSE[i], wantCE[i] = 0, 0
				}
			}
			if e := max(distance(widen(se), wantSE), distance(widen(ce), wantCE)); !(e < tolerance) {
				t.Errorf("the losses are %.1e from the float64 network's", e)
			}
			check := func(name string, x []float64, grad []float32) {
				if e := compare(x, grad, loss); !(e < tolerance) {
					t.Errorf("%s: gradient is %.1e from finite differences", name, e)
				}
			}
			check("features", features, dFeatures)
			check("table", wide, dTable)
			for _, q := range c.Params() {
				if q.Name != "time.frequencies" {
					check(q.Name, r.p[q.Name], grads[q.Offset:q.Offset+q.Len()])
				}
			}
		})
	}
}
