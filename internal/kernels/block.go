package kernels

// block computes C (+)= A B for a block small enough for the caches.
//
// C is m x n with leading dimension ldc. A is m x k, k <= blockK, with the two
// strides rs (row to row) and cs (column to column); with strides of zero it is
// packed in panels of mr rows (packRows). B is packed in panels of nr columns
// (packRows, packColumns).
func (w *worker) block(c []float32, ldc, m, n, k int, a []float32, rs, cs int, b []float32, accumulate bool) {
	w.pad(a, rs, cs, m, k)
	w.panels(c, ldc, m, n, k, a, rs, cs, b, accumulate)
}

// panels is block for an A of which pad has been told.
func (w *worker) panels(c []float32, ldc, m, n, k int, a []float32, rs, cs int, b []float32, accumulate bool) {
	s := w.isa
	mr, nr := s.mr(), s.nr()
	next, whole := mr*rs, m-m%mr // from panel to panel of A
	if cs == 0 {
		next, rs, cs, whole = mr*k, 1, mr, m
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
				w.storeEdge(c[i*ldc+j:], ldc, nr, min(mr, m-i), min(nr, n-j), accumulate)
			}
		}
	}
}

// panelsBF16 is panels for operands that are both packed as bf16, with pairs of k.
func (w *worker) panelsBF16(c []float32, ldc, m, n, pairs int, a, b []uint32, accumulate bool) {
	for j := 0; j < n; j += bf16NR {
		for i := 0; i < m; i += bf16MR {
			ai, bj := a[i*pairs:], b[j*pairs:]
			if i+bf16MR <= m && j+bf16NR <= n {
				w.isa.tileBF16(c[i*ldc+j:], ldc, pairs, ai, bj, accumulate)
			} else {
				w.isa.tileBF16(w.edgeC, bf16NR, pairs, ai, bj, false)
				w.storeEdge(c[i*ldc+j:], ldc, bf16NR, min(bf16MR, m-i), min(bf16NR, n-j), accumulate)
			}
		}
	}
}

// storeEdge copies or adds the part of the tile in edgeC, size columns wide, that
// lies inside of C.
func (w *worker) storeEdge(c []float32, ldc, size, rows, cols int, accumulate bool) {
	for r := range rows {
		to := c[r*ldc : r*ldc+cols]
		from := w.edgeC[r*size:][:cols]
		if !accumulate {
			copy(to, from)
			continue
		}
		for x := range to {
			to[x] += from[x]
		}
	}
}

// pad packs the last rows (< mr) of an A that is not packed, m x k, into edgeA as
// a panel of mr rows.
func (w *worker) pad(a []float32, rs, cs, m, k int) {
	mr := w.isa.mr()
	whole := m - m%mr
	if cs == 0 || whole == m {
		return
	}
	a = a[min(whole*rs, len(a)):]
	for p := range k {
		to := w.edgeA[p*mr : p*mr+mr]
		clear(to)
		for r := range m - whole {
			to[r] = a[r*rs+p*cs]
		}
	}
}
