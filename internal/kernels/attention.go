package kernels

import "math"

// Attention computes softmax(q k^T / sqrt(hd)) v for every sequence and head.
//
// qkv is [b*l, 3*heads*hd]: a row holds the queries of all heads, then the keys,
// then the values. o is [b*l, heads*hd]. lse [b, heads, l] receives the logarithm
// of each row's softmax denominator, for the backward pass. With causal, a
// position sees itself and those before it. hd is at most MaxHeadDim.
//
// Scores exist for one tile of 128 queries by 128 keys at a time.
func (p *Pool) Attention(o, lse, qkv []float32, b, l, heads, hd int, causal bool) {
	g := newAttnGeometry(b, l, heads, hd, causal)
	g.need(o, lse, qkv)
	p.mu.Lock()
	p.attn = attnJob{attnGeometry: g, o: o, lse: lse, qkv: qkv}
	p.call(shape{"attention", l, l, hd}, 4*g.products(), 4*b*l*g.width, b*heads*g.tiles, &p.attn)
	p.attn = attnJob{}
	p.mu.Unlock()
}

// AttentionBackward is the gradient of Attention. It overwrites dqkv (shaped as
// qkv) given do, the gradient of o, and what the forward pass left in o and lse.
// Scores are computed anew, tile by tile.
func (p *Pool) AttentionBackward(dqkv, do, o, lse, qkv []float32, b, l, heads, hd int, causal bool) {
	g := newAttnGeometry(b, l, heads, hd, causal)
	g.need(o, lse, qkv)
	need("do", do, b*l, heads*hd)
	need("dqkv", dqkv, b*l, 3*heads*hd)
	p.mu.Lock()
	p.attnGrad = attnGradJob{attnGeometry: g, dqkv: dqkv, dout: do, o: o, lse: lse, qkv: qkv}
	p.call(shape{"attention backward", l, l, hd}, 10*g.products(), 9*b*l*g.width, b*heads, &p.attnGrad)
	p.attnGrad = attnGradJob{}
	p.mu.Unlock()
}

// attnGeometry is the layout that both directions share.
type attnGeometry struct {
	b, l, heads, hd int
	width, ld       int // of o and of qkv
	tiles           int // of a sequence
	causal          bool
	scale           float32
}

func newAttnGeometry(b, l, heads, hd int, causal bool) attnGeometry {
	if hd > MaxHeadDim || hd < 0 {
		panic("kernels: attention: head size is out of range")
	}
	g := attnGeometry{b: b, l: l, heads: heads, hd: hd, width: heads * hd, ld: 3 * heads * hd, causal: causal}
	if hd > 0 {
		g.tiles = ceilDiv(l, attnTile)
		g.scale = float32(1 / math.Sqrt(float64(hd)))
	}
	return g
}

// products is the number of multiply-adds of one product of all queries with all
// keys that they see.
func (g *attnGeometry) products() int {
	n := g.b * g.width * g.l * g.l
	if g.causal {
		n = g.b * g.width * g.l * (g.l + 1) / 2
	}
	return n
}

func (g *attnGeometry) need(o, lse, qkv []float32) {
	need("o", o, g.b*g.l, g.width)
	need("lse", lse, g.b*g.heads, g.l)
	need("qkv", qkv, g.b*g.l, g.ld)
}

// head returns where the head of a sequence begins: its row, and its column in o.
func (g *attnGeometry) head(i int) (row, column int) {
	return i / g.heads * g.l, i % g.heads * g.hd
}

// seen is how many of keys keys from k0 on the query at position q may see.
func (g *attnGeometry) seen(q, k0, keys int) int {
	if !g.causal {
		return keys
	}
	return min(keys, max(0, q-k0+1))
}

type attnJob struct {
	attnGeometry
	o, lse, qkv []float32
}

// do computes one tile of queries of one head: an online softmax over the tiles
// of keys, with the running maximum and denominator of each row in scratch.
func (j *attnJob) do(w *worker, i int) {
	s := w.isa
	head, tile := i/j.tiles, i%j.tiles
	row, col := j.head(head)
	q0 := tile * attnTile
	rows := min(attnTile, j.l-q0)
	q := j.qkv[(row+q0)*j.ld+col:]
	o := j.o[(row+q0)*j.width+col:]
	end := j.l
	if j.causal {
		end = q0 + rows
	}
	for k0 := 0; k0 < end; k0 += attnTile {
		keys := min(attnTile, j.l-k0)
		s.packColumns(w.packs[0], j.qkv[(row+k0)*j.ld+j.width+col:], j.ld, j.hd, keys, s.nr())
		s.packRows(w.packs[1], j.qkv[(row+k0)*j.ld+2*j.width+col:], j.ld, keys, j.hd, s.nr())
		w.block(w.scores, attnLD, rows, keys, j.hd, q, j.ld, 1, w.packs[0], false)
		for r := range rows {
			x := w.scores[r*attnLD : r*attnLD+keys]
			seen := j.seen(q0+r, k0, keys)
			clear(x[seen:])
			x = x[:seen]
			if seen == 0 {
				continue
			}
			top := s.max(x) * j.scale
			if k0 == 0 {
				w.rowMax[r], w.rowSum[r] = top, s.expSum(x, x, j.scale, top)
				continue
			}
			old := w.rowMax[r]
			top = max(old, top)
			shrink := float32(math.Exp(float64(old - top)))
			w.rowMax[r], w.rowSum[r] = top, w.rowSum[r]*shrink+s.expSum(x, x, j.scale, top)
			s.scale(o[r*j.width:r*j.width+j.hd], shrink)
		}
		w.block(o, j.width, rows, j.hd, keys, w.scores, attnLD, 1, w.packs[1], k0 > 0)
	}
	for r := range rows {
		s.scale(o[r*j.width:r*j.width+j.hd], 1/w.rowSum[r])
		j.lse[head*j.l+q0+r] = w.rowMax[r] + float32(math.Log(float64(w.rowSum[r])))
	}
}

type attnGradJob struct {
	attnGeometry
	dqkv, dout, o, lse, qkv []float32
}

// do computes the gradients of one head. With P the softmax, D = rowsum(dO O):
// dV = P^T dO, dS = P (dO V^T - D) / sqrt(hd), dQ = dS K, dK = dS^T Q.
func (j *attnGradJob) do(w *worker, head int) {
	s, hd, ld := w.isa, j.hd, j.ld
	row, col := j.head(head)
	for q0 := 0; q0 < j.l; q0 += attnTile {
		rows := min(attnTile, j.l-q0)
		q, dq := j.qkv[(row+q0)*ld+col:], j.dqkv[(row+q0)*ld+col:]
		do, o := j.dout[(row+q0)*j.width+col:], j.o[(row+q0)*j.width+col:]
		for r := range rows {
			w.rowSum[r] = s.dot(do[r*j.width:r*j.width+hd], o[r*j.width:r*j.width+hd])
		}
		s.packRows(w.packs[0], q, ld, rows, hd, s.nr())
		s.packRows(w.packs[1], do, j.width, rows, hd, s.nr())
		end := j.l
		if j.causal {
			end = q0 + rows
		}
		for k0 := 0; k0 < end; k0 += attnTile {
			keys := min(attnTile, j.l-k0)
			k, v := j.qkv[(row+k0)*ld+j.width+col:], j.qkv[(row+k0)*ld+2*j.width+col:]
			dk, dv := j.dqkv[(row+k0)*ld+j.width+col:], j.dqkv[(row+k0)*ld+2*j.width+col:]
			first := q0 == 0 || j.causal && q0 == k0 // the first tile of queries that sees these keys

			s.packColumns(w.packs[2], k, ld, hd, keys, s.nr())
			s.packColumns(w.packs[3], v, ld, hd, keys, s.nr())
			w.block(w.scores, attnLD, rows, keys, hd, q, ld, 1, w.packs[2], false)
			w.block(w.grads, attnLD, rows, keys, hd, do, j.width, 1, w.packs[3], false)
			for r := range rows {
				x, dx := w.scores[r*attnLD:r*attnLD+keys], w.grads[r*attnLD:r*attnLD+keys]
				seen := j.seen(q0+r, k0, keys)
				clear(x[seen:])
				clear(dx[seen:])
				s.expSum(x[:seen], x[:seen], j.scale, j.lse[head*j.l+q0+r])
				s.softmaxGrad(dx[:seen], x[:seen], w.rowSum[r], j.scale)
			}
			w.block(dv, ld, keys, hd, rows, w.scores, 1, attnLD, w.packs[1], !first)
			w.block(dk, ld, keys, hd, rows, w.grads, 1, attnLD, w.packs[0], !first)
			s.packRows(w.packs[2], k, ld, keys, hd, s.nr())
			w.block(dq, ld, rows, hd, keys, w.grads, attnLD, 1, w.packs[2], k0 > 0)
		}
	}
}
