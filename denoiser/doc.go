// Package denoiser is the network of continuous diffusion: a Transformer that
// sees noisy embeddings and says, at every position, which token stands there.
//
//	features [b·l, 3D+1]            noise levels t [b]
//	      │ input                        │ sin, cos of f·ln t
//	      ▼                              ▼ MLP 128 → 128
//	   stream [b·l, W] ◀──────────── (γ, β) for every norm
//	      │  × Layers:  x += attention(norm(x));  x += mlp(norm(x))
//	      ▼
//	   norm ──▶ hidden ──head, by chunks of rows──▶ logits [rows, V]
//
// Every norm is a layer norm without weights of its own, followed by a scale
// 1+γ and a shift β that depend on the noise level of the sequence. Attention
// looks both ways (or back only, with Causal) and knows positions by rotation.
// The design is that of Dieleman et al., "Continuous diffusion for categorical
// data" (arXiv 2211.15089); the Fourier features of ln t and the initial values
// are ours.
//
// Invariants:
//
//   - A network is two flat vectors, parameters and gradients, that the caller
//     owns. [Config.Params] names their parts. Gradients are added to and are
//     never cleared here.
//   - A [Pass] owns every activation, allocated when it is made: Forward, Loss,
//     Backward and the rest allocate nothing. So does a [Decoder], which runs a
//     causal network a position at a time.
//   - Logits exist for one chunk of rows at a time, unless they are asked for.
//   - Results do not depend on the number of workers, nor on the capacity of
//     the pass.
//
// The gradients are written out by hand and proved in the tests, against finite
// differences of a float64 network and against the derivatives that Gorgonia
// finds for the same network.
package denoiser
