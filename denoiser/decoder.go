package denoiser

import (
	"fmt"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
)

// Decoder runs a causal network on sequences that grow by a position at a time.
// It keeps the keys and values of the positions before, so that a step costs the
// work of one position and not of all. What it computes is what a Pass does for
// the same features, up to rounding. It is not safe for concurrent use.
type Decoder struct {
	pass     *Pass // over one position of every sequence
	maxL     int
	at       int // positions that were decoded
	cos, sin []float32
	caches   []*kernels.Cache // of every block
	logits   []float32        // [maxB, V]
}

// NewDecoder takes all memory for b sequences of up to maxL positions. It panics
// if these are not positive or if the network looks ahead.
func (n *Net) NewDecoder(maxB, maxL int) *Decoder {
	c := n.config
	if !c.Causal || maxL < 1 {
		panic(fmt.Sprintf("denoiser: decoding %d positions of a network with causal = %v", maxL, c.Causal))
	}
	d := &Decoder{pass: n.NewPass(maxB, 1, false), maxL: maxL}
	d.allocate()
	kernels.RopeTable(d.cos, d.sin, maxL, c.headDim())
	return d
}

// DecodingBytes is the memory of a decoder, without making one.
func (c Config) DecodingBytes(maxB, maxL int) int {
	d := &Decoder{pass: &Pass{net: &Net{config: c}, maxB: maxB, rows: maxB, counted: true}, maxL: maxL}
	d.pass.allocate()
	d.allocate()
	return d.pass.bytes
}

func (d *Decoder) allocate() {
	p, c, half := d.pass, d.pass.net.config, d.pass.net.config.headDim()/2
	d.cos, d.sin = p.take(d.maxL*half), p.take(d.maxL*half)
	d.logits = p.take(p.maxB * c.Vocab)
	d.caches = make([]*kernels.Cache, c.Layers)
	for i := range d.caches {
		// Scales and shifts last as long as the sequences, so each block has its own.
		p.layers[i].first, p.layers[i].second = p.norm(p.y), p.norm(p.y)
		p.bytes += kernels.CacheBytes(p.maxB, d.maxL, c.Heads, c.headDim())
		if !p.counted {
			d.caches[i] = kernels.NewCache(p.maxB, d.maxL, c.Heads, c.headDim())
		}
	}
}

// Begin forgets all sequences and begins len(t) new ones at noise levels t. It
// panics if there is no room for as many.
func (d *Decoder) Begin(t []float64) {
	p, n := d.pass, d.pass.net
	if len(t) < 1 || len(t) > p.maxB {
		panic(fmt.Sprintf("denoiser: %d sequences in a decoder for %d", len(t), p.maxB))
	}
	d.at, p.b, p.l = 0, len(t), 1
	p.embedTime(t)
	for i := range n.blocks {
		p.modulate(&n.blocks[i].mod, &p.layers[i].first, &p.layers[i].second)
	}
	p.modulate(&n.finalMod, &p.final)
}

// Step takes the features [b, 3D+1] of every sequence's next position and
// returns its logits [b, V], which stay until the next call. It panics after
// maxL positions.
func (d *Decoder) Step(features []float32) []float32 {
	if d.at == d.maxL {
		panic(fmt.Sprintf("denoiser: a decoder of %d positions is full", d.maxL))
	}
	p, n := d.pass, d.pass.net
	c, half := n.config, n.config.headDim()/2
	n.input.forward(n.pool, p.stream, features, p.b, kernels.Op{})
	for i := range n.blocks {
		a := &p.layers[i]
		p.forwardQKV(i)
		n.pool.Rope(a.qkv, d.cos[d.at*half:], d.sin[d.at*half:], p.b, 1, c.Heads, c.headDim(), false)
		n.pool.AttentionCached(a.attended, a.qkv, d.caches[i], p.b, d.at)
		p.forwardRest(i, p.stream)
	}
	p.forwardNorm(&p.final, p.stream)
	d.at++
	logits := d.logits[:p.b*c.Vocab]
	p.Logits(logits)
	return logits
}
