// Package kernels is the float32 linear algebra under the denoiser: packed
// matrix products, fused attention, layer norm with a modulation, softmax with
// cross-entropy, and the optimiser step, on a pool of worker goroutines.
//
//	caller ──MatMul──▶ slabs of B ──▶ packed once, by all workers
//	                                          │
//	                   parts of C 0..n-1 ──▶ workers claim parts
//	                                          │ micro-kernel  isa.tile, tileBF16
//	                                          ▼ bias, residual, GELU or its gradient
//	                                        tile of C
//
// Three instruction levels sit beneath the same code: portable Go, AVX2 with
// FMA, and AVX-512. NewPool picks the level; see Level. The assembly files are
// written by internal/kernels/asmgen and committed.
//
// Invariants:
//
//   - Matrices are row-major and their leading dimension is their number of
//     columns. Shapes stand in brackets: [rows, columns].
//   - Results are bit-equal for every pool size. An element is computed by one
//     part, and the order of its arithmetic depends on the shapes alone; sums
//     over many parts use blocks whose borders depend on the length alone.
//     Different instruction levels round differently.
//   - No call allocates once the pool is built.
//   - A Pool serves one call at a time; calls from several goroutines are safe
//     and wait for each other. A Task must not call its own pool.
//   - A slice that is too short for the stated shape is a programming error and
//     panics before any work is done.
//
// The blocking follows Goto and van de Geijn, "Anatomy of High-Performance
// Matrix Multiplication" (ACM TOMS 34, 2008). Attention follows Dao et al.,
// "FlashAttention" (2022), in its tiling and its backward pass.
package kernels
