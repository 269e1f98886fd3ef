package kernels

import "golang.org/x/sys/cpu"

// haveBF16 tells whether the processor multiplies bf16 at this level. The flag is
// bit 5 of EAX in CPUID leaf 7, subleaf 1; that the system saves the registers is
// asked for with AVX-512 itself.
func (s isa) haveBF16() bool { return s == avx512 && avx512.supported() && cpu.X86.HasAVX512BF16 }

// tileBF16 computes bf16MR x bf16NR elements of C (+)= A B from one panel each.
func (s isa) tileBF16(c []float32, ldc, pairs int, a, b []uint32, accumulate bool) {
	if pairs == 0 || !s.haveBF16() {
		tileBF16Portable(c, ldc, pairs, a, b, accumulate)
		return
	}
	add := 0
	if accumulate {
		add = 1
	}
	tileBF16(&c[0], 4*ldc, pairs, &a[0], &b[0], add)
}

// pairRows packs two rows, the second of which may be missing; see
// pairRowsPortable.
func (s isa) pairRows(dst []uint32, x, y []float32, size, stride int) {
	var odd *float32
	if y != nil {
		odd = &y[0]
	}
	switch {
	case len(x) == 0:
	case !s.haveBF16():
		pairRowsPortable(dst, x, y, size, stride)
	case size == bf16MR:
		pairRowsABF16(&dst[0], &x[0], odd, len(x), 4*stride)
	default:
		pairRowsBBF16(&dst[0], &x[0], odd, len(x), 4*stride)
	}
}

// pairColumns packs up to 16 rows; see pairColumnsPortable.
func (s isa) pairColumns(dst []uint32, step int, x []float32, ld, rows, k int) {
	if !s.haveBF16() {
		pairColumnsPortable(dst, step, x, ld, rows, k)
		return
	}
	pairColumnsBF16(&dst[0], 4*step, &x[0], 4*ld, rows, k)
}

// roundBF16 writes x rounded to bf16, as float32; y may be x.
func (s isa) roundBF16(y, x []float32) {
	n := 0
	if s != generic {
		if n = len(x) &^ 7; n > 0 {
			roundBF16AVX2(&y[0], &x[0], n)
		}
	}
	roundBF16Portable(y[n:], x[n:])
}
