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

	counted bool // only counted, not allocated

	b, l     int       // of the last Forward
	features []float32 // of the last Forward
	lossed   bool      // grad.hidden holds the gradient of a loss
	ban      [][]int32 // tokens that each position cannot have, or nil
	thin     thinning  // of the last Forward
	next     thinning  // of the next

	cos, sin []float32 // rotations [rows, headDim/2]
	time     timeActivations
	mod      []float32 // [maxB, 4W] γ and β of one block, or their gradients
	layers   []layerActivations
	keep     keeping
	held     int       // block whose activations are in the memory that blocks share
	y        []float32 // [rows, W] output of a block's norm, or its gradient
	wide     []float32 // [rows, max(MLP, 3W)] GELU(up), or the gradient of up or of qkv
	stream   []float32 // [rows, W] after the last block
	final    normActivations
	chunk    int
	logits   []float32 // [chunk, V]
	chosen   chosen
	squared  squared

	grad *gradients // nil without a way back
}

// timeActivations lead from noise levels to what modulates the norms.
type timeActivations struct {
	waves        []float32 // [maxB, timeWidth] sines, then cosines
	in, inGelu   []float32 // [maxB, timeWidth]
	out, outGelu []float32 // [maxB, timeWidth]
}

// keeping says how much of a block's activations is there for the way back.
type keeping int

const (
	keepNone   keeping = iota // no way back: one memory for all blocks, the stream in place
	keepInputs                // the stream before each block; the rest is worked out again
	keepAll
)

// layerActivations are those of one block, all that cost a product of matrices.
// The outputs of GELU and of the norms are cheaper to work out again than to
// keep.
type layerActivations struct {
	x        []float32 // [rows, W] residual stream before the block
	first    normActivations
	qkv      []float32 // [rows, 3W] rotated
	lse      []float32 // [rows·heads] log-sum-exp of the scores
	attended []float32 // [rows, W]
	mid      []float32 // [rows, W] residual stream before the MLP
	second   normActivations
	up       []float32 // [rows, MLP]
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
	hidden       []float32    // [rows, W] of the last norm's output
	share        []float32    // [V] what Raise multiplies probabilities by
	planes       [4][]float32 // [maxB, W] each, of γ, β, γ, β
	time, timeIn []float32    // [maxB, timeWidth]
}

const (
	maxLogits = 1 << 21 // logits held at a time (8 MiB) ...
	minChunk  = 1024    // ... unless these rows are more: the head's weights are read for each chunk
)

// NewPass allocates a pass for up to maxB sequences and maxB·maxL positions.
// Without back it keeps the activations of one block only and cannot go
// backward. With it, a network that has no gradients of its own still gives
// those of its features. It panics if the sizes are not positive.
func (n *Net) NewPass(maxB, maxL int, back bool) *Pass {
	if back {
		return n.newPass(maxB, maxL, keepAll)
	}
	return n.newPass(maxB, maxL, keepNone)
}

// NewRecomputingPass is a training pass that keeps of every block its input
// alone and runs the block again on the way back (Chen et al., "Training deep
// nets with sublinear memory cost", arXiv 1604.06174). Results are equal to the
// bit, for up to a sixth more work.
func (n *Net) NewRecomputingPass(maxB, maxL int) *Pass { return n.newPass(maxB, maxL, keepInputs) }

func (n *Net) newPass(maxB, maxL int, keep keeping) *Pass {
	if maxB < 1 || maxL < 1 {
		panic(fmt.Sprintf("denoiser: a pass of %d sequences of length %d", maxB, maxL))
	}
	p := &Pass{net: n, maxB: maxB, rows: maxB * maxL, keep: keep}
	p.allocate()
	kernels.RopeTable(p.cos, p.sin, p.rows, n.config.headDim())
	return p
}

// TrainingBytes is the memory of a training pass, without making one.
func (c Config) TrainingBytes(maxB, maxL int, recompute bool) int {
	p := &Pass{net: &Net{config: c, train: true}, maxB: maxB, rows: maxB * maxL, keep: keepAll, counted: true}
	if recompute {
		p.keep = keepInputs
	}
	p.allocate()
	return p.bytes
}

func (p *Pass) allocate() {
	c, rows, maxB := p.net.config, p.rows, p.maxB
	p.cos, p.sin = p.take(rows*c.headDim()/2), p.take(rows*c.headDim()/2)
	p.time = timeActivations{
		waves: p.take(maxB * timeWidth),
		in:    p.take(maxB * timeWidth), inGelu: p.take(maxB * timeWidth),
		out: p.take(maxB * timeWidth), outGelu: p.take(maxB * timeWidth),
	}
	p.mod = p.take(maxB * 4 * c.Width)
	p.stream, p.y = p.take(rows*c.Width), p.take(rows*c.Width)
	p.wide = p.take(rows * max(c.MLP, 3*c.Width))
	p.layers = make([]layerActivations, c.Layers)
	for i := range p.layers {
		if i > 0 && p.keep != keepAll {
			p.layers[i] = p.layers[0]
		} else {
			p.layers[i] = p.layer()
		}
		if p.keep != keepNone {
			p.layers[i].x = p.take(rows * c.Width)
		}
	}
	p.final = p.norm(p.take(rows * c.Width))
	p.chunk = min(rows, max(minChunk, maxLogits/c.Vocab))
	p.logits = p.take(max(2, p.chunk) * c.Vocab) // two rows at least: see SquaredLoss
	p.chosen = p.newChosen()
	if p.keep != keepNone {
		p.grad = p.gradients()
	}
}

// Of is the same memory as a pass of another network of the same shape, such as
// one with averaged weights. Forward of either ends what the other holds.
func (p *Pass) Of(n *Net) *Pass {
	if n.config != p.net.config {
		panic("denoiser: a pass shared by networks of different shapes")
	}
	q := *p
	q.net, q.bytes = n, 0
	if !n.train {
		q.grad = nil
	}
	return &q
}

// Bytes is the memory that the pass owns.
func (p *Pass) Bytes() int { return p.bytes }

// take allocates n numbers and counts them.
func (p *Pass) take(n int) []float32 {
	p.bytes += 4 * n
	if p.counted {
		return nil
	}
	return kernels.Floats(n)
}

func (p *Pass) layer() layerActivations {
	c := p.net.config
	a := layerActivations{
		x: p.stream, mid: p.stream, up: p.wide,
		first: p.norm(p.y), second: p.norm(p.y),
		qkv: p.take(p.rows * 3 * c.Width), lse: p.take(p.rows * c.Heads), attended: p.take(p.rows * c.Width),
	}
	if p.keep != keepNone {
		a.mid, a.up = p.take(p.rows*c.Width), p.take(p.rows*c.MLP)
	}
	return a
}

func (p *Pass) norm(y []float32) normActivations {
	w := p.net.config.Width
	return normActivations{
		scale: p.take(p.maxB * w), shift: p.take(p.maxB * w),
		mean: p.take(p.rows), rstd: p.take(p.rows), y: y,
	}
}

func (p *Pass) gradients() *gradients {
	w := p.net.config.Width
	g := &gradients{
		x: p.take(p.rows * w), hidden: p.take(p.rows * w),
		share: p.take(p.net.config.Vocab),
		time:  p.take(p.maxB * timeWidth), timeIn: p.take(p.maxB * timeWidth),
	}
	for i := range g.planes {
		g.planes[i] = p.take(p.maxB * w)
	}
	return g
}
