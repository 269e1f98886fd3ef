// Package tokenize turns text into token ids and back, losslessly, and reads
// and writes the tokenizer.json that Hugging Face users have.
//
//	text ──scan──▶ words ──word cache──▶ ids
//	                 │ miss          ▲
//	                 └──▶ merges ────┘
//
// There are three kinds of tokenizer:
//
//   - "char": one token for each character seen in training; all else is <unk>.
//   - "byte": one token for each byte.
//   - "bpe":  byte pairs merged by frequency (Sennrich et al. 2016) over the
//     bytes of GPT-2's words (Radford et al. 2019).
//
// Invariants:
//
//   - A [Tokenizer] never changes once made, and may be used by many goroutines.
//   - Byte and BPE: Decode(Encode(s)) == s for every byte string s, be it valid
//     UTF-8 or not. Char: the same for every string of trained characters.
//   - Encode gives the ids that Hugging Face tokenizers gives for the same file
//     with encode_special_tokens set: the text of a special token that stands in
//     a document is text, never the special token.
//   - Parse accepts a file only if it does everything that the file asks for;
//     anything else is refused by its name in the file.
//   - Training is deterministic, and its memory grows with the number of distinct
//     words, not with the length of the text.
package tokenize
