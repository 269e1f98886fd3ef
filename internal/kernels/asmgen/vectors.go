package main

import "fmt"

// exp writes e^x of several vectors x to registers p, using registers n; see exp32
// in portable.go. low and high hold the constants expMin and expMax: MAX and MIN
// return their last operand when one is NaN, and that must be x.
//
// The steps of one vector wait for each other, so several vectors go through
// them side by side.
func (a *assembler) exp(x, n, p []int, low, high int) {
	v := a.v
	each := func(step func(x, n, p string)) {
		for i := range x {
			step(v(x[i]), v(n[i]), v(p[i]))
		}
	}
	each(func(x, n, p string) { a.op("VMAXPS", x, v(low), x) })
	each(func(x, n, p string) { a.op("VMINPS", x, v(high), x) })
	each(func(x, n, p string) { a.op("VMULPS", mem("log2e"), x, n) })
	each(func(x, n, p string) { a.op("VCVTPS2DQ", n, n) })
	each(func(x, n, p string) { a.op("VCVTDQ2PS", n, p) })
	each(func(x, n, p string) { a.op("VFNMADD231PS", mem("ln2Hi"), p, x) })
	each(func(x, n, p string) { a.op("VFNMADD231PS", mem("ln2Lo"), p, x) })
	each(func(x, n, p string) { a.op("VPSLLD", "$23", n, n) })
	each(func(x, n, p string) { a.op("VMOVUPS", mem("expC6"), p) })
	for _, c := range []string{"expC5", "expC4", "expC3", "expC2", "one", "one"} {
		each(func(x, n, p string) { a.op("VFMADD213PS", mem(c), x, p) })
	}
	each(func(x, n, p string) { a.op("VPADDD", mem("one"), n, n) }) // the bits of 1.0 are the exponent's zero
	each(func(x, n, p string) { a.op("VMULPS", n, p, p) })
}

// sideBySide gives each of count vectors the registers from 0 on, so many each:
// lanes[r][i] is register r of vector i.
func sideBySide(count, registers int) (lanes [][]int) {
	lanes = make([][]int, registers)
	for i := range count {
		for r := range registers {
			lanes[r] = append(lanes[r], registers*i+r)
		}
	}
	return lanes
}

func (a *assembler) expLimits(low, high int) {
	a.op("VMOVUPS", mem("expMin"), a.v(low))
	a.op("VMOVUPS", mem("expMax"), a.v(high))
}

// geluExp loads count vectors from SI and writes e^-2u of each, of which GELU and
// its gradient are made (see geluPortable), to registers p.
func (a *assembler) geluExp(count int) (x, n, p []int) {
	v, r := a.v, sideBySide(count, 3)
	x, n, p = r[0], r[1], r[2]
	for i := range count {
		a.op("VMOVUPS", a.at("SI", i), v(x[i]))
		a.op("VMULPS", v(x[i]), v(x[i]), v(n[i]))
		a.op("VMOVUPS", mem("minusGeluB"), v(p[i]))
		a.op("VFMADD213PS", mem("minusGeluA"), v(p[i]), v(n[i])) // -(A + B x^2)
		a.op("VMULPS", v(n[i]), v(x[i]), v(x[i]))
	}
	a.exp(x, n, p, 14, 15)
	return x, n, p
}

// elementwise writes the primitives that map vectors to vectors.
func (a *assembler) elementwise() {
	v := a.v

	f := a.function("writes y = GELU(x).", "gelu", list(ptrs("y", "x"), ints("n")), nil)
	a.load(f, "y", "DI", "x", "SI", "n", "CX")
	a.expLimits(14, 15)
	for _, count := range []int{4, 1} {
		a.loop("CX", count, func() {
			x, _, p := a.geluExp(count)
			for i := range count {
				a.op("VADDPS", mem("one"), v(p[i]), v(p[i]))
				a.op("VMOVUPS", a.at("SI", i), v(x[i]))
				a.op("VDIVPS", v(p[i]), v(x[i]), v(x[i]))
				a.op("VMOVUPS", v(x[i]), a.at("DI", i))
			}
			a.advance(count, "SI", "DI")
		})
	}
	a.ret()

	f = a.function("writes dx = dy GELU'(x).", "geluGrad", list(ptrs("dx", "dy", "x"), ints("n")), nil)
	a.load(f, "dx", "DI", "dy", "DX", "x", "SI", "n", "CX")
	a.expLimits(14, 15)
	a.op("VMOVUPS", mem("geluMax"), v(15))
	for _, count := range []int{4, 1} {
		a.loop("CX", count, func() {
			x, n, p := a.geluExp(count)
			for i := range count {
				x, s, p := v(x[i]), v(n[i]), v(p[i])
				a.op("VMOVUPS", mem("one"), x)
				a.op("VADDPS", x, p, s)
				a.op("VDIVPS", s, x, s)
				a.op("VMULPS", s, p, p) // 1 - s, without cancellation
				a.op("VMULPS", s, p, p)
				a.op("VMOVUPS", a.at("SI", i), x)
				a.op("VMULPS", x, p, p) // s (1 - s) x
				a.op("VMULPS", x, x, x)
				a.op("VMULPS", mem("gelu3B"), x, x)
				a.op("VADDPS", mem("geluA"), x, x) // A + 3B x^2
				a.op("VFMADD231PS", x, p, s)
				a.op("VMULPS", a.at("DX", i), s, s)
				a.op("VMOVUPS", s, a.at("DI", i))
			}
			a.advance(count, "SI", "DX", "DI")
		})
	}
	a.ret()

	f = a.function("writes y = y*by.", "scale", list(ptrs("y"), ints("n"), f32s("by")), nil)
	a.load(f, "y", "DI", "n", "CX")
	a.spread(f, "by", 0)
	a.loop("CX", 1, func() {
		a.op("VMULPS", "(DI)", v(0), v(1))
		a.op("VMOVUPS", v(1), "(DI)")
		a.advance(1, "DI")
	})
	a.ret()

	f = a.function("writes y = y + x.", "add", list(ptrs("y", "x"), ints("n")), nil)
	a.load(f, "y", "DI", "x", "SI", "n", "CX")
	a.loop("CX", 1, func() {
		a.op("VMOVUPS", "(DI)", v(0))
		a.op("VADDPS", "(SI)", v(0), v(0))
		a.op("VMOVUPS", v(0), "(DI)")
		a.advance(1, "SI", "DI")
	})
	a.ret()

	f = a.function("writes dx = p (dx - d) by.", "softmaxGrad", list(ptrs("dx", "p"), ints("n"), f32s("d", "by")), nil)
	a.load(f, "dx", "DI", "p", "SI", "n", "CX")
	a.spread(f, "d", 0)
	a.spread(f, "by", 1)
	a.loop("CX", 1, func() {
		a.op("VMOVUPS", "(DI)", v(2))
		a.op("VSUBPS", v(0), v(2), v(2))
		a.op("VMULPS", "(SI)", v(2), v(2))
		a.op("VMULPS", v(1), v(2), v(2))
		a.op("VMOVUPS", v(2), "(DI)")
		a.advance(1, "SI", "DI")
	})
	a.ret()

	f = a.function("turns the pairs (x, y) by an angle; sign is 1, or -1 to turn back.", "rotate",
		list(ptrs("x", "y", "cos", "sin"), ints("n"), f32s("sign")), nil)
	a.load(f, "x", "DI", "y", "SI", "cos", "DX", "sin", "BX", "n", "CX")
	a.spread(f, "sign", 0)
	a.loop("CX", 1, func() {
		a.op("VMOVUPS", "(DI)", v(1))
		a.op("VMOVUPS", "(SI)", v(2))
		a.op("VMOVUPS", "(DX)", v(3))
		a.op("VMULPS", "(BX)", v(0), v(4))
		a.op("VMULPS", v(3), v(1), v(5))
		a.op("VFNMADD231PS", v(4), v(2), v(5))
		a.op("VMULPS", v(3), v(2), v(6))
		a.op("VFMADD231PS", v(4), v(1), v(6))
		a.op("VMOVUPS", v(5), "(DI)")
		a.op("VMOVUPS", v(6), "(SI)")
		a.advance(1, "DI", "SI", "DX", "BX")
	})
	a.ret()
}

// reduce writes a loop over n elements into four running vectors from register
// 0 on, then folds them into one result.
func (a *assembler) reduce(operation string, pointers []string, body func(vector, acc int)) {
	for _, count := range []int{4, 1} {
		a.loop("CX", count, func() {
			for i := range count {
				body(i, i)
			}
			a.advance(count, pointers...)
		})
	}
	a.op(operation, a.v(1), a.v(0), a.v(0))
	a.op(operation, a.v(3), a.v(2), a.v(2))
	a.op(operation, a.v(2), a.v(0), a.v(0))
	a.fold(operation, 0, 1)
}

// reductions writes the primitives that return a number.
func (a *assembler) reductions() {
	v := a.v
	result := func(f frame, move string) {
		a.op(move, "X0", f["ret"])
		a.ret()
	}

	f := a.function("returns the largest element.", "max", list(ptrs("x"), ints("n")), f32s("ret"))
	a.load(f, "x", "SI", "n", "CX")
	for i := range 4 {
		a.op("VMOVUPS", mem("lowest"), v(i))
	}
	a.reduce("VMAXPS", []string{"SI"}, func(i, acc int) { a.op("VMAXPS", a.at("SI", i), v(acc), v(acc)) })
	result(f, "VMOVSS")

	f = a.function("returns the sum.", "sum", list(ptrs("x"), ints("n")), f32s("ret"))
	a.load(f, "x", "SI", "n", "CX")
	a.zero(0, 1, 2, 3)
	a.reduce("VADDPS", []string{"SI"}, func(i, acc int) { a.op("VADDPS", a.at("SI", i), v(acc), v(acc)) })
	result(f, "VMOVSS")

	f = a.function("returns the sum of x y.", "dot", list(ptrs("x", "y"), ints("n")), f32s("ret"))
	a.load(f, "x", "SI", "y", "DI", "n", "CX")
	a.zero(0, 1, 2, 3)
	a.reduce("VADDPS", []string{"SI", "DI"}, func(i, acc int) {
		a.op("VMOVUPS", a.at("SI", i), v(4+i))
		a.op("VFMADD231PS", a.at("DI", i), v(4+i), v(acc))
	})
	result(f, "VMOVSS")

	f = a.function("returns the sum of (x - mean)^2.", "sumSquaresFrom", list(ptrs("x"), ints("n"), f32s("mean")), f32s("ret"))
	a.load(f, "x", "SI", "n", "CX")
	a.spread(f, "mean", 8)
	a.zero(0, 1, 2, 3)
	a.reduce("VADDPS", []string{"SI"}, func(i, acc int) {
		a.op("VSUBPS", a.at("SI", i), v(8), v(4+i))
		a.op("VFMADD231PS", v(4+i), v(4+i), v(acc))
	})
	result(f, "VMOVSS")

	f = a.function("returns the sum of x^2, added up in float64.", "sumSquares", list(ptrs("x"), ints("n")),
		[]param{{"ret", "float64"}})
	a.load(f, "x", "SI", "n", "CX")
	a.zero(0, 1, 2, 3)
	half := func(i int) string { return fmt.Sprintf("%d(SI)", i*a.bytes()/2) }
	for _, count := range []int{2, 1} {
		a.loop("CX", count, func() {
			for i := range 2 * count {
				a.op("VCVTPS2PD", half(i), v(4+i))
				a.op("VFMADD231PD", v(4+i), v(4+i), v(i))
			}
			a.advance(count, "SI")
		})
	}
	a.op("VADDPD", v(1), v(0), v(0))
	a.op("VADDPD", v(3), v(2), v(2))
	a.op("VADDPD", v(2), v(0), v(0))
	a.fold("VADDPD", 0, 1)
	result(f, "VMOVSD")

	// The registers of AVX2 do not reach for the sum, which lives on the stack.
	a.stack = a.bytes()
	f = a.function("writes y = exp(by*x - sub) and returns the sum of y.", "expSum",
		list(ptrs("y", "x"), ints("n"), f32s("by", "sub")), f32s("ret"))
	a.stack = 0
	sum := fmt.Sprintf("sum-%d(SP)", a.bytes())
	a.load(f, "y", "DI", "x", "SI", "n", "CX")
	a.zero(0)
	a.op("VMOVUPS", v(0), sum)
	a.spread(f, "by", 12)
	a.spread(f, "sub", 13)
	a.expLimits(14, 15)
	for _, count := range []int{4, 1} {
		a.loop("CX", count, func() {
			r := sideBySide(count, 3)
			x, n, p := r[0], r[1], r[2]
			for i := range count {
				a.op("VMOVUPS", a.at("SI", i), v(x[i]))
				a.op("VFMSUB213PS", v(13), v(12), v(x[i]))
			}
			a.exp(x, n, p, 14, 15)
			for i := range count {
				a.op("VMOVUPS", v(p[i]), a.at("DI", i))
			}
			for half := count / 2; half > 0; half /= 2 {
				for i := range half {
					a.op("VADDPS", v(p[i+half]), v(p[i]), v(p[i]))
				}
			}
			a.op("VADDPS", sum, v(p[0]), v(p[0]))
			a.op("VMOVUPS", v(p[0]), sum)
			a.advance(count, "SI", "DI")
		})
	}
	a.op("VMOVUPS", sum, v(0))
	a.fold("VADDPS", 0, 1)
	result(f, "VMOVSS")
}

// norms writes the bodies of layer norm.
func (a *assembler) norms() {
	v := a.v

	f := a.function("writes y = (x - mean) rstd (1 + scale) + shift.", "normalise",
		list(ptrs("y", "x", "scale", "shift"), ints("n"), f32s("mean", "rstd")), nil)
	a.load(f, "y", "DI", "x", "SI", "scale", "DX", "shift", "BX", "n", "CX")
	a.spread(f, "mean", 8)
	a.spread(f, "rstd", 9)
	a.op("VMOVUPS", mem("one"), v(10))
	a.loop("CX", 1, func() {
		a.op("VMOVUPS", "(SI)", v(0))
		a.op("VSUBPS", v(8), v(0), v(0))
		a.op("VMULPS", v(9), v(0), v(0))
		a.op("VADDPS", "(DX)", v(10), v(1))
		a.op("VFMADD213PS", "(BX)", v(1), v(0))
		a.op("VMOVUPS", v(0), "(DI)")
		a.advance(1, "DI", "SI", "DX", "BX")
	})
	a.ret()

	f = a.function("adds a row to dscale and dshift; returns the sums of g = dy (1 + scale) and of g (x - mean) rstd.", "normGradSums",
		list(ptrs("dscale", "dshift", "dy", "x", "scale"), ints("n"), f32s("mean", "rstd")), f32s("sumG", "sumGH"))
	a.load(f, "dscale", "DI", "dshift", "BX", "dy", "DX", "x", "SI", "scale", "R8", "n", "CX")
	a.spread(f, "mean", 8)
	a.spread(f, "rstd", 9)
	a.zero(0, 1)
	a.loop("CX", 1, func() {
		a.op("VMOVUPS", "(SI)", v(2))
		a.op("VSUBPS", v(8), v(2), v(2))
		a.op("VMULPS", v(9), v(2), v(2)) // h
		a.op("VMOVUPS", "(DX)", v(3))
		a.op("VMOVUPS", "(DI)", v(4))
		a.op("VFMADD231PS", v(2), v(3), v(4))
		a.op("VMOVUPS", v(4), "(DI)")
		a.op("VADDPS", "(BX)", v(3), v(4))
		a.op("VMOVUPS", v(4), "(BX)")
		a.op("VFMADD231PS", "(R8)", v(3), v(3)) // g = dy + dy scale
		a.op("VADDPS", v(3), v(0), v(0))
		a.op("VFMADD231PS", v(2), v(3), v(1))
		a.advance(1, "DI", "BX", "DX", "SI", "R8")
	})
	a.fold("VADDPS", 0, 2)
	a.fold("VADDPS", 1, 2)
	a.op("VMOVSS", "X0", f["sumG"])
	a.op("VMOVSS", "X1", f["sumGH"])
	a.ret()

	f = a.function("adds rstd (dy (1 + scale) - meanG - meanGH (x - mean) rstd) to dx.", "normGrad",
		list(ptrs("dx", "dy", "x", "scale"), ints("n"), f32s("mean", "rstd", "meanG", "meanGH")), nil)
	a.load(f, "dx", "DI", "dy", "DX", "x", "SI", "scale", "R8", "n", "CX")
	for i, name := range []string{"mean", "rstd", "meanG", "meanGH"} {
		a.spread(f, name, 8+i)
	}
	a.loop("CX", 1, func() {
		a.op("VMOVUPS", "(SI)", v(2))
		a.op("VSUBPS", v(8), v(2), v(2))
		a.op("VMULPS", v(9), v(2), v(2))
		a.op("VMOVUPS", "(DX)", v(3))
		a.op("VFMADD231PS", "(R8)", v(3), v(3))
		a.op("VSUBPS", v(10), v(3), v(3))
		a.op("VFNMADD231PS", v(11), v(2), v(3))
		a.op("VMOVUPS", "(DI)", v(4))
		a.op("VFMADD231PS", v(9), v(3), v(4))
		a.op("VMOVUPS", v(4), "(DI)")
		a.advance(1, "DI", "DX", "SI", "R8")
	})
	a.ret()
}

// adamw writes the optimiser step. Its factors stand in registers 16 - i from
// the struct adamFactors, in order.
func (a *assembler) adamw() {
	v := a.v
	f := a.function("makes one AdamW step; ema may be nil.", "adamw",
		list(ptrs("w", "grad", "m", "v", "ema"), ints("n"), []param{{"c", "*adamFactors"}}), nil)
	a.load(f, "w", "DI", "grad", "SI", "m", "DX", "v", "BX", "ema", "R8", "n", "CX", "c", "R9")
	const clip, b1, a1, b2, a2, rate, root, eps, keep, decay, fresh = 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	for i := range 11 {
		a.op("VBROADCASTSS", fmt.Sprintf("%d(R9)", 4*i), v(clip+i))
	}
	a.loop("CX", 1, func() {
		a.labels++
		skip := fmt.Sprintf("average%d", a.labels)
		a.op("VMULPS", "(SI)", v(clip), v(0))
		a.op("VMULPS", "(DX)", v(b1), v(1))
		a.op("VFMADD231PS", v(a1), v(0), v(1))
		a.op("VMOVUPS", v(1), "(DX)")
		a.op("VMULPS", v(0), v(0), v(0))
		a.op("VMULPS", "(BX)", v(b2), v(2))
		a.op("VFMADD231PS", v(a2), v(0), v(2))
		a.op("VMOVUPS", v(2), "(BX)")
		a.op("VSQRTPS", v(2), v(2))
		a.op("VFMADD213PS", v(eps), v(root), v(2))
		a.op("VMULPS", v(rate), v(1), v(1))
		a.op("VDIVPS", v(2), v(1), v(1))
		a.op("VMOVUPS", "(DI)", v(3))
		a.op("VFMSUB213PS", v(1), v(keep), v(3))
		a.op("VMOVUPS", v(3), "(DI)")
		a.op("TESTQ", "R8", "R8")
		a.op("JEQ", skip)
		a.op("VMULPS", "(R8)", v(decay), v(4))
		a.op("VFMADD231PS", v(fresh), v(3), v(4))
		a.op("VMOVUPS", v(4), "(R8)")
		a.advance(1, "R8")
		a.label(skip)
		a.advance(1, "DI", "SI", "DX", "BX")
	})
	a.ret()
}
