// Package arch holds the import rules of the module, as a test.
//
//	cmd/* ─▶ trainer ─▶ trainer/checkpoint, diffusion ─▶ timewarp, embeddings
//	  │         ├─▶ denoiser ─▶ internal/kernels
//	  │         └─▶ pipeline, tokenize (which do not know one another)
//	  └─▶ internal/cli, internal/chart
//
// A package imports what its row in the test allows and nothing else of this
// module, and each foreign library has the few packages that may touch it. A
// new package, or a new edge between two, begins with a line there.
package arch
