// Package inspect finds out what a run has learned. Every view is first a value,
// a struct that encodes as JSON, then figures, then text:
//
//	run directory ──Read…──▶ Warp, Curves, Embeddings ──▶ Figures ──▶ PNG, SVG, CSV
//	                              │                          │
//	                              ▼                          ▼
//	                             JSON                      Write: text and charts
//
// A run may still be going on: its logs end where their last whole line does.
// What they and the vocabulary hold is foreign, and is made printable before it
// is shown.
package inspect
