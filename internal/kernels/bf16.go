package kernels

import (
	"math"
	"os"
)

// Mixed precision: the operands of a product are rounded to bf16 while they are
// packed, and their products are added up in float32. A bf16 number is the upper
// half of a float32: the same range, 8 bits of precision. So an operand is off by
// at most 2^-8 of itself, a product of two by 2^-7 (and 2^-16), and a sum by 2^-7
// of the sum of the absolute products beyond what float32 loses; the errors of
// independent numbers mostly cancel.
//
// Two bf16 that are neighbours in k make a word, the even one in its lower half.
// Packed operands are panels of words: bf16MR rows of A or bf16NR columns of B side
// by side, pair of k after pair of k. An odd k is filled up with a zero.
//
// The arithmetic is that of AVX512_BF16 (Intel, Software Developer's Manual,
// volume 2, VCVTNEPS2BF16 and VDPBF16PS), whatever the processor's modes are:
// rounding is to nearest even, denormal numbers are zero on the way in and out, and
// no exception is raised. A NaN stays one.
const (
	bf16MR = 14
	bf16NR = 32
)

// inputs says what the operands of MatMul are turned into when they are packed.
type inputs uint8

const (
	float32s inputs = iota
	bf16s           // words of bf16 for tileBF16
	rounded         // float32 of bf16 precision for the tile of float32
)

// UseBF16 makes MatMul round its operands to bf16, and tells whether it does: a
// processor without AVX512_BF16, on which that would only cost time, stays with
// float32. The environment variable TEXTWARP_BF16=emulate rounds there as well,
// for whoever wants to see what the precision does.
func (p *Pool) UseBF16() bool {
	switch {
	case p.isa.haveBF16():
		p.inputs = bf16s
	case os.Getenv("TEXTWARP_BF16") == "emulate":
		p.inputs = rounded
	}
	return p.inputs != float32s
}

// toBF16 rounds to bf16.
func toBF16(x float32) uint32 {
	bits := math.Float32bits(x)
	switch {
	case x != x:
		return bits>>16 | 1<<6 // quiet: what is left may not look like infinity
	case bits&0x7f800000 == 0:
		return bits >> 31 << 15
	}
	return (bits + 0x7fff + bits>>16&1) >> 16
}

func fromBF16(bits uint32) float32 { return math.Float32frombits(bits << 16) }

func roundBF16Portable(y, x []float32) {
	for i, v := range x {
		y[i] = fromBF16(toBF16(v))
	}
}

// packRowsBF16 packs x [k, n] with leading dimension ld, k running from row to row,
// into panels of size (bf16MR or bf16NR) words: A given transposed, or B.
func (s isa) packRowsBF16(dst []uint32, x []float32, ld, k, n, size int) {
	pairs := ceilDiv(k, 2)
	for p := range pairs {
		even, odd := x[2*p*ld:][:n], []float32(nil)
		if 2*p+1 < k {
			odd = x[(2*p+1)*ld:][:n]
		}
		s.pairRows(dst[p*size:], even, odd, size, pairs*size)
	}
}

// packColumnsBF16 packs x [n, k] with leading dimension ld, k running along the
// rows, into panels of size (bf16MR or bf16NR) words: A, or B given transposed.
func (s isa) packColumnsBF16(dst []uint32, x []float32, ld, k, n, size int) {
	pairs := ceilDiv(k, 2)
	for j := 0; j < n; j += size {
		rows, panel := min(size, n-j), dst[j*pairs:(j+size)*pairs]
		if rows < size {
			clear(panel)
		}
		for i := 0; i < rows && k > 0; i += 16 {
			s.pairColumns(panel[i:], size, x[(j+i)*ld:], ld, min(16, rows-i), k)
		}
	}
}

// pairRowsPortable makes a word of each x[i] and y[i], which may all be missing,
// and cuts them into pieces of size, stride apart; the last is filled with zeros.
func pairRowsPortable(dst []uint32, x, y []float32, size, stride int) {
	for i := 0; i < len(x); i += size {
		piece := dst[i/size*stride:][:size]
		clear(piece)
		for j, v := range x[i:min(i+size, len(x))] {
			piece[j] = toBF16(v)
		}
		if y == nil {
			continue
		}
		for j, v := range y[i:min(i+size, len(y))] {
			piece[j] |= toBF16(v) << 16
		}
	}
}

// pairColumnsPortable makes words of the neighbours in rows of k values: the word
// of pair p and row i stands at p*step + i.
func pairColumnsPortable(dst []uint32, step int, x []float32, ld, rows, k int) {
	for i := range rows {
		row := x[i*ld:][:k]
		for p := range ceilDiv(k, 2) {
			word := toBF16(row[2*p])
			if 2*p+1 < k {
				word |= toBF16(row[2*p+1]) << 16
			}
			dst[p*step+i] = word
		}
	}
}

// tileBF16Portable computes bf16MR x bf16NR elements of C (+)= A B. Products of
// two bf16 are exact in float32; the upper one of a pair is added first.
func tileBF16Portable(c []float32, ldc, pairs int, a, b []uint32, accumulate bool) {
	for r := range bf16MR {
		to := c[r*ldc:][:bf16NR]
		for j := range to {
			var sum float32
			for p := range pairs {
				x, y := a[p*bf16MR+r], b[p*bf16NR+j]
				sum = flush(sum + float32(fromBF16(x>>16)*fromBF16(y>>16)))
				sum = flush(sum + float32(fromBF16(x&0xffff)*fromBF16(y&0xffff)))
			}
			if accumulate {
				sum += to[j]
			}
			to[j] = sum
		}
	}
}

// flush replaces a denormal number by zero.
func flush(x float32) float32 {
	if bits := math.Float32bits(x); bits&0x7f800000 == 0 {
		return math.Float32frombits(bits >> 31 << 31)
	}
	return x
}
