// Package hub writes what a run has learned as a model folder, the way users of
// Hugging Face's libraries expect one.
//
//	run/ ──trainer.Load──▶ averaged weights, warp, tokenizer
//	                                │
//	     model.safetensors  config.json  tokenizer.json  tokenizer_config.json
//	     generation_config.json  modeling_textwarp.py  README.md
//
// The folder is complete: modeling_textwarp.py, with PyTorch, computes the same
// logits and, from the same noise, the same samples. Matrices are [out, in] in
// it, PyTorch's order, and [in, out] here. The format is in
// docs/formats/model-folder.md.
//
// Invariant: a folder is there whole or not at all, and nothing that Export did
// not write is ever replaced.
package hub
