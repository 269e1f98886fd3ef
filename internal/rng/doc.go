// Package rng gives reproducible random numbers without state to save.
//
// A [Stream] is named by (seed, purpose, i, j), for instance the noise of
// sequence j at step i. Every stream can be opened again at any time and gives
// the same numbers, so a checkpoint holds no generator: the step number is
// enough. Streams of different names are independent, so that a draw added for
// one purpose never changes another.
//
// The generator is Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel
// random numbers: as easy as 1, 2, 3", SC 2011): a keyed bijection of a 128-bit
// counter.
package rng
