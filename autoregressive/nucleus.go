package autoregressive

import (
	"cmp"
	"math"
	"slices"
)

// nucleus is the memory of drawing from a distribution of tokens.
type nucleus struct {
	p     []float64
	order []int32
}

func newNucleus(v int) nucleus { return nucleus{make([]float64, v), make([]int32, v)} }

// draw turns a number u in [0, 1) into a token of softmax(logits/temperature),
// cut to the fewest tokens that have a share of topP of the probability
// (Holtzman et al., "The curious case of neural text degeneration", arXiv
// 1904.09751, section 3.1). prob is the token's share of softmax(logits). A
// temperature of 0 gives the most probable token, the first among equals.
func (n *nucleus) draw(logits []float32, temperature, topP, u float64) (id int32, prob float64) {
	top, best := math.Inf(-1), int32(0)
	for i, z := range logits {
		if z := float64(z); z > top {
			top, best = z, int32(i)
		}
	}
	if temperature == 0 {
		id = best
	} else {
		id = n.choose(logits, top, temperature, topP, u)
	}
	var sum float64
	for _, z := range logits {
		sum += math.Exp(float64(z) - top)
	}
	return id, math.Exp(float64(logits[id])-top) / sum
}

// choose goes along the cumulative probability up to a share of u.
func (n *nucleus) choose(logits []float32, top, temperature, topP, u float64) int32 {
	p, order := n.p[:len(logits)], n.order[:len(logits)]
	var sum float64
	for i, z := range logits {
		p[i] = math.Exp((float64(z) - top) / temperature)
		sum += p[i]
		order[i] = int32(i)
	}
	if topP < 1 {
		slices.SortFunc(order, func(a, b int32) int { return cmp.Or(cmp.Compare(p[b], p[a]), cmp.Compare(a, b)) })
		var kept float64
		for k, id := range order {
			if kept += p[id]; kept >= topP*sum {
				order, sum = order[:k+1], kept
				break
			}
		}
	}
	left := u * sum
	for _, id := range order {
		if left -= p[id]; left < 0 {
			return id
		}
	}
	return order[len(order)-1] // u·sum was rounded up to the sum
}
