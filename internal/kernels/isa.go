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

// chooseISA returns the level that TEXTWARP_ISA names, if this processor has it,
// and otherwise the best one that it has.
func chooseISA() isa {
	forced, best := os.Getenv("TEXTWARP_ISA"), generic
	for i, name := range isaNames {
		if s := isa(i); s.supported() {
			if name == forced {
				return s
			}
			best = s
		}
	}
	return best
}
