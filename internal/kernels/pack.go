package kernels

// packJob packs a slab of a gemmJob: first the parts of B, then those of A if it
// is transposed. A part is a group of columns, or of A's rows, of one blockK of
// the depth. Where the rows of B are summed, a part takes all of the depth, so
// that the sum has one order.
type packJob gemmJob

// packGroup is about the number of columns of one part.
const packGroup = 128

// packParts cuts the packing of the slab and returns the number of parts.
func (g *gemmJob) packParts() int {
	g.groupN, g.groupM = roundUp(packGroup, g.isa.nr()), roundUp(packGroup, g.isa.mr())
	if g.op.SumB != nil { // all workers must find something
		g.groupN = min(g.groupN, roundUp(ceilDiv(g.nSize, 2*g.workers), g.isa.nr()))
	}
	blocks := max(1, ceilDiv(g.kSize, blockK))
	g.partsB = blocks * ceilDiv(g.nSize, g.groupN)
	if g.op.SumB != nil {
		g.partsB /= blocks
	}
	g.partsA = 0
	if g.op.TransA {
		g.partsA = blocks * ceilDiv(g.mSize, g.groupM)
	}
	return g.partsB + g.partsA
}

func (j *packJob) do(_ *worker, i int) {
	g := (*gemmJob)(j)
	blocks := max(1, ceilDiv(g.kSize, blockK))
	switch {
	case i >= g.partsB:
		i -= g.partsB
		g.packA(i/blocks*g.groupM, i%blocks*blockK)
	case g.op.SumB == nil:
		g.packB(i/blocks*g.groupN, i%blocks*blockK)
	default:
		for p0 := 0; p0 < g.kSize; p0 += blockK {
			g.packB(i*g.groupN, p0)
		}
	}
}

// packB packs a group of columns from (p0, j0) of the slab.
func (g *gemmJob) packB(j0, p0 int) {
	depth, cols := min(blockK, g.kSize-p0), min(g.groupN, g.nSize-j0)
	to := g.packed.b[p0*g.nPad+j0*depth:]
	row, col := g.p0+p0, g.j0+j0
	if g.op.TransB {
		g.isa.packColumns(to, g.b[min(col*g.k+row, len(g.b)):], g.k, depth, cols)
		return
	}
	from := g.b[min(row*g.n+col, len(g.b)):]
	g.isa.packRows(to, from, g.n, depth, cols)
	if g.op.SumB != nil && g.i0 == 0 {
		for p := range depth {
			g.isa.add(g.op.SumB[col:col+cols], from[p*g.n:p*g.n+cols])
		}
	}
}

// packA packs a group of rows of a transposed A from (p0, i0) of the slab.
func (g *gemmJob) packA(i0, p0 int) {
	depth, rows := min(blockK, g.kSize-p0), min(g.groupM, g.mSize-i0)
	from := g.a[min((g.p0+p0)*g.m+g.i0+i0, len(g.a)):]
	g.isa.packPanels(g.packed.a[p0*g.mPad+i0*depth:], from, g.m, depth, rows)
}

// packRows packs k x n of a row-major B with leading dimension ld into panels
// of nr columns: panel j, row p, column c stands at j*k*nr + p*nr + c. The last
// panel is filled with zeros.
func (s isa) packRows(dst, b []float32, ld, k, n int) {
	s.pack(dst, b, ld, k, n, s.nr())
}

// packPanels packs A given transposed, k x m with leading dimension ld, into
// panels of mr rows.
func (s isa) packPanels(dst, a []float32, ld, k, m int) {
	s.pack(dst, a, ld, k, m, s.mr())
}

// pack cuts the rows of x [k, n] into pieces of size values, padded with zeros,
// and puts all first pieces one behind another, then all second pieces.
func (s isa) pack(dst, x []float32, ld, k, n, size int) {
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

// packColumns packs like packRows a B that is given transposed, n x k with
// leading dimension ld.
func (s isa) packColumns(dst, b []float32, ld, k, n int) {
	nr := s.nr()
	for j := 0; j < n; j += nr {
		cols := min(nr, n-j)
		panel := dst[j*k : (j+nr)*k]
		if cols < nr {
			clear(panel)
		}
		s.transpose(panel, nr, b[j*ld:], ld, cols, k)
	}
}
