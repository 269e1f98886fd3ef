package main

import (
	"encoding/binary"
	"fmt"
)

// instruction is one of AVX512_BF16, which Go's assembler does not know: 512 bits
// wide, with an EVEX prefix of F3 and W = 0, in the opcode map 0F38. See Intel's
// Software Developer's Manual, volume 2, 2.7.1.
type instruction byte

const (
	vdpbf16ps     instruction = 0x52
	vcvtneps2bf16 instruction = 0x72
)

// encode returns the bytes of an instruction on three of the registers Z0 to Z31,
// in Go's order: the last operand is written. An instruction that has two operands
// takes 0 for the middle one. The higher bits of the registers stand inverted.
func (i instruction) encode(src2, src1, dst int) [6]byte {
	bit := func(register, n, at int) byte { return byte(^register>>n&1) << at }
	return [6]byte{
		0x62,
		bit(dst, 3, 7) | bit(src2, 4, 6) | bit(src2, 3, 5) | bit(dst, 4, 4) | 2, // map 0F38
		byte(^src1&15)<<3 | 1<<2 | 2, // F3
		2<<5 | bit(src1, 4, 3),       // 512 bits; no mask
		byte(i),
		3<<6 | byte(dst&7)<<3 | byte(src2&7),
	}
}

// dotPairs adds the products of the bf16 in x and y, two to a word, to the float32
// in sum.
func (a *assembler) dotPairs(x, y, sum int) {
	a.bytesOf(vdpbf16ps.encode(x, y, sum), fmt.Sprintf("VDPBF16PS Z%d, Z%d, Z%d", x, y, sum))
}

// toPairs rounds the float32 in lo and hi to bf16: those of lo become the lower
// half of register lo, those of hi the upper half. VCVTNE2PS2BF16 does the same at
// once, but the emulator that these bodies are tested in takes both halves of it
// from one operand.
func (a *assembler) toPairs(hi, lo int) {
	for _, r := range []int{lo, hi} {
		a.bytesOf(vcvtneps2bf16.encode(r, 0, r), fmt.Sprintf("VCVTNEPS2BF16 Z%d, Y%d", r, r))
	}
	a.op("VINSERTI64X4", "$1", fmt.Sprintf("Y%d", hi), a.v(lo), a.v(lo))
}

func (a *assembler) bytesOf(b [6]byte, comment string) {
	fmt.Fprintf(&a.text, "\tLONG $0x%08x; WORD $0x%04x // %s\n",
		binary.LittleEndian.Uint32(b[:]), binary.LittleEndian.Uint16(b[4:]), comment)
}
