package denoiser

import (
	"fmt"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
)

// Pass is the memory of one run through a network: activations, and for training
// what the backward pass needs. Call Forward, then any of the others on its
// result. It is not safe for concurrent use.
type Pass struct {
	net   *Net
	maxB  int // capacity in sequences
	rows  int // capacity in positions
	bytes int

	b, l     int       // of the last Forward
	features []float32 // of the last Forward
	lossed   bool      // grad.hidden holds the gradient of a loss

	cos, sin []float32 // rotations [rows, headDim/2]
	time     timeActivations
	mod      []float32          // [maxB, 4W] γ and β of one block, or their gradients
	layers   []layerActivations // without training, all share one memory
	stream   []float32          // [rows, W] after the last block
	final    normActivations
	chunk    int
	logits   []float32 // [chunk, V]

	grad *gradients // nil without training
}

// timeActivations lead from noise levels to what modulates the norms.
type timeActivations struct {
	waves        []float32 // [maxB, timeWidth] sines, then cosines
	in, inGelu   []float32 // [maxB, timeWidth]
	out, outGelu []float32 // [maxB, timeWidth]
}

// layerActivations are those of one block.
type layerActivations struct {
	x        []float32 // [rows, W] residual stream before the block
	first    normActivations
	qkv      []float32 // [rows, 3W] rotated
	lse      []float32 // [rows·heads] log-sum-exp of the scores
	attended []float32 // [rows, W]
	mid      []float32 // [rows, W] residual stream before the MLP
	second   normActivations
	up, gelu []float32 // [rows, MLP]
}

// normActivations are those of one conditional norm.
type normActivations struct {
	scale, shift []float32 // [maxB, W] γ, β
	mean, rstd   []float32 // [rows]
	y            []float32 // [rows, W]
}

// gradients are what flows backward. One block's worth is enough.
type gradients struct {
	x            []float32    // [rows, W] of the residual stream
	y            []float32    // [rows, W] of a norm's output or of attended
	hidden       []float32    // [rows, W] of the last norm's output
	qkv          []float32    // [rows, 3W]
	mlp          []float32    // [rows, MLP]
	planes       [4][]float32 // [maxB, W] each, of γ, β, γ, β
	time, timeIn []float32    // [maxB, timeWidth]
}

const (
	maxLogits = 1 << 21 // logits held at a time (8 MiB) ...
	minChunk  = 512     // ... unless these rows are more: the head's weights are read for each chunk
)

// NewPass allocates a pass for up to maxB sequences and maxB·maxL positions.
// Without train it keeps the activations of one block only and cannot go
// backward. It panics if the sizes are not positive or if a network without
// gradients is to be trained.
func (n *Net) NewPass(maxB, maxL int, train bool) *Pass {
	if maxB < 1 || maxL < 1 {
		panic(fmt.Sprintf("denoiser: a pass of %d sequences of length %d", maxB, maxL))
	}
	if train && !n.train {
		panic("denoiser: a training pass of a network without gradients")
	}
	c, rows := n.config, maxB*maxL
	p := &Pass{net: n, maxB: maxB, rows: rows}

	p.cos, p.sin = p.take(rows*c.headDim()/2), p.take(rows*c.headDim()/2)
	kernels.RopeTable(p.cos, p.sin, rows, c.headDim())
	p.time = timeActivations{
		waves: p.take(maxB * timeWidth),
		in:    p.take(maxB * timeWidth), inGelu: p.take(maxB * timeWidth),
		out: p.take(maxB * timeWidth), outGelu: p.take(maxB * timeWidth),
	}
	p.mod = p.take(maxB * 4 * c.Width)
	p.stream = p.take(rows * c.Width)
	p.layers = make([]layerActivations, c.Layers)
	for i := range p.layers {
		switch {
		case train:
			p.layers[i] = p.layer(p.take(rows*c.Width), p.take(rows*c.Width), p.take(rows*c.MLP), p.take(rows*c.MLP))
		case i == 0: // everything in place
			hidden := p.take(rows * c.MLP)
			p.layers[i] = p.layer(p.stream, p.stream, hidden, hidden)
		default:
			p.layers[i] = p.layers[0]
		}
	}
	p.final = p.norm()
	p.chunk = min(rows, max(minChunk, maxLogits/c.Vocab))
	p.logits = p.take(p.chunk * c.Vocab)
	if train {
		p.grad = p.gradients()
	}
	return p
}

// Bytes is the memory of the pass.
func (p *Pass) Bytes() int { return p.bytes }

// take allocates n numbers and counts them.
func (p *Pass) take(n int) []float32 {
	p.bytes += 4 * n
	return make([]float32, n)
}

func (p *Pass) layer(x, mid, up, gelu []float32) layerActivations {
	c := p.net.config
	return layerActivations{
		x: x, mid: mid, up: up, gelu: gelu,
		first: p.norm(), second: p.norm(),
		qkv: p.take(p.rows * 3 * c.Width), lse: p.take(p.rows * c.Heads), attended: p.take(p.rows * c.Width),
	}
}

func (p *Pass) norm() normActivations {
	w := p.net.config.Width
	return normActivations{
		scale: p.take(p.maxB * w), shift: p.take(p.maxB * w),
		mean: p.take(p.rows), rstd: p.take(p.rows),
		y: p.take(p.rows * w),
	}
}

func (p *Pass) gradients() *gradients {
	c := p.net.config
	g := &gradients{
		x: p.take(p.rows * c.Width), y: p.take(p.rows * c.Width), hidden: p.take(p.rows * c.Width),
		qkv: p.take(p.rows * 3 * c.Width), mlp: p.take(p.rows * c.MLP),
		time: p.take(p.maxB * timeWidth), timeIn: p.take(p.maxB * timeWidth),
	}
	for i := range g.planes {
		g.planes[i] = p.take(p.maxB * c.Width)
	}
	return g
}
