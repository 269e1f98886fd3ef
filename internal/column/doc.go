// Package column reads one column of strings of a foreign Parquet file, in
// bounded memory.
//
//	footer ──▶ schema, row groups ──▶ column chunk ──▶ pages ──▶ values
//
// General readers trust what a file says of itself: a length in a footer becomes
// an allocation, a page may unfold to more than its header states, a run of a
// few bytes stands for billions of values. This one reads as little as text
// needs, in streams, and checks every number before it is used:
//
//   - the footer is read like a tape and never held;
//   - a page is at most [MaxPage] bytes, and exactly as long as its header says
//     when it is unpacked; its CRC, if it has one, is checked;
//   - levels, dictionary indices and delta lengths are decoded one at a time,
//     so what a run stands for is never spread out;
//   - what the format has and text does not need (encryption, nested columns,
//     columns in other files, rare codecs and encodings) is refused by name.
//
// Every failure wraps [safeio.ErrCorrupt] or [safeio.ErrLimit]; no input makes
// it panic.
package column
