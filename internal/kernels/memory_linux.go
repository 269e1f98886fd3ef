package kernels

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// huge asks for large pages under the whole ones among them: a matrix then needs
// few entries of the page tables, and far fewer faults when it is first written.
// It is a wish: a system that does not grant it is slower and no different.
func huge(x []float32) {
	const page = 2 << 20
	if len(x)*4 < 2*page {
		return
	}
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), 4*len(x))
	from := -uintptr(unsafe.Pointer(&x[0])) % page
	to := from + (uintptr(len(bytes))-from)/page*page
	_ = unix.Madvise(bytes[from:to], unix.MADV_HUGEPAGE)
}
