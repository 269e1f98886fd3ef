// Package safetensors writes and reads the safetensors file format, within
// stated bounds.
//
//	8 bytes   N, little endian          N <= 100 MB
//	N bytes   JSON object               {"__metadata__": {...}, NAME: {"dtype", "shape", "data_offsets"}, ...}
//	the rest  data, little endian       each tensor at [begin, end) of it
//
// Invariants of every file that Open accepts: at most 10,000 tensors; names are
// unique; the tensors' data follow one another from the first byte to the last
// with no hole, no overlap and nothing after; each has exactly the bytes that
// its shape and dtype ask for. Nothing is allocated on the word of a header
// before the size of the file has confirmed it. NaN and infinities are values
// like others: the format does not judge numbers.
//
// The format is that of Hugging Face, github.com/huggingface/safetensors
// (README, section "Format").
package safetensors
