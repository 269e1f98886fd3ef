package main

import (
	"fmt"
	"math"
	"strings"
)

// target is an instruction set: its vector registers, their lanes, and the
// micro-kernel's tile in rows and in vectors.
type target struct {
	name   string
	vector string
	lanes  int
	mr, nr int
}

func (t target) bytes() int     { return 4 * t.lanes }
func (t target) v(i int) string { return fmt.Sprintf("%s%d", t.vector, i) }
func (t target) is512() bool    { return t.lanes == 16 }

// assembler gathers the text of one file and the declarations that go with it.
type assembler struct {
	target
	text, decls strings.Builder
	labels      int
	stack       int // bytes of the frame of the next function
}

// op writes one instruction; operands are in Go's order, destination last.
func (a *assembler) op(name string, args ...string) {
	fmt.Fprintf(&a.text, "\t%s\n", strings.TrimSpace(name+" "+strings.Join(args, ", ")))
}

func (a *assembler) label(name string) { fmt.Fprintf(&a.text, "%s:\n", name) }

// param is an argument or a result: a pointer, an int, or a float.
type param struct{ name, kind string }

func ptrs(names ...string) []param { return kind("*float32", names) }
func ints(names ...string) []param { return kind("int", names) }
func f32s(names ...string) []param { return kind("float32", names) }

func kind(k string, names []string) []param {
	var p []param
	for _, n := range names {
		p = append(p, param{n, k})
	}
	return p
}

func list(groups ...[]param) []param {
	var p []param
	for _, g := range groups {
		p = append(p, g...)
	}
	return p
}

// frame maps names of arguments and results to their operands.
type frame map[string]string

// function begins a function: declaration, TEXT line, places of arguments.
func (a *assembler) function(doc, name string, args, results []param) frame {
	name += a.name
	f, offset := frame{}, 0
	place := func(p param) {
		size := map[string]int{"float32": 4}[p.kind]
		if size == 0 {
			size = 8
		}
		offset = (offset + size - 1) / size * size
		f[p.name] = fmt.Sprintf("%s+%d(FP)", p.name, offset)
		offset += size
	}
	var in, out []string
	for _, p := range args {
		place(p)
		in = append(in, p.name+" "+p.kind)
	}
	if len(results) > 0 {
		offset = (offset + 7) / 8 * 8
	}
	for _, p := range results {
		place(p)
		out = append(out, p.name+" "+p.kind)
	}
	result := ""
	if len(out) > 0 {
		result = " (" + strings.Join(out, ", ") + ")"
	}
	fmt.Fprintf(&a.decls, "\n// %s%s %s\n//\n//go:noescape\nfunc %s(%s)%s\n", name, "", doc, name, strings.Join(in, ", "), result)
	fmt.Fprintf(&a.text, "\n// func %s(%s)%s\nTEXT ·%s(SB), NOSPLIT, $%d-%d\n", name, strings.Join(in, ", "), result, name, a.stack, offset)
	return f
}

// load moves arguments into general registers, named alternately.
func (a *assembler) load(f frame, pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		a.op("MOVQ", f[pairs[i]], pairs[i+1])
	}
}

// spread fills a vector register with a float argument.
func (a *assembler) spread(f frame, name string, reg int) {
	a.op("VBROADCASTSS", f[name], a.v(reg))
}

func (a *assembler) ret() {
	a.op("VZEROUPPER")
	a.op("RET")
}

// loop writes body so that it runs while count vectors are left: the counter
// register holds a number of elements, a multiple of lanes.
func (a *assembler) loop(counter string, vectors int, body func()) {
	a.labels++
	begin, end := fmt.Sprintf("loop%d", a.labels), fmt.Sprintf("done%d", a.labels)
	step := fmt.Sprintf("$%d", vectors*a.lanes)
	a.label(begin)
	a.op("CMPQ", counter, step)
	a.op("JLT", end)
	body()
	a.op("SUBQ", step, counter)
	a.op("JMP", begin)
	a.label(end)
}

// at is the memory operand of vector i after a pointer.
func (a *assembler) at(reg string, i int) string {
	return fmt.Sprintf("%d(%s)", i*a.bytes(), reg)
}

// advance moves pointers on by some vectors.
func (a *assembler) advance(vectors int, regs ...string) {
	for _, r := range regs {
		a.op("ADDQ", fmt.Sprintf("$%d", vectors*a.bytes()), r)
	}
}

func (a *assembler) zero(regs ...int) {
	for _, r := range regs {
		x := fmt.Sprintf("X%d", r)
		if r >= 16 { // no VEX encoding; VXORPS on a Z register needs AVX512DQ, which is required
			a.op("VXORPS", a.v(r), a.v(r), a.v(r))
			continue
		}
		a.op("VXORPS", x, x, x) // clears the whole vector
	}
}

// fold reduces vector reg to its lowest lane by an operation such as VADDPS,
// using tmp.
func (a *assembler) fold(operation string, reg, tmp int) {
	x, t := fmt.Sprintf("X%d", reg), fmt.Sprintf("X%d", tmp)
	y, u := fmt.Sprintf("Y%d", reg), fmt.Sprintf("Y%d", tmp)
	if a.is512() {
		a.op("VEXTRACTF64X4", "$1", a.v(reg), u)
		a.op(operation, u, y, y)
	}
	a.op("VEXTRACTF128", "$1", y, t)
	a.op(operation, t, x, x)
	a.op("VPERMILPD", "$1", x, t)
	a.op(operation, t, x, x)
	if strings.HasSuffix(operation, "PS") {
		a.op("VMOVSHDUP", x, t)
		a.op(operation, t, x, x)
	}
}

// constants are spread over a whole vector in read-only memory, so that both
// targets can use them as operands. The numbers are those of portable.go.
var constants = []struct {
	name  string
	value float64
}{
	{"one", 1},
	{"expMin", -88},
	{"expMax", 89},
	{"log2e", 1.44269504088896341},
	{"ln2Hi", 0.693359375},
	{"ln2Lo", -2.12194440e-4},
	{"expC2", 0.49999993447745505},
	{"expC3", 0.16666520630984621},
	{"expC4", 0.041668388052818084},
	{"expC5", 0.008368716966516993},
	{"expC6", 0.0013814598591995707},
	{"geluA", 1.5957691216057308},
	{"minusGeluA", -1.5957691216057308},
	{"minusGeluB", -0.07135481282553006},
	{"geluMax", 80},
	{"gelu3B", 3 * 0.07135481282553006},
	{"lowest", math.Inf(-1)},
}

func mem(name string) string { return "·" + name + "<>(SB)" }

func (a *assembler) header() {
	fmt.Fprintf(&a.text, "// Code generated by asmgen. DO NOT EDIT.\n\n#include \"textflag.h\"\n")
	for _, c := range constants {
		bits := math.Float32bits(float32(c.value))
		a.text.WriteString("\n")
		for i := range a.lanes {
			fmt.Fprintf(&a.text, "DATA ·%s<>+%d(SB)/4, $0x%08x\n", c.name, 4*i, bits)
		}
		fmt.Fprintf(&a.text, "GLOBL ·%s<>(SB), RODATA|NOPTR, $%d\n", c.name, a.bytes())
	}
}
