// Package beam has the shards of a data set made by Apache Beam, on the runner
// of one's choice: the embedded one, Flink, Spark, Dataflow.
//
//	impulse ──list──▶ tasks ──reshuffle──▶ tasks ──make──▶ counters
//	           │                                    │
//	    .work/tasks.jsonl              corpus ──────┴─────▶ shards, .work/unit-*.json
//
// Beam carries descriptors only, a few hundred bytes each. Documents and tokens
// go from the corpus to the shards within one worker, over storage that all
// workers and the driver share; what a worker did it leaves there as a record.
// So Beam may repeat, move and race the tasks as it likes: see
// [github.com/seed-4c77ef92/textwarp/pipeline.Engine].
//
// It is a module of its own, because Beam is many times the size of the rest.
package beam
