package kernels

// Floats allocates n zeros as fast memory for large matrices: under Linux on
// large pages, where they can be had.
func Floats(n int) []float32 {
	x := make([]float32, n)
	huge(x)
	return x
}
