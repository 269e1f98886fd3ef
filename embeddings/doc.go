// Package embeddings is the normalised, jointly learned token table.
//
//	raw rows W  ──Refresh──▶  e_i = √D · W_i/‖W_i‖  ──Lookup──▶  noising, conditioning, interpolation
//	grad G  ◀──Backward──  √D/‖W_i‖ · (g - n(n·g))  ◀──Accumulate──  upstream gradient g
//
// Cross-entropy rewards embeddings that grow without bound, since distance makes
// any noise harmless; so all rows are used at norm √D, where a component has
// unit variance. The raw rows are not projected back: the normalisation is part
// of the forward pass and the gradient goes through it. Because that gradient is
// tangential the raw norms only grow, and the rotation of a row slows down by
// itself.
//
// Invariants: E is the only form in which the rest of the program sees a token,
// and [Table.Refresh] the only place that computes it; every row of E has norm
// √D; nothing allocates after [New] on the training path.
//
// See Dieleman et al., "Continuous diffusion for categorical data", arXiv
// 2211.15089, section 3.2.
package embeddings
