package kernels

import (
	"fmt"
	"unsafe"
)

// Op says what MatMul does besides multiplying.
type Op struct {
	TransA     bool // A is given as [k, m]
	TransB     bool // B is given as [n, k]
	Accumulate bool // C += A B instead of C = A B

	// Bias [n], if not nil, is added to every row of C.
	Bias []float32
	// Add [m, n], if not nil, is what the product is added to: C = Add + A B, the
	// same numbers as if C had been a copy of Add and Accumulate set.
	Add []float32
	// Gelu [m, n], if not nil, receives the GELU of the finished C. It may be C
	// itself, whose values before the GELU are then lost.
	Gelu []float32
	// GeluGrad [m, n], if not nil, is what a GELU was taken of: C, a gradient with
	// respect to its result, is turned into that with respect to GeluGrad.
	GeluGrad []float32
	// SumB [n], if not nil, has the sum of the rows of B added to it, in order of
	// the rows: the gradient of a bias. B must not be transposed.
	SumB []float32
}

// name tells how the operands lie, in the way of BLAS: N as they are, T transposed.
func (o Op) name() string {
	switch {
	case o.TransA && o.TransB:
		return "matmul TT"
	case o.TransA:
		return "matmul TN"
	case o.TransB:
		return "matmul NT"
	}
	return "matmul NN"
}

// MatMul computes C = A B with C [m, n], A [m, k], B [k, n], changed as op says.
// C must not overlap A or B. With k = 0 the product is zero; with m or n = 0
// nothing is done.
//
// A sum over k is taken in blocks of blockK: one chain of fused multiply-adds
// inside a block, blocks in order.
func (p *Pool) MatMul(c, a, b []float32, m, n, k int, op Op) {
	need("c", c, m, n)
	need("a", a, m, k)
	need("b", b, k, n)
	for _, e := range []struct {
		name       string
		x          []float32
		rows, cols int
	}{
		{"bias", op.Bias, 1, n},
		{"add", op.Add, m, n},
		{"gelu", op.Gelu, m, n},
		{"gelu gradient", op.GeluGrad, m, n},
		{"sum of b", op.SumB, 1, n},
	} {
		if e.x != nil {
			need(e.name, e.x, e.rows, e.cols)
		}
	}
	if op.SumB != nil && op.TransB {
		panic("kernels: matmul: the sum of a transposed b")
	}
	if m == 0 || n == 0 {
		return
	}
	p.mu.Lock()
	began := p.begin()
	g := &p.gemm
	*g = gemmJob{isa: p.isa, inputs: p.inputs, packed: &p.packed, c: c, a: a, b: b, m: m, n: n, k: k, op: op}
	g.plan(len(p.workers))
	for ; g.more(); g.next() {
		g.cut()
		p.run(g.packParts(), (*packJob)(g))
		p.run(g.rows*g.cols, g)
	}
	*g = gemmJob{}
	p.end(began, shape{op.name(), m, n, k}, 2*m*n*k, m*k+k*n+m*n)
	p.mu.Unlock()
}

// need panics if x is shorter than rows x cols or a dimension is negative.
func need(name string, x []float32, rows, cols int) {
	if rows < 0 || cols < 0 || len(x) < rows*cols {
		panic(fmt.Sprintf("kernels: %s has %d values, shape is [%d, %d]", name, len(x), rows, cols))
	}
}

// gemmJob is one MatMul. It goes through B slab by slab: a slab is as much of it as
// packed has room for. A slab is packed once, by all workers, and then multiplied
// by all workers, in rows x cols parts of tm x tn elements of C.
type gemmJob struct {
	isa     isa
	mr, nr  int // size of a tile
	inputs  inputs
	packed  *packed
	c, a, b []float32
	m, n, k int
	op      Op

	workers      int
	stepN, stepK int // largest slab
	j0, p0       int // this slab begins here ...
	nSize, kSize int // ... and is so large
	nPad         int // nSize in whole panels
	group        int // columns of B packed by one part
	tm, tn       int
	rows, cols   int
}

// packed is memory that an operand is packed into: for each blockK of the depth,
// panels of nr columns of B or mr rows of A. The words of bf16 lie in the same
// memory.
type packed struct {
	floats []float32
	words  []uint32
}

func newPacked(size int) packed {
	x := Floats(size)
	return packed{x, unsafe.Slice((*uint32)(unsafe.Pointer(&x[0])), size)}
}

// packsA tells whether A is packed. The tile of float32 reads it well where it lies,
// unless it is transposed; but its rows push each other out of the caches where they
// are a power of two apart, so it is packed where C has enough columns to pay for it.
func (g *gemmJob) packsA() bool {
	return g.op.TransA || g.inputs != float32s || g.n >= packWidth
}

// plan chooses the sizes of a tile and of a slab.
func (g *gemmJob) plan(workers int) {
	g.workers = workers
	g.mr, g.nr = g.isa.mr(), g.isa.nr()
	if g.inputs == bf16s {
		g.mr, g.nr = bf16MR, bf16NR
	}
	deep := min(roundUp(max(1, g.k), blockK), 4*blockK) // C should not be visited for every blockK
	pieces := ceilDiv(roundUp(g.n, g.nr), packedSize/deep/g.nr*g.nr)
	g.stepN = roundUp(ceilDiv(g.n, pieces), g.nr)
	g.stepK = packedSize / g.stepN / blockK * blockK
}

// more and next go from slab to slab, along the depth first.
func (g *gemmJob) more() bool { return g.j0 < g.n }

func (g *gemmJob) next() {
	if g.p0 += g.stepK; g.p0 < g.k {
		return
	}
	g.p0 = 0
	g.j0 += g.stepN
}

const (
	// partFlops is the least work of a part: some tens of microseconds.
	partFlops = 2e6
	// packLow is the number of rows below which a part that packs its A is not cut.
	packLow = 64
	// packWidth is the number of columns of C from which on A is packed.
	packWidth = 512
	// finishN is the number of columns that are finished (bias, GELU, ...) while
	// they are in the cache.
	finishN = 128
)

// cut chooses the parts of the slab: a few for each worker, so that a disturbed
// one can be helped, and as high as the cache takes.
func (g *gemmJob) cut() {
	g.nSize, g.kSize = min(g.stepN, g.n-g.j0), min(g.stepK, g.k-g.p0)
	g.nPad = roundUp(g.nSize, g.nr)
	g.rows, g.cols = ceilDiv(g.m, blockM), 1
	low := 2 * g.mr
	if g.packsA() { // whoever shares its rows packs them again
		low = packLow
	}
	want := 1
	if g.workers > 1 {
		want = min(4*g.workers, int(2*float64(g.m)*float64(g.nSize)*float64(g.kSize)/partFlops))
	}
	for g.rows*g.cols < want {
		tm, tn := ceilDiv(g.m, g.rows), ceilDiv(g.nSize, g.cols)
		switch { // a square has the most work for what it reads
		case tn > 2*g.nr && (tn >= tm && low < packLow || tm <= low):
			g.cols *= 2
		case tm > low:
			g.rows *= 2
		default:
			want = 0 // parts are as small as they should be
		}
	}
	g.tm, g.tn = roundUp(ceilDiv(g.m, g.rows), g.mr), roundUp(ceilDiv(g.nSize, g.cols), g.nr)
	g.rows, g.cols = ceilDiv(g.m, g.tm), ceilDiv(g.nSize, g.tn)
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
func roundUp(a, b int) int { return ceilDiv(a, b) * b }

// do computes one part of C as far as the slab goes.
func (g *gemmJob) do(w *worker, i int) {
	i0, j0 := i/g.cols*g.tm, i%g.cols*g.tn // the columns are those of the slab
	i1, j1 := min(i0+g.tm, g.m), min(j0+g.tn, g.nSize)
	for p0 := 0; p0 == 0 || p0 < g.kSize; p0 += blockK {
		depth := min(blockK, g.kSize-p0)
		done := g.p0+p0+depth == g.k
		a, rs, cs := g.operand(w, i0, i1-i0, g.p0+p0, depth)
		for j := j0; j < j1; j += finishN {
			col, cols := g.j0+j, min(finishN, j1-j)
			onto := g.p0+p0 > 0 || g.op.Accumulate
			if !onto && g.op.Add != nil {
				g.preset(i0, col, i1-i0, cols)
				onto = true
			}
			c := g.c[i0*g.n+col:]
			if g.inputs == bf16s {
				pairs := ceilDiv(depth, 2)
				w.panelsBF16(c, g.n, i1-i0, cols, pairs, w.packed.words, g.packed.words[p0/2*g.nPad+j*pairs:], onto)
			} else {
				w.panels(c, g.n, i1-i0, cols, depth, a, rs, cs, g.packed.floats[p0*g.nPad+j*depth:], onto)
			}
			if done {
				g.finish(i0, col, i1-i0, cols)
			}
		}
	}
}

// operand returns rows of A from depth p0 on, with the strides from row to row and
// from column to column: where they lie, or packed by and for this worker, whose
// second cache holds them.
func (g *gemmJob) operand(w *worker, i0, rows, p0, depth int) (a []float32, rs, cs int) {
	if g.packsA() {
		g.packA(w, i0, rows, p0, depth)
		return w.packed.floats, 0, 0
	}
	a = g.a[min(i0*g.k+p0, len(g.a)):]
	w.pad(a, g.k, 1, rows, depth)
	return a, g.k, 1
}

// preset fills a block of C with what the product is added to.
func (g *gemmJob) preset(row, col, rows, cols int) {
	for r := row; r < row+rows; r++ {
		copy(g.c[r*g.n+col:r*g.n+col+cols], g.op.Add[r*g.n+col:])
	}
}

// finish does the rest of the operation to a block of C that is still in the
// cache.
func (g *gemmJob) finish(row, col, rows, cols int) {
	s, op := g.isa, &g.op
	if op.Bias == nil && op.Gelu == nil && op.GeluGrad == nil {
		return
	}
	for r := row; r < row+rows; r++ {
		from, to := r*g.n+col, r*g.n+col+cols
		c := g.c[from:to]
		if op.Bias != nil {
			s.add(c, op.Bias[col:col+cols])
		}
		if op.Gelu != nil {
			s.gelu(op.Gelu[from:to], c)
		}
		if op.GeluGrad != nil {
			s.geluGrad(c, c, op.GeluGrad[from:to])
		}
	}
}
