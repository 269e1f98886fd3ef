package denoiser

import "math"

// Forbid leaves tokens out of the distributions of the last Forward, ban [b·l]
// lists them for each position. The list may not be the whole vocabulary.
func (p *Pass) Forbid(ban [][]int32) { p.ban = ban }

// forbidden is so low a logit that its token has no share of the softmax.
const forbidden = -1e30

// LogProbs writes ln p(class) of every position, dst [b·l, K]: the probability
// that its token is one of a class, for each of K classes.
func (p *Pass) LogProbs(dst []float32, classes [][]int32) {
	v, n := p.net.config.Vocab, len(classes)
	for left := p.choose(nil); len(left) > 0; {
		var at []int32
		at, left = split(left, p.chunk)
		p.logitsOf(at)
		p.net.pool.SoftmaxRows(p.logits, len(at), v)
		for i, r := range at {
			for k, class := range classes {
				dst[int(r)*n+k] = float32(math.Log(share(p.logits[i*v:(i+1)*v], class)))
			}
		}
	}
}

// share is the probability of a class, and a little more, which keeps its
// logarithm and its inverse within float32.
func share(p []float32, class []int32) float64 {
	sum := 1e-30
	for _, token := range class {
		sum += float64(p[token])
	}
	return sum
}

// Raise starts the gradient of Σ weight·ln p(class) over positions and classes,
// weight [b·l, K], as [Pass.Loss] does for its own sum. Positions without weight
// cost nothing.
func (p *Pass) Raise(classes [][]int32, weight []float32) {
	n, v, k := p.net, p.net.config.Vocab, len(classes)
	p.startLoss()
	for left := p.weighted(weight, k); len(left) > 0; {
		var at []int32
		at, left = split(left, p.chunk)
		y := p.logitsOf(at)
		n.pool.SoftmaxRows(p.logits, len(at), v)
		for i, r := range at {
			p.raise(p.logits[i*v:(i+1)*v], classes, weight[int(r)*k:(int(r)+1)*k])
		}
		p.leaveLoss(at, y)
	}
}

// raise puts the gradient of Σ w ln p(class) with respect to the logits in the
// place of p: of each class, its tokens' shares of it less p.
func (p *Pass) raise(prob []float32, classes [][]int32, weight []float32) {
	var sum float32
	for _, w := range weight {
		sum += w
	}
	factor := p.grad.share
	for i := range factor {
		factor[i] = -sum
	}
	for k, class := range classes {
		if weight[k] == 0 {
			continue
		}
		f := float32(float64(weight[k]) / share(prob, class))
		for _, token := range class {
			factor[token] += f
		}
	}
	for i := range prob {
		prob[i] *= factor[i]
	}
}

// weighted returns the positions at which any of k weights is not 0.
func (p *Pass) weighted(weight []float32, k int) []int32 {
	at := p.chosen.at[:0]
	for r := range p.b * p.l {
		for _, w := range weight[r*k : (r+1)*k] {
			if w != 0 {
				at = append(at, int32(r))
				break
			}
		}
	}
	return at
}
