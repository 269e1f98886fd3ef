// Package pipeline turns a corpus into immutable, hashed shards and reads them
// back as windows of token ids from any saved cursor.
//
//	sources ──cut──▶ units ──read──▶ batches ──encode──▶ batches ──▶ shard files
//	places of        byte ranges     of documents        + tokens     + manifest
//	files, objects                                                        │
//	                                        windows of L ids ◀── Stream ◀─┘
//
// A unit is a byte range of the corpus cut at document boundaries. One worker
// turns one unit into one shard file a split, so a unit is what is redone after
// a crash and what workers are given; batches of documents between the stages
// are Arrow record batches.
//
// Invariants:
//
//   - The bytes of every file depend on the corpus and the options alone: not on
//     the number of workers, the order of directory entries, the locale, or how
//     often the work was killed and begun again.
//   - manifest.json is written last. It holds the SHA-256 of every shard and of
//     itself; what is not in it does not exist.
//   - No parser sees a byte of a shard before its hash has been checked.
//   - Window i of epoch e is a pure function of (manifest, seed, e, i), so that a
//     reader's whole state is three integers, as in MosaicML's streaming
//     datasets, and each window is seen exactly once an epoch.
//
// The formats are described in docs/formats/shard.md and
// docs/formats/manifest.md.
package pipeline
