// Package eval judges a trained run: a [Report] is all that can be said of it by
// one judge, on one held-out text.
//
//	run ──▶ held-out text   cross-entropy by noise level, likelihood (nats a token,
//	                        bits a byte), slope against squared error, infilling
//	    ──▶ its own text    likelihood and entropy by each judge, words, variety,
//	                        repetition, copying; the same of real text beside it
//
// No figure stands alone. Likelihood has its error and its terms; a sample's
// score has the judge, the sampler and all its settings, the number of samples,
// an error over samples, the entropy it must be read with, and the score of as
// much real text of the same length.
//
// Invariants: a report is a function of the run, the texts, the options and the
// seed, whatever the number of cores. Held-out windows, masks and noise depend on
// the seed of the report and not on that of the run, so that reports of two runs
// with the same tokenizer and window compare the same text.
package eval
