package main

import "fmt"

// tile writes the GEMM micro-kernel. All mr x nr vectors of C stay in registers;
// each step of k loads nr vectors of B and spreads mr elements of A.
//
// Rows of A are reached from one base register for each three rows, by the
// addressing modes base, base+rs, base+2rs; so A may lie with any strides.
func (a *assembler) tile() {
	f := a.function("computes one tile of C (+)= A B; strides are in bytes.", "tile",
		list(ptrs("c"), ints("ldc", "k"), ptrs("a"), ints("rs", "cs"), ptrs("b"), ints("accumulate")), nil)
	const (
		ldc, k, rs, cs, b, c = "R8", "CX", "R9", "R10", "BX", "DI"

		unroll = 4
	)
	bases := []string{"SI", "DX", "R11", "R12", "R13"}[:(a.mr+2)/3]
	a.load(f, "c", c, "ldc", ldc, "k", k, "a", bases[0], "rs", rs, "cs", cs, "b", b)
	for i, base := range bases[1:] {
		a.op("LEAQ", fmt.Sprintf("(%s)(%s*2)", bases[i], rs), base)
		a.op("ADDQ", rs, base)
	}
	a.prefetchTile(f, ldc, c)
	first := a.mr * a.nr // registers after the accumulators: B, then two for A
	for i := range a.mr * a.nr {
		a.zero(i)
	}
	step := func(u int) {
		for col := range a.nr {
			a.op("VMOVUPS", a.at(b, u*a.nr+col), a.v(first+col))
		}
		for row := range a.mr {
			base := bases[row/3]
			spread := a.v(first + a.nr + row%2)
			a.op("VBROADCASTSS", []string{
				"(" + base + ")", "(" + base + ")(" + rs + "*1)", "(" + base + ")(" + rs + "*2)",
			}[row%3], spread)
			for col := range a.nr {
				a.op("VFMADD231PS", spread, a.v(first+col), a.acc(row, col))
			}
		}
		for _, base := range bases {
			a.op("ADDQ", cs, base)
		}
	}
	a.deepLoop(k, unroll, step, func(u int) { a.advance(u*a.nr, b) })
	a.storeTile(f, ldc, c)
}

// acc is the register that sums an element of the tile.
func (a *assembler) acc(row, col int) string { return a.v(row*a.nr + col) }

// prefetchTile asks for C, which is needed at the end and lies anywhere.
func (a *assembler) prefetchTile(f frame, ldc, c string) {
	for row := range a.mr {
		for line := range a.nr * a.bytes() / 64 {
			a.op("PREFETCHT0", fmt.Sprintf("%d(%s)", 64*line, c))
		}
		if row < a.mr-1 {
			a.op("ADDQ", ldc, c)
		}
	}
	a.op("MOVQ", f["c"], c)
}

// deepLoop does k steps, several in a round and then single ones; next moves the
// pointers on after a round.
func (a *assembler) deepLoop(k string, unroll int, step, next func(int)) {
	loop := func(name, done string, u int) {
		a.label(name)
		a.op("CMPQ", k, fmt.Sprintf("$%d", u))
		a.op("JLT", done)
		for i := range u {
			step(i)
		}
		next(u)
		a.op("SUBQ", fmt.Sprintf("$%d", u), k)
		a.op("JMP", name)
		a.label(done)
	}
	loop("deep", "rest", unroll)
	loop("single", "store", 1)
}

// storeTile writes the sums to C, or adds them to it, and returns.
func (a *assembler) storeTile(f frame, ldc, c string) {
	a.op("CMPQ", f["accumulate"], "$0")
	a.op("JEQ", "write")
	for _, add := range []bool{true, false} {
		if !add {
			a.label("write")
			a.op("MOVQ", f["c"], c)
		}
		for row := range a.mr {
			for col := range a.nr {
				if add {
					a.op("VADDPS", a.at(c, col), a.acc(row, col), a.acc(row, col))
				} else {
					a.op("VMOVUPS", a.acc(row, col), a.at(c, col))
				}
			}
			if row < a.mr-1 {
				a.op("ADDQ", ldc, c)
			}
		}
	}
	a.ret()
}

// peak writes the machine's limit: multiply-adds that wait for nothing but the
// multiply-add units.
func (a *assembler) peak() {
	f := a.function("does rounds x 12 independent vector multiply-adds.", "peak", ints("rounds"), nil)
	a.load(f, "rounds", "CX")
	for i := range peakChains + 2 {
		a.zero(i)
	}
	a.label("again")
	for i := range peakChains {
		a.op("VFMADD231PS", a.v(peakChains), a.v(peakChains+1), a.v(i))
	}
	a.op("DECQ", "CX")
	a.op("JNE", "again")
	a.ret()
}

const peakChains = 12

// transpose writes an 8 x k transposition in 8 x 8 blocks.
func (a *assembler) transpose() {
	f := a.function("writes dst[p*ld+i] = b[i*ldb+p] for i < 8, p < k; k is a multiple of 8, strides are in bytes.", "transpose",
		list(ptrs("dst"), ints("ld"), ptrs("b"), ints("ldb", "k")), nil)
	a.load(f, "dst", "DI", "ld", "R8", "b", "SI", "ldb", "R9", "k", "CX")
	// rows 0..2 from SI, 3..5 from DX, 6..7 from R11
	a.op("LEAQ", "(SI)(R9*2)", "DX")
	a.op("ADDQ", "R9", "DX")
	a.op("LEAQ", "(DX)(R9*2)", "R11")
	a.op("ADDQ", "R9", "R11")
	rows := []string{"(SI)", "(SI)(R9*1)", "(SI)(R9*2)", "(DX)", "(DX)(R9*1)", "(DX)(R9*2)", "(R11)", "(R11)(R9*1)"}
	a.loop("CX", 1, func() {
		for i, r := range rows {
			a.op("VMOVUPS", r, a.v(i))
		}
		for i := range 4 { // pairs of rows, interleaved by one
			a.op("VUNPCKLPS", a.v(2*i+1), a.v(2*i), a.v(8+2*i))
			a.op("VUNPCKHPS", a.v(2*i+1), a.v(2*i), a.v(9+2*i))
		}
		for i := range 2 { // fours of rows
			for j := range 2 {
				lo, hi := 8+4*i+j, 8+4*i+2+j
				a.op("VUNPCKLPD", a.v(hi), a.v(lo), a.v(4*i+2*j))
				a.op("VUNPCKHPD", a.v(hi), a.v(lo), a.v(4*i+2*j+1))
			}
		}
		for i := range 4 { // both halves
			a.op("VPERM2F128", "$0x20", a.v(4+i), a.v(i), a.v(8+i))
			a.op("VPERM2F128", "$0x31", a.v(4+i), a.v(i), a.v(12+i))
		}
		for i := range 8 {
			a.op("VMOVUPS", a.v(8+i), "(DI)")
			a.op("ADDQ", "R8", "DI")
		}
		a.advance(1, "SI", "DX", "R11")
	})
	a.ret()
}

// packRows writes the copy of a matrix whose rows are cut into pieces of size
// floats, to places a stride apart; the pieces of the next row follow those of
// the row before. It packs B (size nr vectors) and a transposed A (size mr). The
// rows lie far apart, where hardware does not look ahead: so it is told to.
func (a *assembler) packRows(name string, size int) {
	f := a.function(fmt.Sprintf("copies rows of pieces of %d values to places stride bytes apart.", size), name,
		list(ptrs("dst", "src"), ints("ld", "rows", "pieces", "stride")), nil)
	a.load(f, "dst", "R8", "src", "R9", "ld", "R10", "rows", "BX", "pieces", "R11", "stride", "DX")
	a.op("LEAQ", "(R9)(R10*4)", "R12")
	a.label("row")
	a.op("CMPQ", "BX", "$1")
	a.op("JLT", "end")
	a.op("MOVQ", "R8", "DI")
	a.op("MOVQ", "R9", "SI")
	a.op("MOVQ", "R12", "R13")
	a.op("MOVQ", "R11", "CX")
	a.label("piece")
	a.op("PREFETCHT0", "(R13)")
	for done, reg := 0, 0; done < size; reg++ {
		left := size - done
		move, register, width := "VMOVSD", fmt.Sprintf("X%d", reg), 2
		switch {
		case left >= 16 && a.is512():
			move, register, width = "VMOVUPS", fmt.Sprintf("Z%d", reg), 16
		case left >= 8:
			move, register, width = "VMOVUPS", fmt.Sprintf("Y%d", reg), 8
		case left >= 4:
			move, register, width = "VMOVUPS", fmt.Sprintf("X%d", reg), 4
		}
		a.op(move, fmt.Sprintf("%d(SI)", 4*done), register)
		a.op(move, register, fmt.Sprintf("%d(DI)", 4*done))
		done += width
	}
	a.op("ADDQ", fmt.Sprintf("$%d", 4*size), "SI")
	a.op("ADDQ", fmt.Sprintf("$%d", 4*size), "R13")
	a.op("ADDQ", "DX", "DI")
	a.op("DECQ", "CX")
	a.op("JNE", "piece")
	a.op("ADDQ", fmt.Sprintf("$%d", 4*size), "R8")
	a.op("ADDQ", "R10", "R9")
	a.op("ADDQ", "R10", "R12")
	a.op("DECQ", "BX")
	a.op("JMP", "row")
	a.label("end")
	a.ret()
}

// pause writes a short rest for spinning workers.
func (a *assembler) pause() {
	a.text.WriteString("\n// func pause()\nTEXT ·pause(SB), NOSPLIT, $0-0\n")
	a.op("PAUSE")
	a.op("RET")
	a.decls.WriteString("\n// pause rests the processor for some tens of cycles inside a spin loop.\n//\n//go:noescape\nfunc pause()\n")
}
