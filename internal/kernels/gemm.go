package kernels

import "fmt"

// Op says what MatMul does besides multiplying.
type Op struct {
	TransA     bool // A is given as [k, m]
	TransB     bool // B is given as [n, k]
	Accumulate bool // C += A B instead of C = A B

	// Bias [n], if not nil, is added to every row of C.
	Bias []float32
	// Gelu [m, n], if not nil, receives the GELU of the finished C. It may be C
	// itself, whose values before the GELU are then lost.
	Gelu []float32
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
// C must not overlap A or B. With k = 0 the product is zero.
//
// A sum over k is taken in blocks of blockK: one chain of fused multiply-adds
// inside a block, blocks in order.
func (p *Pool) MatMul(c, a, b []float32, m, n, k int, op Op) {
	need("c", c, m, n)
	need("a", a, m, k)
	need("b", b, k, n)
	if op.Bias != nil {
		need("bias", op.Bias, 1, n)
	}
	if op.Gelu != nil {
		need("gelu", op.Gelu, m, n)
	}
	if m == 0 || n == 0 {
		return
	}
	p.mu.Lock()
	g := &p.gemm
	*g = gemmJob{c: c, a: a, b: b, m: m, n: n, k: k, op: op}
	g.cut(p.isa, len(p.workers))
	p.call(shape{op.name(), m, n, k}, 2*m*n*k, m*k+k*n+m*n, g.rows*g.cols, g)
	*g = gemmJob{}
	p.mu.Unlock()
}

// need panics if x is shorter than rows x cols or a dimension is negative.
func need(name string, x []float32, rows, cols int) {
	if rows < 0 || cols < 0 || len(x) < rows*cols {
		panic(fmt.Sprintf("kernels: %s has %d values, shape is [%d, %d]", name, len(x), rows, cols))
	}
}

// gemmJob is one MatMul, cut into rows x cols parts of tm x tn elements of C.
type gemmJob struct {
	c, a, b    []float32
	m, n, k    int
	op         Op
	tm, tn     int
	rows, cols int
}

// partFlops is the work of a part that may well be done alone: half a millisecond
// or so of one core.
const partFlops = 50e6

// cut chooses the parts: one for each worker, and up to four where they stay
// large, so that a disturbed worker can be helped. Each part packs its own
// operands, so more parts cost more packing.
func (g *gemmJob) cut(s isa, workers int) {
	mr, nr := s.mr(), s.nr()
	want := workers
	if workers > 1 {
		work := 2 * float64(g.m) * float64(g.n) * float64(g.k)
		want = max(workers, min(4*workers, int(work/partFlops)))
	}
	g.rows, g.cols = 1, ceilDiv(g.n, tileN)
	for g.rows*g.cols < want {
		tm, tn := ceilDiv(g.m, g.rows), ceilDiv(g.n, g.cols)
		switch {
		case tm > 8*mr && tm >= tn:
			g.rows++
		case tn > 2*nr:
			g.cols++
		case tm > 2*mr:
			g.rows++
		default:
			want = 0 // parts are as small as they should be
		}
	}
	g.tm, g.tn = roundUp(ceilDiv(g.m, g.rows), mr), roundUp(ceilDiv(g.n, g.cols), nr)
	g.rows, g.cols = ceilDiv(g.m, g.tm), ceilDiv(g.n, g.tn)
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
func roundUp(a, b int) int { return ceilDiv(a, b) * b }

// do computes one part of C.
func (g *gemmJob) do(w *worker, i int) {
	i0, j0 := i/g.cols*g.tm, i%g.cols*g.tn
	i1, j1 := min(i0+g.tm, g.m), min(j0+g.tn, g.n)
	cols := j1 - j0
	for p0 := 0; p0 == 0 || p0 < g.k; p0 += blockK {
		depth := min(blockK, g.k-p0)
		last := p0+depth == g.k
		if g.op.TransB {
			w.isa.packColumns(w.packB, g.b[min(j0*g.k+p0, len(g.b)):], g.k, depth, cols)
		} else {
			w.isa.packRows(w.packB, g.b[min(p0*g.n+j0, len(g.b)):], g.n, depth, cols)
		}
		for r0 := i0; r0 < i1; r0 += blockM {
			rows := min(blockM, i1-r0)
			a, rs, cs := g.operand(w, r0, p0, rows, depth)
			w.block(g.c[r0*g.n+j0:], g.n, rows, cols, depth, a, rs, cs, w.packB, p0 > 0 || g.op.Accumulate)
			if last {
				g.finish(w.isa, r0, j0, rows, cols)
			}
		}
	}
}

// operand returns rows x depth of A from (r0, p0) as the micro-kernel can read
// it fast, with the strides from row to row and from column to column. A
// transposed A is packed into panels of mr rows.
func (g *gemmJob) operand(w *worker, r0, p0, rows, depth int) (a []float32, rs, cs int) {
	if !g.op.TransA {
		return g.a[min(r0*g.k+p0, len(g.a)):], g.k, 1
	}
	w.isa.packPanels(w.packA, g.a[min(p0*g.m+r0, len(g.a)):], g.m, depth, rows)
	return w.packA, 0, 0
}

// finish adds the bias and applies the GELU to a finished block of C, which is
// still in the cache.
func (g *gemmJob) finish(s isa, r0, j0, rows, cols int) {
	if g.op.Bias == nil && g.op.Gelu == nil {
		return
	}
	for r := r0; r < r0+rows; r++ {
		from, to := r*g.n+j0, r*g.n+j0+cols
		c := g.c[from:to]
		if g.op.Bias != nil {
			s.add(c, g.op.Bias[j0:j0+cols])
		}
		if g.op.Gelu != nil {
			s.gelu(g.op.Gelu[from:to], c)
		}
	}
}
