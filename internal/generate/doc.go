// Package generate writes texts with a trained model: what is given of a text
// becomes a [Canvas], and a [Writer] fills the rest in, many texts at a time.
//
//	prompt, or text with holes ──▶ Canvas ──▶ Writer ──▶ Text, Text, Text…
//	                               tokenizer   ├ Diffusion: diffusion.Sampler over a trainer.Trained
//	                                           └ Autoregressive: autoregressive.Sampler over another
//	                                                          │
//	several layouts and candidates ──▶ Search ◀──ranked───────┘
//	                                    └ Ranker: Confidence, Consensus, Judge
//
// Invariant: text number i of a canvas is a function of the model, the writer's
// options and seed, the canvas and i alone. How many are asked for, how they
// are batched and how many cores there are change nothing.
package generate
