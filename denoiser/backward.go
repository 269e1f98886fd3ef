package denoiser

import "github.com/seed-4c77ef92/textwarp/internal/kernels"

// Backward carries the gradient of the losses since the last Forward through the
// network: it adds to the gradients of the parameters, if the network has any,
// and writes that of the features, dFeatures [b·l, 3D+1], unless it is nil. It
// panics if there was no Loss.
func (p *Pass) Backward(dFeatures []float32) {
	if !p.lossed {
		panic("denoiser: Backward without a Loss since Forward")
	}
	n, g, rows := p.net, p.grad, p.b*p.l

	clear(g.time[:p.b*timeWidth])
	clear(g.x[:rows*n.config.Width])
	p.clearPlanes()
	p.backwardNorm(&p.final, p.stream, g.hidden, 0)
	p.backwardModulation(&n.finalMod)
	for i := len(n.blocks) - 1; i >= 0; i-- {
		p.clearPlanes()
		p.restore(i)
		p.backwardBlock(i)
		p.backwardModulation(&n.blocks[i].mod)
	}
	n.input.backward(n.pool, dFeatures, g.x, p.features, rows, kernels.Op{})
	p.backwardTime()
	p.lossed = false
}

// restore works out again the activations of a block that were not kept.
func (p *Pass) restore(i int) {
	if p.keep == keepAll || p.held == i {
		return
	}
	p.modulate(&p.net.blocks[i].mod, &p.layers[i].first, &p.layers[i].second)
	p.forwardBlock(i, nil)
	p.held = i
}

// backwardBlock turns the gradient of the stream after block i, in g.x, into
// that of the stream before it. The residual paths need no work: the gradients
// of the branches are added to what is there. The gradient of y takes y's place
// as soon as y has served, and so for GELU(up).
func (p *Pass) backwardBlock(i int) {
	c, pool, g, rows := p.net.config, p.net.pool, p.grad, p.b*p.l
	n, a := &p.net.blocks[i], &p.layers[i]

	pool.Gelu(p.wide[:rows*c.MLP], a.up[:rows*c.MLP])
	p.drop(p.wide, c.MLP, i, hiddenUnits)
	n.down.backward(pool, p.wide, g.x, p.wide, rows, kernels.Op{GeluGrad: a.up})
	p.drop(p.wide, c.MLP, i, hiddenUnits)
	p.forwardNorm(&a.second, a.mid)
	n.up.backward(pool, p.y, p.wide, p.y, rows, kernels.Op{})
	p.backwardNorm(&a.second, a.mid, p.y, 2)

	n.out.backward(pool, p.y, g.x, a.attended, rows, kernels.Op{})
	pool.AttentionBackward(p.wide, p.y, a.attended, a.lse, a.qkv, p.b, p.l, c.Heads, c.headDim(), c.Causal)
	pool.Rope(p.wide, p.cos, p.sin, p.b, p.l, c.Heads, c.headDim(), true)
	p.forwardNorm(&a.first, a.x)
	p.drop(p.y, c.Width, i, attentionInput)
	n.qkv.backward(pool, p.y, p.wide, p.y, rows, kernels.Op{})
	p.drop(p.y, c.Width, i, attentionInput)
	p.backwardNorm(&a.first, a.x, p.y, 0)
}

// backwardNorm adds the gradient of a norm's input to g.x and those of its γ and
// β to two planes.
func (p *Pass) backwardNorm(a *normActivations, x, dy []float32, plane int) {
	g := p.grad
	p.net.pool.LayerNormModBackward(g.x, g.planes[plane], g.planes[plane+1], dy, x, a.mean, a.rstd, a.scale,
		p.b, p.l, p.net.config.Width)
}

func (p *Pass) clearPlanes() {
	for _, plane := range p.grad.planes {
		clear(plane)
	}
}

// backwardModulation takes the planes' gradients of γ and β through their
// projection, the reverse of modulate.
func (p *Pass) backwardModulation(mod *linear) {
	if !p.net.train {
		return
	}
	w := p.net.config.Width
	for i := range p.b {
		row := p.mod[i*mod.out : (i+1)*mod.out]
		for k := range mod.out / w {
			copy(row[k*w:(k+1)*w], p.grad.planes[k][i*w:])
		}
	}
	mod.backward(p.net.pool, p.grad.time, p.mod, p.time.outGelu, p.b, kernels.Op{Accumulate: true})
}

// backwardTime ends at the time features: noise levels have no gradient.
func (p *Pass) backwardTime() {
	if !p.net.train {
		return
	}
	n, a, g, size := p.net, &p.time, p.grad, p.b*timeWidth
	n.pool.GeluBackward(g.time[:size], g.time[:size], a.out[:size])
	n.timeOut.backward(n.pool, g.timeIn, g.time, a.inGelu, p.b, kernels.Op{GeluGrad: a.in})
	n.timeIn.backward(n.pool, nil, g.timeIn, a.waves, p.b, kernels.Op{})
}
