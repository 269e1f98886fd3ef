package trainer

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-4c77ef92/textwarp/autoregressive"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
)

// predict is a tiny run of the objective "ar" that also learns to fill holes.
func predict(t *testing.T, stream string) *Settings {
	t.Helper()
	s := tiny(t, stream)
	for key, value := range map[string]string{"process.objective": AR, "process.fim": "0.5"} {
		if err := s.Set(key, value, "test"); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestPredictingResumesEveryByte(t *testing.T) {
	stream := shards(t)
	whole := filepath.Join(t.TempDir(), "run")
	finish(t, begin(t, whole, predict(t, stream), 2, Options{}))
	want := contents(t, whole)
	for _, stop := range []int{1, 8, 29} {
		dir := filepath.Join(t.TempDir(), "run")
		tr := begin(t, dir, predict(t, stream), 1, Options{Recompute: true})
		for tr.Step() < stop {
			if err := errors.Join(tr.step(), tr.record()); err != nil {
				t.Fatal(err)
			}
		}
		tr.Close()
		finish(t, resume(t, dir, Options{}))
		compare(t, want, contents(t, dir))
	}
	if warp := want["/"+WarpFile]; warp != "" {
		t.Errorf("a run without noise has a warp: %.80s", warp)
	}
}

// A run learns, notes its likelihood, and is loaded as what it is.
func TestPredictingLearns(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	s := predict(t, shards(t))
	s.Run.Steps, s.Run.EvalEvery = 300, 300
	tr := begin(t, dir, s, 1, Options{})
	before, err := tr.evaluate()
	if err != nil {
		t.Fatal(err)
	}
	// Untrained, every token has the same probability; 15 characters, <unk>, <eos>
	// and four sentinels are 21.
	if d := before.Likelihood.Nats - math.Log(21); math.Abs(d) > 1e-3 {
		t.Errorf("untrained: %.4f nats a token, want ln 21", before.Likelihood.Nats)
	}
	finish(t, tr)
	after, err := tr.evaluate()
	if err != nil {
		t.Fatal(err)
	}
	// The held-out sentence is none of those that training repeats.
	if l := after.Likelihood; l.Nats == before.Likelihood.Nats || l.AfterFirst == l.Nats || !(l.StdErr > 0) || !(l.AfterFirstStdErr > 0) {
		t.Errorf("trained: %+v", *l)
	}

	var noted *Evaluation
	loss := math.Inf(1)
	for line := range strings.Lines(contents(t, dir)["/"+MetricsFile]) {
		var m MetricsLine
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		if m.Eval != nil {
			noted = m.Eval
		} else {
			loss = m.Loss
		}
	}
	if loss > 1.2 {
		t.Errorf("the loss of two sentences is %.2f nats a token after 300 steps", loss)
	}
	if noted == nil || *noted.Likelihood != *after.Likelihood || noted.T != nil {
		t.Errorf("metrics.jsonl has the evaluation %+v, want %+v", noted, after)
	}

	pool := kernels.NewPool(1)
	defer pool.Close()
	m, err := Load(dir, pool)
	if err != nil {
		t.Fatal(err)
	}
	if m.Config.Process.Objective != AR || m.Warp != nil {
		t.Errorf("loaded as %q with warp %v", m.Config.Process.Objective, m.Warp)
	}
	again, err := HeldOutLikelihood(m.Model.Autoregressive(m.Config, 3, s.Data.Length), tr.data.HeldOut, nil, likelihoodWindows)
	if err != nil || *again.Likelihood != *after.Likelihood {
		t.Errorf("the loaded run has %+v, %v; the trainer had %+v", again, err, after)
	}
	text := []autoregressive.Sequence{{Most: 16}}
	err = autoregressive.Sampler{Temperature: previewTemperature, TopP: 1, Seed: previewSeed}.
		Run(context.Background(), m.Model.Writer(m.Config, 1, 16), text, nil)
	if line, previewErr := tr.preview(); err != nil || previewErr != nil || line.Text != Text(m.Tokenizer, text[0].IDs) {
		t.Errorf("the loaded run writes %q, the trainer %q (%v, %v)", Text(m.Tokenizer, text[0].IDs), line.Text, err, previewErr)
	}
}

func TestPredictingStepAllocatesNothing(t *testing.T) {
	tr := begin(t, filepath.Join(t.TempDir(), "run"), predict(t, shards(t)), 2, Options{})
	defer tr.Close()
	if n := testing.AllocsPerRun(40, func() {
		if err := tr.step(); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("a step allocates %g times", n)
	}
}

// Runs of the first versions name no objective: they are of diffusion.
func TestObjectiveOfOldRuns(t *testing.T) {
	s := tiny(t, "-")
	s.Process.Objective = ""
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
	if d := s.Denoiser(20); d.Causal || d.Vocab != 20 {
		t.Errorf("network %+v", d)
	}
	if w, err := s.warp(); w == nil || err != nil {
		t.Errorf("warp %v, %v", w, err)
	}
}
