package kernels

// block computes C (+)= A B for a block small enough for the caches.
//
// C is m x n with leading dimension ldc. A is m x k, k <= blockK, with the two
// strides rs (row to row) and cs (column to column); with strides of zero it is
// packed in panels of mr rows (packPanels). B is packed in panels of nr columns
// (packRows, packColumns).
func (w *worker) block(c []float32, ldc, m, n, k int, a []float32, rs, cs int, b []float32, accumulate bool) {
	s := w.isa
	mr, nr := s.mr(), s.nr()
	next, whole := mr*rs, m-m%mr // from panel to panel of A
	switch {
	case cs == 0:
		next, rs, cs, whole = mr*k, 1, mr, m
	case whole < m:
		w.padRows(a[min(whole*rs, len(a)):], rs, cs, m-whole, k)
	}
	for j := 0; j < n; j += nr {
		panel := b[j*k:]
		for i, at := 0, 0; i < m; i, at = i+mr, at+next {
			ai, ri, ci := w.edgeA, 1, mr
			if i < whole {
				ai, ri, ci = a[at:], rs, cs
			}
			if i+mr <= m && j+nr <= n {
				s.tile(c[i*ldc+j:], ldc, k, ai, ri, ci, panel, accumulate)
			} else {
				s.tile(w.edgeC, nr, k, ai, ri, ci, panel, false)
				w.storeEdge(c[i*ldc+j:], ldc, min(mr, m-i), min(nr, n-j), accumulate)
			}
		}
	}
}

// storeEdge copies or adds the part of the tile in edgeC that lies inside of C.
func (w *worker) storeEdge(c []float32, ldc, rows, cols int, accumulate bool) {
	for r := range rows {
		to := c[r*ldc : r*ldc+cols]
		from := w.edgeC[r*w.isa.nr():][:cols]
		if !accumulate {
			copy(to, from)
			continue
		}
		for x := range to {
			to[x] += from[x]
		}
	}
}

// padRows packs the last rows (< mr) of A into edgeA as a panel of mr rows.
func (w *worker) padRows(a []float32, rs, cs, rows, k int) {
	mr := w.isa.mr()
	for p := range k {
		to := w.edgeA[p*mr : p*mr+mr]
		clear(to)
		for r := range rows {
			to[r] = a[r*rs+p*cs]
		}
	}
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
	for p := range k {
		row := x[p*ld : p*ld+n]
		to := dst[p*size : (p+1)*size+k*(roundUp(n, size)-size)]
		s.packRow(to, row[:whole], size, k*size)
		if whole < n {
			last := to[whole*k : whole*k+size]
			clear(last[copy(last, row[whole:]):])
		}
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
