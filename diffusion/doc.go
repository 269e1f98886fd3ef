// Package diffusion is the mathematics of continuous diffusion over token
// embeddings: corruption, the reverse process, and what the denoiser may know.
//
//	tokens ──embed──▶ x0 ──Corrupt──▶ x = x0 + tε ──Features──▶ denoiser ──▶ p(token | x)
//	                                   ▲                                         │
//	                                   └── Sampler: x ← x̂0 + (t'/t)(x - x̂0) ◀── x̂0 = Σ p_i e_i
//
// The process is variance-exploding: the noise level t is the standard deviation
// of the noise. Its probability flow dx/dt = -t ∇log p_t(x) needs the score, and
// since a clean position is one of V embeddings the score is the posterior mean
// of the conditional ones, (x̂0 - x)/t² (score interpolation). So a classifier
// of noisy tokens is all there is to train.
//
// Everything works on a [State] through the [Denoiser] interface, which the
// network implements and, in the tests, the exact posterior of a known source.
//
// Invariants: mask 0 is given and 1 is noisy; the condition is zero at noisy
// positions, noise and guess are zero at given ones; a Denoiser never writes the
// state; what a sequence becomes depends on its own noise streams and not on
// its neighbours in the batch.
//
// The process, masks, self-conditioning and sampler are those of Dieleman et
// al., "Continuous diffusion for categorical data", arXiv 2211.15089.
package diffusion
