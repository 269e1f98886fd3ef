// Package judge says how good written text is, by counting.
//
//	training text ──▶ Model   Kneser-Ney n-grams: nats a character of any text
//	              ──▶ Words   which words occur in it
//	              ──▶ Generator   maximum-likelihood n-grams that write
//	samples ──▶ Judge.Score   nll, character entropy, shares of known words, of
//	                          repeated and of copied text, different n-grams
//	        ──▶ Ask           the same pair, nll and entropy, of any other [Scorer]
//
// Generators of order 1 to 5 and real text make a ladder (see [Ladder]) on
// which a trained model's samples find their place: a number such as 3.1 nats
// means little, "between bigram and trigram" means much.
//
// The judge and its word list come from the text that the models learn from,
// so a model that repeats its training text beats real held-out text. Read it
// as a ladder and not as a truth, and read no line without its entropy: text
// that repeats itself is easy to predict.
//
// Invariants: the probabilities of a Model sum to one over its alphabet and the
// unknown character; every figure depends on its inputs and seed alone.
//
// The model is interpolated Kneser-Ney (Chen and Goodman, "An empirical study
// of smoothing techniques for language modeling", 1999, section 2.7).
package judge
