// Package timewarp decides how much training and sampling time each noise level
// gets. It is pure mathematics in float64.
//
// A diffusion language model is trained to recover tokens from embeddings to
// which Gaussian noise of standard deviation t was added. Most noise levels
// teach it nothing: below some t every token is plain to see, above some other t
// nothing is. Continuous diffusion for categorical data (Dieleman et al., 2022)
// therefore draws t from a density that follows the loss: with CE(t) the
// cross-entropy at noise level t,
//
//	u = F(t) = (CE(t) - CE(tmin)) / (CE(tmax) - CE(tmin)),   t = F^-1(u),
//
// so that the loss rises linearly in the warped time u, which training draws
// uniformly and the sampler walks in equal steps.
//
//	CE(t)                             CE
//	 |            .-------  1          |          .
//	 |          .                      |        .
//	 |         .                       |      .
//	 |        .                        |    .
//	 |-------'              0          |  .
//	 +--------------------- ln t       +----------- u = F(t)
//
// The loss curve is not known; it is estimated from the losses of training
// itself, one Observation per sequence. Warp is the interface to all of it:
//
//   - Online computes the warp in closed form after every step. It is the
//     default. Within a few tens of steps it is where the paper's fit is after
//     thousands.
//   - Paper is the fit of the paper, by stochastic gradients, with its options.
//   - Fixed are schedules that do not learn, for comparison.
//
// docs/timewarp.md in the repository explains both estimators and compares
// them; docs/formats/warp.md describes the JSON.
//
// # Invariants
//
// Whatever is observed, be it constant, contradictory, infinite or not a
// number, of any warp: F is continuous and strictly increasing on [TMin, TMax]
// from exactly 0 to exactly 1, Quantile is its inverse and stays in the range,
// Density is positive and finite, and the state is finite and can be saved. A
// warp restored from its JSON continues bit for bit as the saved one would
// have. Nothing here draws random numbers, and results do not depend on the
// number of processors.
package timewarp
