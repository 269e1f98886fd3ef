// Package trainer is one explicit loop: window, noise level, mask, loss, guard,
// step, observe, record. It can be stopped at any step and continued bit for
// bit.
//
//	pipeline ──▶ windows of L ids ──▶ Process.Gradient ──▶ guard ──▶ AdamW, EMA
//	                                      ▲    │ (t, loss)               │
//	                                      │    ▼                         ▼
//	                                   timewarp.Warp             metrics, checkpoints
//
// A [Process] is diffusion.CDCD or, for runs of the baseline, which have no warp,
// autoregressive.Objective.
//
// Everything that decides the next step is in the checkpoint; random numbers
// are functions of (seed, step), so there is no generator to save. A run
// directory holds config.toml, tokenizer.json, metrics.jsonl, warp.jsonl,
// samples.jsonl and checkpoints/, all of which a run that was killed and
// resumed repeats byte for byte, and timing.jsonl, which has the wall-clock
// figures. See docs/formats/run.md.
package trainer
