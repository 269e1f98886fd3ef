// Package autoregressive is the baseline of text diffusion: a language model that
// writes from left to right, over the same embeddings and the same network.
//
//	tokens        t0    t1    t2    t3
//	               ▲     ▲     ▲     ▲   cross-entropy of every one
//	network     ┌──┴─────┴─────┴─────┴──┐
//	(causal)    └──▲─────▲─────▲─────▲──┘
//	             blank  e(t0) e(t1) e(t2)  in the place of a given embedding
//
// The network sees at every position the embedding of the token before, where
// diffusion has the tokens that are given; the first position is blank. So every
// token of a window gets a probability, their product is that of the window, and
// the likelihood is exact. The noise level is 1 throughout and says nothing.
//
// A model fills holes if it was trained on windows that were cut in three and
// put in another order, with a sentinel before each part ([FIM]): what follows
// the hole is read before the hole is written (Bavarian et al., "Efficient
// training of language models to fill in the middle", arXiv 2207.14255).
//
// [Objective] trains and scores, [Sampler] writes, a token of every text at a
// time over a cache of what was read.
//
// Invariants: what a text becomes depends on its own stream of random numbers and
// not on its neighbours in the batch; a sentinel is never written.
package autoregressive
