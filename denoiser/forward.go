package denoiser

import (
	"fmt"
	"math"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
)

// Forward runs the network on b sequences of l positions, rows one after
// another: features [b·l, 3D+1] and a noise level t > 0 for each sequence, t [b].
// The features are kept by reference until the next Forward. It panics if the
// sequences exceed the pass.
func (p *Pass) Forward(b, l int, features []float32, t []float64) {
	if b < 1 || l < 1 || b > p.maxB || b*l > p.rows {
		panic(fmt.Sprintf("denoiser: %d sequences of length %d in a pass for %d and %d positions", b, l, p.maxB, p.rows))
	}
	n, rows := p.net, b*l
	p.b, p.l, p.features, p.lossed, p.ban = b, l, features[:rows*n.config.Features()], false, nil
	p.thin, p.next = p.next, thinning{}

	p.embedTime(t[:b])
	n.input.forward(n.pool, p.after(-1), features, rows, kernels.Op{})
	for i := range n.blocks {
		p.modulate(&n.blocks[i].mod, &p.layers[i].first, &p.layers[i].second)
		p.forwardBlock(i, p.after(i))
	}
	p.held = len(n.blocks) - 1
	p.modulate(&n.finalMod, &p.final)
	p.forwardNorm(&p.final, p.stream)
}

// after is the residual stream that block i leaves; block -1 is the input.
func (p *Pass) after(i int) []float32 {
	if i+1 < len(p.layers) {
		return p.layers[i+1].x
	}
	return p.stream
}

// embedTime turns noise levels into time features.
func (p *Pass) embedTime(t []float64) {
	n, a := p.net, &p.time
	for i, t := range t {
		wave := a.waves[i*timeWidth : (i+1)*timeWidth]
		logT := math.Log(t)
		for k, f := range n.frequencies {
			sin, cos := math.Sincos(float64(f) * logT)
			wave[k], wave[timeFrequencies+k] = float32(sin), float32(cos)
		}
	}
	n.timeIn.forward(n.pool, a.in, a.waves, len(t), kernels.Op{Gelu: a.inGelu})
	n.timeOut.forward(n.pool, a.out, a.inGelu, len(t), kernels.Op{Gelu: a.outGelu})
}

// modulate works out γ and β of norms that share a projection, whose columns
// are γ, β of the first norm, γ, β of the second.
func (p *Pass) modulate(mod *linear, norms ...*normActivations) {
	mod.forward(p.net.pool, p.mod, p.time.outGelu, p.b, kernels.Op{})
	w := p.net.config.Width
	for i := range p.b {
		row := p.mod[i*mod.out : (i+1)*mod.out]
		for k, norm := range norms {
			copy(norm.scale[i*w:(i+1)*w], row[2*k*w:])
			copy(norm.shift[i*w:(i+1)*w], row[(2*k+1)*w:])
		}
	}
}

func (p *Pass) forwardNorm(a *normActivations, x []float32) {
	p.net.pool.LayerNormMod(a.y, a.mean, a.rstd, x, a.scale, a.shift, p.b, p.l, p.net.config.Width)
}

// forwardBlock is block i: it computes after = x + attention + mlp, or, if after is nil, only
// the activations on the way there.
func (p *Pass) forwardBlock(i int, after []float32) {
	c, pool, a := p.net.config, p.net.pool, &p.layers[i]

	p.forwardQKV(i)
	pool.Rope(a.qkv, p.cos, p.sin, p.b, p.l, c.Heads, c.headDim(), false)
	pool.Attention(a.attended, a.lse, a.qkv, p.b, p.l, c.Heads, c.headDim(), c.Causal)
	p.forwardRest(i, after)
}

// forwardQKV is a block up to its queries, keys and values.
func (p *Pass) forwardQKV(i int) {
	n, a := &p.net.blocks[i], &p.layers[i]
	p.forwardNorm(&a.first, a.x)
	p.drop(p.y, p.net.config.Width, i, attentionInput)
	n.qkv.forward(p.net.pool, a.qkv, p.y, p.b*p.l, kernels.Op{})
}

// forwardRest is a block from the result of its attention on.
func (p *Pass) forwardRest(i int, after []float32) {
	n, a, pool, rows := &p.net.blocks[i], &p.layers[i], p.net.pool, p.b*p.l
	n.out.forward(pool, a.mid, a.attended, rows, residual(a.mid, a.x))

	p.forwardNorm(&a.second, a.mid)
	n.up.forward(pool, a.up, p.y, rows, kernels.Op{Gelu: p.wide})
	if after != nil {
		p.drop(p.wide, p.net.config.MLP, i, hiddenUnits)
		n.down.forward(pool, after, p.wide, rows, residual(after, a.mid))
	}
}

// residual adds the stream before to what is written to dst, which may be the
// same memory.
func residual(dst, before []float32) kernels.Op {
	if &dst[0] == &before[0] {
		return kernels.Op{Accumulate: true}
	}
	return kernels.Op{Add: before}
}
