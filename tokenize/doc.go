// Package tokenize turns text into token ids and back, and reads and writes the
// tokenizer.json that Hugging Face users have.
//
//	text ─▶ added tokens ─▶ normalizer ─▶ added tokens ─▶ pre-tokenizer ─▶ words ─▶ word cache ─▶ ids
//	          (as it is)                   (normalized)                             │ miss   ▲
//	ids ─▶ decoder ─▶ text                                                          └─ model ┘
//
// Each part is what the member of that name in the file asks for; parts.go has their
// interfaces. The models are BPE (Sennrich et al. 2016) on bytes (Radford et al. 2019) or
// on characters with bytes for those that are unknown (Kudo and Richardson 2018),
// WordPiece, Unigram and WordLevel. [Tokenizer.Kind] names them; besides these, "byte" is
// a BPE without merges and "char" a WordLevel of single characters.
//
// Which call equals which of Hugging Face tokenizers, for text that is UTF-8:
//
//	t.Encode(nil, s)                 encode(s, add_special_tokens=False).ids, with encode_special_tokens = True
//	t.WithSpecial().Encode(nil, s)   the same with encode_special_tokens = False, which is the default there
//	t.PostProcess(nil, ids)          the ids with add_special_tokens=True
//	t.EncodeOffsets(s)               .ids and .offsets, where bytes count instead of characters
//	t.Decode(nil, ids)               decode(ids), which leaves special tokens out
//	t.WithSpecial().Decode(nil, ids) decode(ids, skip_special_tokens=False)
//
// Truncation and padding, which a file may have, are not applied: no_truncation() and
// no_padding() do the same there. Decoding gives bytes; where they are not UTF-8, they
// equal the string there after its replacement by U+FFFD.
//
// Invariants:
//
//   - A [Tokenizer] never changes once made, and may be used by many goroutines.
//   - Byte-level models: Decode(Encode(s)) == s for every byte string s, be it valid
//     UTF-8 or not. Char: the same for every string of trained characters.
//   - By default the text of a special token that stands in a document is text, never
//     the special token.
//   - Parse accepts a file only if it does everything that the file asks for;
//     anything else is refused by its name in the file.
//   - Time grows with the length of a text, or a little faster, whatever the text.
//   - Training gives the same file whatever the number of cores and the order of the
//     documents. Its memory grows with the number of distinct words, not with the
//     length of the text, and is bounded: see docs/formats/tokenizer.md.
package tokenize
