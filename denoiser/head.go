package denoiser

import "github.com/seed-4c77ef92/textwarp/internal/kernels"

// Loss writes the cross-entropy -ln p(target) in nats of every position with a
// weight other than 0, and 0 of the others, ce [b·l], and starts the gradient of
// Σ weight·ce: it adds to the head's gradients and leaves the rest to Backward.
// Several losses of one Forward add up. Positions without weight cost nothing;
// targets lie in [0, V) at the others.
func (p *Pass) Loss(ce []float32, targets []int32, weight []float32) {
	n := p.net
	p.startLoss()
	clear(ce[:p.b*p.l])
	for left := p.choose(weight); len(left) > 0; {
		var at []int32
		at, left = split(left, p.chunk)
		y := p.logitsOf(at)
		for i, r := range at {
			p.chosen.targets[i], p.chosen.weight[i] = targets[r], weight[r]
		}
		n.pool.SoftmaxCE(p.chosen.ce, p.logits, p.chosen.targets, p.chosen.weight, len(at), n.config.Vocab)
		p.leaveLoss(at, y)
		for i, r := range at {
			ce[r] = p.chosen.ce[i]
		}
	}
}

// startLoss makes room for the gradient of the losses of one Forward.
func (p *Pass) startLoss() {
	if p.grad == nil {
		panic("denoiser: Loss on a pass that cannot go backward")
	}
	if !p.lossed {
		clear(p.grad.hidden[:p.b*p.l*p.net.config.Width])
	}
	p.lossed = true
}

// leaveLoss takes the gradient of the logits of some positions, in logits, to
// the last norm's output y, gathered by logitsOf.
func (p *Pass) leaveLoss(at []int32, y []float32) {
	n, w := p.net, p.net.config.Width
	dy := p.wide[p.rows*w:]
	n.head.backward(n.pool, dy, p.logits, y, len(at), kernels.Op{})
	for i, r := range at {
		to, from := p.grad.hidden[int(r)*w:(int(r)+1)*w], dy[i*w:]
		for k := range to {
			to[k] += from[k]
		}
	}
}

// CE writes the cross-entropy of every position in nats, ce [b·l], and starts no
// gradient.
func (p *Pass) CE(ce []float32, targets []int32) {
	for left := p.choose(nil); len(left) > 0; {
		var at []int32
		at, left = split(left, p.chunk)
		p.logitsOf(at)
		from := at[0]
		p.net.pool.SoftmaxCE(ce[from:], p.logits, targets[from:], nil, len(at), p.net.config.Vocab)
	}
}

// Logits writes the logits of every position, logits [b·l, V].
func (p *Pass) Logits(logits []float32) {
	rows := p.b * p.l
	p.net.head.forward(p.net.pool, logits, p.final.y[:rows*p.net.config.Width], rows, kernels.Op{})
}

// Interpolate writes the expected embedding x0 [b·l, D] = softmax(logits) E, for a
// table E [V, D], of every position at which m [b·l] is not 0, or of all if m is
// nil: the estimate from which score interpolation gets the score (arXiv
// 2211.15089, section 3.2). It leaves the other positions of x0 as they are.
func (p *Pass) Interpolate(x0, table, m []float32) {
	n, d, v := p.net, p.net.config.EmbedDim, p.net.config.Vocab
	for left := p.choose(m); len(left) > 0; {
		var at []int32
		at, left = split(left, p.chunk)
		p.logitsOf(at)
		n.pool.SoftmaxRows(p.logits, len(at), v)
		n.pool.MatMul(p.chosen.x0, p.logits, table, len(at), d, v, kernels.Op{})
		for i, r := range at {
			copy(x0[int(r)*d:(int(r)+1)*d], p.chosen.x0[i*d:])
		}
	}
}

// Predict writes the most probable token of every position and its probability,
// both [b·l].
func (p *Pass) Predict(ids []int32, prob []float32) {
	for left := p.choose(nil); len(left) > 0; {
		var at []int32
		at, left = split(left, p.chunk)
		p.logitsOf(at)
		from := at[0]
		p.net.pool.ArgmaxRows(ids[from:], prob[from:], p.logits, len(at), p.net.config.Vocab)
	}
}

// chosen is what the head works on: positions, and numbers of theirs gathered
// for one chunk.
type chosen struct {
	at         []int32 // [rows]
	targets    []int32 // [chunk]
	weight, ce []float32
	x0         []float32 // [chunk, D]
}

func (p *Pass) newChosen() chosen {
	p.bytes += 4 * (p.rows + p.chunk)
	return chosen{
		at: make([]int32, p.rows), targets: make([]int32, p.chunk),
		weight: p.take(p.chunk), ce: p.take(p.chunk), x0: p.take(p.chunk * p.net.config.EmbedDim),
	}
}

// choose returns the positions of the last Forward where m is not 0, or all.
func (p *Pass) choose(m []float32) []int32 {
	at := p.chosen.at[:0]
	for r := range p.b * p.l {
		if m == nil || m[r] != 0 {
			at = append(at, int32(r))
		}
	}
	return at
}

// split cuts off positions for which there is room.
func split(left []int32, room int) (at, rest []int32) {
	n := min(room, len(left))
	return left[:n], left[n:]
}

// logitsOf computes the logits of some positions and returns the rows of y that
// they come from, gathered in memory that is free between Forward and Backward.
func (p *Pass) logitsOf(at []int32) (y []float32) {
	w := p.net.config.Width
	y = p.final.y[int(at[0])*w:]
	if int(at[len(at)-1]-at[0]) != len(at)-1 { // not one after another
		y = p.wide
		for i, r := range at {
			copy(y[i*w:(i+1)*w], p.final.y[int(r)*w:])
		}
	}
	p.net.head.forward(p.net.pool, p.logits, y, len(at), kernels.Op{})
	if p.ban != nil {
		for i, r := range at {
			for _, token := range p.ban[r] {
				p.logits[i*p.net.config.Vocab+int(token)] = forbidden
			}
		}
	}
	return y
}
