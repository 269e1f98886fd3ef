package denoiser

import "github.com/seed-4c77ef92/textwarp/internal/kernels"

// Loss writes the cross-entropy -ln p(target) of every position in nats, ce
// [b·l], and starts the gradient of Σ weight·ce: it adds to the head's gradients
// and leaves the rest to Backward. Several losses of one Forward add up. A
// weight of 0 leaves a position out of the gradient; targets lie in [0, V)
// everywhere.
func (p *Pass) Loss(ce []float32, targets []int32, weight []float32) {
	if p.grad == nil {
		panic("denoiser: Loss on a pass that does not train")
	}
	n, w := p.net, p.net.config.Width
	for from, rows := range p.chunks {
		weight := weight[from : from+rows]
		p.logitsOf(from, rows)
		n.pool.SoftmaxCE(ce[from:from+rows], p.logits, targets[from:from+rows], weight, rows, n.config.Vocab)
		hidden := p.grad.hidden[from*w : (from+rows)*w]
		if anyNonZero(weight) {
			n.head.backward(n.pool, hidden, p.logits, p.final.y[from*w:], rows, kernels.Op{Accumulate: p.lossed})
		} else if !p.lossed {
			clear(hidden)
		}
	}
	p.lossed = true
}

// CE writes the cross-entropy of every position in nats, ce [b·l], and starts no
// gradient.
func (p *Pass) CE(ce []float32, targets []int32) {
	for from, rows := range p.chunks {
		p.logitsOf(from, rows)
		p.net.pool.SoftmaxCE(ce[from:from+rows], p.logits, targets[from:from+rows], nil, rows, p.net.config.Vocab)
	}
}

// Interpolate writes the expected embedding of every position,
// x0 [b·l, D] = softmax(logits) E for a table E [V, D]: the estimate from which
// score interpolation gets the score (arXiv 2211.15089, section 3.2).
func (p *Pass) Interpolate(x0, table []float32) {
	n, d, v := p.net, p.net.config.EmbedDim, p.net.config.Vocab
	for from, rows := range p.chunks {
		p.logitsOf(from, rows)
		n.pool.SoftmaxRows(p.logits, rows, v)
		n.pool.MatMul(x0[from*d:(from+rows)*d], p.logits, table, rows, d, v, kernels.Op{})
	}
}

// Predict writes the most probable token of every position and its probability,
// both [b·l].
func (p *Pass) Predict(ids []int32, prob []float32) {
	for from, rows := range p.chunks {
		p.logitsOf(from, rows)
		p.net.pool.ArgmaxRows(ids[from:from+rows], prob[from:from+rows], p.logits, rows, p.net.config.Vocab)
	}
}

// chunks yields the rows of the last Forward in ranges (from, rows) for which
// there is room in logits. It is an iter.Seq2[int, int].
func (p *Pass) chunks(yield func(from, rows int) bool) {
	for from, end := 0, p.b*p.l; from < end; from += p.chunk {
		if !yield(from, min(p.chunk, end-from)) {
			return
		}
	}
}

// logitsOf computes the logits of some rows.
func (p *Pass) logitsOf(from, rows int) {
	w := p.net.config.Width
	p.net.head.forward(p.net.pool, p.logits, p.final.y[from*w:], rows, kernels.Op{})
}

func anyNonZero(x []float32) bool {
	for _, v := range x {
		if v != 0 {
			return true
		}
	}
	return false
}
