package kernels

// packJob packs a slab of B for a gemmJob. A part is a group of columns of one
// blockK of the depth; where the rows of B are summed, of all of the depth, so that
// the sum has one order.
type packJob gemmJob

// packPanels is the number of panels that are filled at a time. Panels lie a
// multiple of many cache lines apart, so that more of them would fall out of the
// first cache half written.
const packPanels = 8

// packParts cuts the packing of the slab and returns the number of parts.
func (g *gemmJob) packParts() int {
	g.group = packPanels * g.nr
	if g.op.SumB != nil { // all workers must find something
		g.group = min(g.group, roundUp(ceilDiv(g.nSize, 2*g.workers), g.nr))
		return ceilDiv(g.nSize, g.group)
	}
	return ceilDiv(g.nSize, g.group) * max(1, ceilDiv(g.kSize, blockK))
}

func (j *packJob) do(_ *worker, i int) {
	g := (*gemmJob)(j)
	if g.op.SumB == nil {
		blocks := max(1, ceilDiv(g.kSize, blockK))
		g.packB(i/blocks*g.group, i%blocks*blockK)
		return
	}
	for p0 := 0; p0 < g.kSize; p0 += blockK {
		g.packB(i*g.group, p0)
	}
}

// packB packs a group of columns from (p0, j0) of the slab.
func (g *gemmJob) packB(j0, p0 int) {
	depth, cols := min(blockK, g.kSize-p0), min(g.group, g.nSize-j0)
	row, col := g.p0+p0, g.j0+j0
	m := matrix{g.b, g.n, g.op.TransB}
	if g.op.TransB {
		m.ld = g.k
	}
	g.pack(*g.packed, p0*g.nPad, j0, m.from(row, col), depth, cols, g.nr)
	if g.op.SumB != nil {
		for p := row; p < row+depth; p++ {
			g.isa.add(g.op.SumB[col:col+cols], g.b[p*g.n+col:p*g.n+col+cols])
		}
	}
}

// packA packs rows of A for a worker, from depth p0 on.
func (g *gemmJob) packA(w *worker, i0, rows, p0, depth int) {
	m := matrix{g.a, g.k, !g.op.TransA}
	if g.op.TransA {
		m.ld = g.m
	}
	group := packPanels * g.mr
	for i := 0; i < rows; i += group {
		g.pack(w.packed, 0, i, m.from(p0, i0+i), depth, min(group, rows-i), g.mr)
	}
}

// matrix is an operand seen with its depth going down: row-major, or transposed.
type matrix struct {
	x          []float32
	ld         int
	transposed bool
}

// from is the matrix from a row and a column on.
func (m matrix) from(row, col int) matrix {
	at := row*m.ld + col
	if m.transposed {
		at = col*m.ld + row
	}
	m.x = m.x[min(at, len(m.x)):]
	return m
}

// pack packs depth x n of a matrix into panels of size columns, from column j0 of
// the block that begins at start, as what the product wants of its inputs.
func (g *gemmJob) pack(dst packed, start, j0 int, m matrix, depth, n, size int) {
	s := g.isa
	if g.inputs == bf16s {
		to := dst.words[start/2+j0*ceilDiv(depth, 2):]
		if m.transposed {
			s.packColumnsBF16(to, m.x, m.ld, depth, n, size)
		} else {
			s.packRowsBF16(to, m.x, m.ld, depth, n, size)
		}
		return
	}
	to := dst.floats[start+j0*depth:][:roundUp(n, size)*depth]
	if m.transposed {
		s.packColumns(to, m.x, m.ld, depth, n, size)
	} else {
		s.packRows(to, m.x, m.ld, depth, n, size)
	}
	if g.inputs == rounded {
		s.roundBF16(to, to)
	}
}

// packRows cuts the rows of x [k, n] with leading dimension ld into pieces of size
// values, mr or nr, and makes panels of them: piece j of row p stands at
// j*k*size + p*size. The last panel is filled with zeros.
func (s isa) packRows(dst, x []float32, ld, k, n, size int) {
	whole := n - n%size
	s.packPieces(dst, x, ld, k, n/size, size, k*size)
	if whole == n {
		return
	}
	for p := range k {
		last := dst[whole*k+p*size:][:size]
		clear(last[copy(last, x[p*ld+whole:p*ld+n]):])
	}
}

// packColumns makes the same panels of a matrix that is given transposed, n x k
// with leading dimension ld.
func (s isa) packColumns(dst, x []float32, ld, k, n, size int) {
	for j := 0; j < n; j += size {
		cols := min(size, n-j)
		panel := dst[j*k : (j+size)*k]
		if cols < size {
			clear(panel)
		}
		s.transpose(panel, size, x[j*ld:], ld, cols, k)
	}
}
