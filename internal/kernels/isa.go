package kernels

import "os"

// isa is an instruction level. Its methods are the vector primitives that all
// kernels are written in; see primitives.go.
type isa uint8

const (
	generic isa = iota
	avx2
	avx512
)

var isaNames = [...]string{"generic", "avx2", "avx512"}

func (s isa) String() string { return isaNames[s] }

// The micro-kernel computes a tile of mr rows by nr columns of C.
const (
	maxMR = 14
	maxNR = 32
)

func (s isa) mr() int { return [...]int{4, 6, 14}[s] }
func (s isa) nr() int { return [...]int{4, 16, 32}[s] }

// chooseISA returns the level that TEXTWARP_ISA names, if this processor has
// it, and otherwise the best level that has been proved on real hardware.
// AVX-512 has not been, so it must be asked for.
func chooseISA() isa {
	forced := os.Getenv("TEXTWARP_ISA")
	for s, name := range isaNames {
		if name == forced && isa(s).supported() {
			return isa(s)
		}
	}
	if avx2.supported() {
		return avx2
	}
	return generic
}
