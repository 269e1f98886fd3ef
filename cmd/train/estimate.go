package main

import (
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// fit sets the number of steps that about fill the minutes, from a few steps on
// a copy of the run that is thrown away. The run itself then knows its length
// from the start, so that its schedule and its resumption do not depend on the
// clock.
func fit(s *trainer.Settings, data *trainer.Data, o trainer.Options, minutes float64) error {
	speed, err := trainer.Measure(s.Config, data, o)
	if err != nil {
		return err
	}
	debug.FreeOSMemory() // the copy, before the run takes as much
	// Held-out losses, samples and checkpoints take a few per cent more.
	const share = .93
	perStep := float64(s.Optim.Batch * s.Data.Length)
	steps := max(1, int(minutes*60*share*speed/perStep))
	cli.Tell("measured %.0f tokens/s: %d steps fit %v", speed, steps, time.Duration(minutes*float64(time.Minute)).Round(time.Second))
	return s.Set("run.steps", fmt.Sprint(steps), fmt.Sprintf("--minutes %g at %.0f tokens/s", minutes, speed))
}

// dryRun prints what a run would take.
func dryRun(w io.Writer, c trainer.Config, data *trainer.Data, o trainer.Options) {
	e := trainer.EstimateRun(c, data, o.Recompute)
	const mib = 1 << 20
	fmt.Fprintf(w, "parameters        %d (%d embeddings, %d denoiser)\n", e.Embeddings+e.Denoiser, e.Embeddings, e.Denoiser)
	fmt.Fprintf(w, "vocabulary        %d\n", data.Tokenizer.VocabSize())
	fmt.Fprintf(w, "memory            %.0f MiB\n", float64(e.Memory.Total())/mib)
	for _, part := range []struct {
		bytes int
		name  string
	}{
		{e.Memory.Weights, "weights, gradients, moments and average"},
		{e.Memory.Activations, "activations"},
		{e.Memory.Tables, "embeddings as used"},
		{e.Memory.Windows, "windows and their noise"},
		{e.Memory.Text, "text"},
		{e.Memory.Program, fmt.Sprintf("program, tokenizer, scratch of %d threads", o.Pool.Workers())},
	} {
		fmt.Fprintf(w, "           %10.1f %s\n", float64(part.bytes)/mib, part.name)
	}
	fmt.Fprintf(w, "checkpoint        %.1f MiB, %d kept\n", float64(e.CheckpointBytes)/mib, c.Run.Keep)
	fmt.Fprintf(w, "work              %.2f MFLOP a token, %.2f GFLOP a step\n",
		e.FLOPsPerToken/1e6, e.FLOPsPerToken*float64(c.Optim.Batch*c.Data.Length)/1e9)
	fmt.Fprintf(w, "steps             %d of %d × %d tokens, %.3g tokens\n", c.Run.Steps, c.Optim.Batch, c.Data.Length,
		float64(c.Run.Steps)*float64(c.Optim.Batch*c.Data.Length))
	if data.Windows > 0 {
		fmt.Fprintf(w, "epochs            %.2f of %d windows\n",
			float64(c.Run.Steps)*float64(c.Optim.Batch)/float64(data.Windows), data.Windows)
	}
}
