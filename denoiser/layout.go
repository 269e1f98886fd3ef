package denoiser

import (
	"strconv"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
)

// Param is a named tensor inside the flat vector of parameters, row-major from
// Offset on. Matrices are [in, out].
type Param struct {
	Name   string
	Shape  []int
	Offset int
}

// Len is the number of elements.
func (p Param) Len() int {
	n := 1
	for _, s := range p.Shape {
		n *= s
	}
	return n
}

// Params lists the tensors of a network in the order of the flat vector. The
// vectors are biases, except time.frequencies, which is drawn once and then
// kept: its gradient is always zero.
func (c Config) Params() []Param {
	_, l := lay(c, nil, nil)
	return l.params
}

// NumParams is the length of the flat vector.
func (c Config) NumParams() int {
	_, l := lay(c, nil, nil)
	return l.size
}

// body is the network's tensors as the passes use them.
type body struct {
	frequencies     []float32 // [timeFrequencies]
	timeIn, timeOut linear
	input           linear
	blocks          []block
	finalMod        linear // γ and β of the last norm
	head            linear
}

// block is one layer of the Transformer.
type block struct {
	mod      linear // γ and β of both norms
	qkv, out linear // attention
	up, down linear // MLP
}

// linear is y = x W + b with its gradients, W [in, out]. The gradients are nil
// in a network that is only run.
type linear struct {
	in, out      int
	w, b         []float32
	gradW, gradB []float32
	name         string
}

// forward computes y [rows, out] from x [rows, in]; op adds to the product.
func (l *linear) forward(pool *kernels.Pool, y, x []float32, rows int, op kernels.Op) {
	op.Bias = l.b
	pool.MatMul(y, x, l.w, rows, l.out, l.in, op)
}

// backward adds to the gradients of W and b, given x [rows, in] and the
// gradient dy [rows, out], and computes dx [rows, in] unless that is nil; op adds
// to the product.
func (l *linear) backward(pool *kernels.Pool, dx, dy, x []float32, rows int, op kernels.Op) {
	if l.gradW != nil {
		pool.MatMul(l.gradW, x, dy, l.in, l.out, rows, kernels.Op{TransA: true, Accumulate: true, SumB: l.gradB})
	}
	if dx != nil {
		op.TransB = true
		pool.MatMul(dx, dy, l.w, rows, l.in, l.out, op)
	}
}

// lay walks through a network once, cutting the flat vectors into tensors. It is
// the only place that knows their order. The vectors may be nil.
func lay(c Config, values, grads []float32) (*body, *layout) {
	l := &layout{values: values, grads: grads}
	w := c.Width
	n := &body{blocks: make([]block, c.Layers)}
	n.frequencies, _ = l.take("time.frequencies", timeFrequencies)
	n.timeIn = l.linear("time.in", timeWidth, timeWidth)
	n.timeOut = l.linear("time.out", timeWidth, timeWidth)
	n.input = l.linear("input", c.Features(), w)
	for i := range n.blocks {
		name := "blocks." + strconv.Itoa(i) + "."
		b := &n.blocks[i]
		b.mod = l.linear(name+"modulation", timeWidth, 4*w)
		b.qkv = l.linear(name+"attention.qkv", w, 3*w)
		b.out = l.linear(name+"attention.out", w, w)
		b.up = l.linear(name+"mlp.up", w, c.MLP)
		b.down = l.linear(name+"mlp.down", c.MLP, w)
	}
	n.finalMod = l.linear("final.modulation", timeWidth, 2*w)
	n.head = l.linear("head", w, c.Vocab)
	return n, l
}

// layout hands out consecutive pieces of the flat vectors and notes their names.
type layout struct {
	values, grads []float32
	params        []Param
	size          int
}

func (l *layout) take(name string, shape ...int) (value, grad []float32) {
	p := Param{Name: name, Shape: shape, Offset: l.size}
	l.params = append(l.params, p)
	l.size += p.Len()
	if l.values != nil {
		value = l.values[p.Offset:l.size:l.size]
	}
	if l.grads != nil {
		grad = l.grads[p.Offset:l.size:l.size]
	}
	return value, grad
}

func (l *layout) linear(name string, in, out int) linear {
	n := linear{in: in, out: out, name: name}
	n.w, n.gradW = l.take(name+".weight", in, out)
	n.b, n.gradB = l.take(name+".bias", out)
	return n
}
