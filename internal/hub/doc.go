// Package hub writes what a run has learned as a model folder, the way users of
// Hugging Face's libraries expect one, and begins runs with such folders and with
// pretrained embeddings.
//
//	run/ ──trainer.Load──▶ averaged weights, warp, tokenizer
//	                                │
//	     model.safetensors  config.json  tokenizer.json  tokenizer_config.json
//	     generation_config.json  modeling_textwarp.py  README.md
//	                                │
//	     or embeddings: safetensors, GloVe, word2vec
//	                                │
//	new run ◀──trainer.Options.Init── Source
//
// The folder is complete: modeling_textwarp.py, with PyTorch, computes the same
// logits and, from the same noise, the same samples. Matrices are [out, in] in
// it, PyTorch's order, and [in, out] here. The format is in
// docs/formats/model-folder.md.
//
// Invariants: a folder is there whole or not at all, and nothing that Export did
// not write is ever replaced. A run that begins with a folder has its weights,
// settings and warp to the bit; one that cannot is not begun.
package hub
