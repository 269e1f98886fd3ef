package kernels

// block computes C (+)= A B for a block small enough for the caches.
//
// C is m x n with leading dimension ldc. A is m x k with the two strides rs
// (row to row) and cs (column to column), k <= blockK. B is packed in panels of
// nr columns (packRows, packColumns).
func (w *worker) block(c []float32, ldc, m, n, k int, a []float32, rs, cs int, b []float32, accumulate bool) {
	s := w.isa
	mr, nr := s.mr(), s.nr()
	whole := m - m%mr
	if whole < m {
		w.padRows(a[min(whole*rs, len(a)):], rs, cs, m-whole, k)
	}
	for j := 0; j < n; j += nr {
		panel := b[j*k:]
		for i := 0; i < m; i += mr {
			ai, ri, ci := a, 1, mr
			if i < whole {
				ai, ri, ci = a[i*rs:], rs, cs
			} else {
				ai = w.edgeA
			}
			if i < whole && j+nr <= n {
				s.tile(c[i*ldc+j:], ldc, k, ai, ri, ci, panel, accumulate)
				continue
			}
			s.tile(w.edgeC, nr, k, ai, ri, ci, panel, false)
			for r := range min(mr, m-i) {
				to := c[(i+r)*ldc+j : (i+r)*ldc+min(j+nr, n)]
				from := w.edgeC[r*nr:][:len(to)]
				if accumulate {
					for x := range to {
						to[x] += from[x]
					}
				} else {
					copy(to, from)
				}
			}
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
	nr := s.nr()
	for j := 0; j < n; j += nr {
		cols := min(nr, n-j)
		panel := dst[j*k : (j+nr)*k]
		for p := range k {
			to := panel[p*nr : p*nr+nr]
			copy(to, b[p*ld+j:p*ld+j+cols])
			clear(to[cols:])
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
