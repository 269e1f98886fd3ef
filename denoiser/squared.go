package denoiser

import (
	"math"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
)

// SquaredLoss is [Pass.Loss] for the squared error of the expected embedding
//
//	se = ‖e_y - x̂0‖²,  x̂0 = Σ p_i e_i
//
// with p = softmax(logits), e_i the rows of table [V, D] and y the target. It
// starts the gradient of Σ weight·se, adds that with respect to the table to
// dTable [V, D] unless that is nil, and writes se and the cross-entropy ce, both
// [b·l], of the positions with a weight. With Δ = -2 weight (e_y - x̂0) the
// gradients are
//
//	∂logit_i = p_i Δ·(e_i - x̂0),  ∂e_i = (p_i - [i = y]) Δ.
func (p *Pass) SquaredLoss(se, ce []float32, targets []int32, weight, table, dTable []float32) {
	n, d, v := p.net, p.net.config.EmbedDim, p.net.config.Vocab
	p.startLoss()
	clear(se[:p.b*p.l])
	clear(ce[:p.b*p.l])
	// The logits' memory holds p in its first half and Δ·e_i in the second.
	half := max(1, p.chunk/2)
	for left := p.choose(weight); len(left) > 0; {
		var at []int32
		at, left = split(left, half)
		y := p.logitsOf(at)
		prob, along := p.logits[:len(at)*v], p.logits[half*v:]
		n.pool.SoftmaxRows(prob, len(at), v)
		x0 := p.chosen.x0[:len(at)*d]
		n.pool.MatMul(x0, prob, table, len(at), d, v, kernels.Op{})
		p.squared = squared{prob: prob, along: along, inside: p.chosen.ce, v: v}
		for i, r := range at {
			target, delta := int(targets[r]), x0[i*d:(i+1)*d]
			ce[r] = float32(-math.Log(max(float64(prob[i*v+target]), math.SmallestNonzeroFloat32)))
			se[r], p.squared.inside[i] = turn(delta, table[target*d:(target+1)*d], weight[r])
			if dTable != nil {
				for k, g := range delta {
					dTable[target*d+k] -= g
				}
			}
		}
		if dTable != nil {
			n.pool.MatMul(dTable, prob, x0, v, d, len(at), kernels.Op{TransA: true, Accumulate: true})
		}
		n.pool.MatMul(along, x0, table, len(at), v, d, kernels.Op{TransB: true})
		n.pool.Run(len(at), &p.squared)
		p.squared = squared{}
		p.leaveLoss(at, y)
	}
}

// turn replaces x̂0 by Δ and returns the squared error and Δ·x̂0.
func turn(x0, target []float32, weight float32) (se, inside float32) {
	var sum, product float64
	for k, x := range x0 {
		diff := float64(target[k]) - float64(x)
		delta := -2 * float64(weight) * diff
		sum += diff * diff
		product += delta * float64(x)
		x0[k] = float32(delta)
	}
	return float32(sum), float32(product)
}

// squared is the task of turning probabilities into the gradient of the logits,
// position by position.
type squared struct {
	prob, along []float32 // [rows, V] p_i, Δ·e_i
	inside      []float32 // [rows] Δ·x̂0
	v           int
}

// Do implements kernels.Task.
func (s *squared) Do(i int) {
	prob, along, inside := s.prob[i*s.v:(i+1)*s.v], s.along[i*s.v:(i+1)*s.v], s.inside[i]
	for k := range prob {
		prob[k] *= along[k] - inside
	}
}
