// Package tensorboard writes what a run tells while it trains as event files, the
// input of TensorBoard.
//
//	trainer ──▶ lines of the run ──▶ Log: scalars, histograms, text ──▶ Writer ──▶ RUN/tensorboard/events.out.tfevents.N.textwarp
//	                                                                      │
//	                                 length │ CRC │ Event (protobuf) │ CRC ◀┘  a TFRecord each
//
// Invariants: every session of training has a file of its own, and file names
// sort in the order of the sessions; a session begins with a SessionLog START,
// at which TensorBoard drops what an earlier one had written of the same steps.
// After an error nothing more is written, as what follows a torn record cannot
// be read.
//
// The formats are those of TensorFlow: record_writer.h for the framing (masked
// CRC32C), event.proto, summary.proto and tensor.proto for the messages. There is no
// maintained writer in Go, and the generated code of these messages would
// be larger than what writes the dozen fields in use; protowire, which the Parquet
// and Arrow libraries already bring, encodes them.
package tensorboard
