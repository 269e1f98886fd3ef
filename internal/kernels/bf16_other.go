//go:build !amd64

package kernels

func (s isa) haveBF16() bool { return false }

func (s isa) tileBF16(c []float32, ldc, pairs int, a, b []uint32, accumulate bool) {
	tileBF16Portable(c, ldc, pairs, a, b, accumulate)
}

func (s isa) pairRows(dst []uint32, x, y []float32, size, stride int) {
	pairRowsPortable(dst, x, y, size, stride)
}

func (s isa) pairColumns(dst []uint32, step int, x []float32, ld, rows, k int) {
	pairColumnsPortable(dst, step, x, ld, rows, k)
}

func (s isa) roundBF16(y, x []float32) {
	roundBF16Portable(y, x)
}
