package trainer

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/pipeline"
	"github.com/seed-4c77ef92/textwarp/tokenize"
	"github.com/seed-4c77ef92/textwarp/trainer/checkpoint"
)

// shards prepares a small corpus with a character vocabulary.
func shards(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	corpus := filepath.Join(dir, "corpus.txt")
	text := strings.Repeat("the cat sat on the mat.\n\nthe dog sat on the log.\n\na cat and a dog sat.\n\n", 20)
	if err := os.WriteFile(corpus, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	tok, err := tokenize.TrainChar(func(yield func(string) bool) { yield(text) })
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "shards")
	_, _, err = pipeline.Shard(context.Background(), pipeline.Options{
		Sources: []string{corpus}, Out: out, Split: "blank", Format: "parquet", Workers: 1, ShardSize: 1 << 20, Val: .2,
		Encoder: tok, TokenizerJSON: tok.JSON(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// tiny is a run of milliseconds that passes through everything.
func tiny(t *testing.T, stream string) *Settings {
	t.Helper()
	s, err := NewSettings("nano")
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range map[string]string{
		"data.stream": stream, "data.length": "16",
		"model.embed_dim": "8", "model.width": "16", "model.layers": "1", "model.heads": "2", "model.mlp": "32",
		"optim.batch": "4", "optim.micro_batch": "2", "optim.warmup": "5",
		"run.steps": "30", "run.log_every": "4", "run.warp_every": "5", "run.eval_every": "10", "run.sample_every": "12",
		"run.save_every": "7", "run.max_skips": "3",
	} {
		if err := s.Set(key, value, "test"); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func begin(t *testing.T, dir string, s *Settings, workers int, o Options) *Trainer {
	t.Helper()
	data, err := OpenData(s.Config, nil)
	if err != nil {
		t.Fatal(err)
	}
	o.Pool = kernels.NewPool(workers)
	t.Cleanup(o.Pool.Close)
	tr, err := Start(dir, s, data, o)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func resume(t *testing.T, dir string, o Options) *Trainer {
	t.Helper()
	c, err := ReadConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	data, err := OpenData(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	o.Pool = kernels.NewPool(1)
	t.Cleanup(o.Pool.Close)
	tr, _, err := Resume(dir, c, data, o)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func finish(t *testing.T, tr *Trainer) {
	t.Helper()
	if err := tr.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
}

// contents reads a run, all but the wall-clock figures and the lock.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == TimingFile || e.Name() == ".lock" {
			return err
		}
		data, err := os.ReadFile(path)
		out[strings.TrimPrefix(path, dir)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func compare(t *testing.T, want, got map[string]string) {
	t.Helper()
	for name, w := range want {
		if g, ok := got[name]; !ok || g != w {
			t.Errorf("%s differs (present: %v, %d bytes for %d)", name, ok, len(g), len(w))
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is left over", name)
		}
	}
}

func TestResumeRepeatsEveryByte(t *testing.T) {
	stream := shards(t)
	whole := filepath.Join(t.TempDir(), "run")
	finish(t, begin(t, whole, tiny(t, stream), 1, Options{}))
	want := contents(t, whole)

	for _, stop := range []int{1, 6, 7, 8, 19, 28, 29} {
		// Abandoned after some step, as by a kill: nothing is saved.
		dir := filepath.Join(t.TempDir(), "run")
		tr := begin(t, dir, tiny(t, stream), 1, Options{})
		for tr.Step() < stop {
			if err := errors.Join(tr.step(), tr.record()); err != nil {
				t.Fatal(err)
			}
		}
		tr.Close()
		finish(t, resume(t, dir, Options{}))
		compare(t, want, contents(t, dir))
	}
}

func TestInterruptedRunSavesAndContinues(t *testing.T) {
	stream := shards(t)
	whole := filepath.Join(t.TempDir(), "run")
	finish(t, begin(t, whole, tiny(t, stream), 1, Options{}))

	dir := filepath.Join(t.TempDir(), "run")
	ctx, cancel := context.WithCancel(context.Background())
	tr := begin(t, dir, tiny(t, stream), 1, Options{Notify: func(e Event) {
		if _, logged := e.Line.(MetricsLine); logged && e.Step == 12 {
			cancel()
		}
	}})
	if err := tr.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted run: %v, want context.Canceled", err)
	}
	tr.Close()
	if _, step, _, err := checkpoint.Latest(dir); err != nil || step != 12 {
		t.Fatalf("saved at step %d, %v; want 12", step, err)
	}
	finish(t, resume(t, dir, Options{}))
	got := contents(t, dir)
	for _, name := range []string{MetricsFile, WarpFile, SamplesFile, "checkpoints/step-00000030/weights.safetensors"} {
		if want := contents(t, whole)["/"+name]; got["/"+name] != want {
			t.Errorf("%s differs from the uninterrupted run", name)
		}
	}
}

func TestWorkersDoNotChangeTheResult(t *testing.T) {
	stream := shards(t)
	dirs := map[int]string{}
	for _, workers := range []int{1, 3} {
		dirs[workers] = filepath.Join(t.TempDir(), "run")
		finish(t, begin(t, dirs[workers], tiny(t, stream), workers, Options{}))
	}
	compare(t, contents(t, dirs[1]), contents(t, dirs[3]))
}

// Recomputing is no part of a run: it can be turned on and off on the way.
func TestRecomputingDoesNotChangeTheResult(t *testing.T) {
	stream := shards(t)
	deep := func() *Settings {
		s := tiny(t, stream)
		s.Model.Layers = 3
		return s
	}
	whole, dir := filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "run")
	finish(t, begin(t, whole, deep(), 1, Options{}))
	tr := begin(t, dir, deep(), 1, Options{Recompute: true})
	for tr.Step() < 16 {
		if err := errors.Join(tr.step(), tr.record()); err != nil {
			t.Fatal(err)
		}
	}
	tr.Close()
	finish(t, resume(t, dir, Options{}))
	compare(t, contents(t, whole), contents(t, dir))
}

func TestPipedTextContinuesBitForBit(t *testing.T) {
	text := strings.Repeat("the cat sat on the mat. ", 400)
	open := func(s Config) *Data {
		data, err := OpenData(s, strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	pool := kernels.NewPool(1)
	defer pool.Close()
	start := func() (*Trainer, string) {
		dir := filepath.Join(t.TempDir(), "run")
		s := tiny(t, "-")
		tr, err := Start(dir, s, open(s.Config), Options{Pool: pool})
		if err != nil {
			t.Fatal(err)
		}
		return tr, dir
	}
	tr, whole := start()
	finish(t, tr)

	tr, dir := start()
	for tr.Step() < 11 {
		if err := errors.Join(tr.step(), tr.record()); err != nil {
			t.Fatal(err)
		}
	}
	tr.Close()
	c, err := ReadConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	tr, _, err = Resume(dir, c, open(c), Options{Pool: pool})
	if err != nil {
		t.Fatal(err)
	}
	finish(t, tr)
	compare(t, contents(t, whole), contents(t, dir))
}

func TestPipedTextEndsTheRun(t *testing.T) {
	s := tiny(t, "-")
	data, err := OpenData(s.Config, strings.NewReader(strings.Repeat("too short. ", 60)))
	if err != nil {
		t.Fatal(err)
	}
	pool := kernels.NewPool(1)
	defer pool.Close()
	tr, err := Start(filepath.Join(t.TempDir(), "run"), s, data, Options{Pool: pool})
	if err != nil {
		t.Fatal(err)
	}
	finish(t, tr)
	if tr.Step() == 0 || tr.Step() >= s.Run.Steps {
		t.Errorf("made %d of %d steps with 660 bytes of text", tr.Step(), s.Run.Steps)
	}
}

func TestTrainingLearns(t *testing.T) {
	s := tiny(t, shards(t))
	s.Run.Steps, s.Run.EvalEvery = 300, 300
	tr := begin(t, filepath.Join(t.TempDir(), "run"), s, 1, Options{})
	before, err := tr.evaluate()
	if err != nil {
		t.Fatal(err)
	}
	finish(t, tr)
	after, err := tr.evaluate()
	if err != nil {
		t.Fatal(err)
	}
	// Untrained, the loss is ln V at every level, V = 18 with <unk> and <eos>.
	for k, level := range after.T {
		if level > 1 {
			continue
		}
		if after.CE[k] > .5*before.CE[k] {
			t.Errorf("CE at t = %g fell from %.2f to %.2f in 300 steps only", level, before.CE[k], after.CE[k])
		}
	}
}

// poisoned is a process whose loss is not finite at some draws.
type poisoned struct {
	Process
	grads []float32
	bad   func(draw uint64) bool
}

func (p poisoned) Gradient(draw uint64, ids []int32) diffusion.Losses {
	l := p.Process.Gradient(draw, ids)
	if p.bad(draw) {
		p.grads[0] = float32(math.NaN())
	}
	return l
}

func TestGuard(t *testing.T) {
	stream := shards(t)
	for name, c := range map[string]struct {
		bad      func(draw uint64) bool
		skipped  int
		rollback bool
		diverged bool
	}{
		"one bad step":             {bad: func(d uint64) bool { return d == 5 }, skipped: 1},
		"a row, cured by rollback": {bad: func(d uint64) bool { return d >= 9 && d < 20 }, skipped: 3, rollback: true},
		"for ever":                 {bad: func(d uint64) bool { return d&0xffff >= 9 }, skipped: 6, rollback: true, diverged: true},
	} {
		t.Run(name, func(t *testing.T) {
			rollback := false
			tr := begin(t, filepath.Join(t.TempDir(), "run"), tiny(t, stream), 1, Options{Notify: func(e Event) {
				rollback = rollback || e.Kind == "rollback"
			}})
			tr.process = poisoned{tr.process, tr.model.Grads, c.bad}
			err := tr.Run(context.Background())
			if errors.Is(err, ErrDiverged) != c.diverged || (err != nil) != c.diverged {
				t.Errorf("Run: %v, want divergence %v", err, c.diverged)
			}
			if tr.state.Skipped != c.skipped || rollback != c.rollback {
				t.Errorf("skipped %d with rollback %v, want %d and %v", tr.state.Skipped, rollback, c.skipped, c.rollback)
			}
			for i, w := range tr.model.Params {
				if !finite(float64(w)) {
					t.Fatalf("parameter %d became %v", i, w)
				}
			}
			tr.Close()
		})
	}
}

func TestSkippedStepChangesNothing(t *testing.T) {
	tr := begin(t, filepath.Join(t.TempDir(), "run"), tiny(t, shards(t)), 1, Options{})
	defer tr.Close()
	before := bytes.Clone(floatBytes(tr.model.Params))
	tr.process = poisoned{tr.process, tr.model.Grads, func(uint64) bool { return true }}
	if err := tr.step(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, floatBytes(tr.model.Params)) {
		t.Error("a step that is not finite changed the weights")
	}
}

func floatBytes(v []float32) []byte {
	out := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b := math.Float32bits(x)
		out = append(out, byte(b), byte(b>>8), byte(b>>16), byte(b>>24))
	}
	return out
}

func TestSecondWriterIsRefused(t *testing.T) {
	stream := shards(t)
	dir := filepath.Join(t.TempDir(), "run")
	tr := begin(t, dir, tiny(t, stream), 1, Options{})
	defer tr.Close()
	s := tiny(t, stream)
	data, err := OpenData(s.Config, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer data.Train.Close()
	if _, err := Start(dir, s, data, Options{Pool: kernels.NewPool(1)}); !errors.Is(err, safeio.ErrLocked) {
		t.Errorf("second writer: %v, want ErrLocked", err)
	}
}

func TestResumeRefusesOtherData(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	finish(t, begin(t, dir, tiny(t, shards(t)), 1, Options{}))
	c, err := ReadConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	data, err := OpenData(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	data.Hash = "another"
	if _, _, err := Resume(dir, c, data, Options{Pool: kernels.NewPool(1)}); !errors.Is(err, safeio.ErrMismatch) {
		t.Errorf("other data: %v, want ErrMismatch", err)
	}
}

func TestDamagedCheckpointFallsBack(t *testing.T) {
	stream := shards(t)
	dir := filepath.Join(t.TempDir(), "run")
	finish(t, begin(t, dir, tiny(t, stream), 1, Options{}))
	want := contents(t, dir)
	if err := os.Truncate(filepath.Join(checkpoint.Path(dir, 30), checkpoint.WeightsFile), 100); err != nil {
		t.Fatal(err)
	}
	finish(t, resume(t, dir, Options{}))
	compare(t, want, contents(t, dir))
}

func TestLearningRate(t *testing.T) {
	o := OptimConfig{LR: 1, Warmup: 10, FinalLR: .1}
	for step, want := range map[int]float64{1: .1, 5: .5, 10: 1, 60: .55, 110: .1} {
		if got := learningRate(o, step, 110); math.Abs(got-want) > 1e-12 {
			t.Errorf("learningRate(%d) = %g, want %g", step, got, want)
		}
	}
}

func TestStepAllocatesNothing(t *testing.T) {
	for name, recompute := range map[string]bool{"keeping": false, "recomputing": true} {
		t.Run(name, func(t *testing.T) {
			s := tiny(t, shards(t))
			s.Optim.WeightDecay = .1
			tr := begin(t, filepath.Join(t.TempDir(), "run"), s, 2, Options{Recompute: recompute})
			defer tr.Close()
			n := testing.AllocsPerRun(40, func() {
				if err := tr.step(); err != nil {
					t.Fatal(err)
				}
			})
			if n != 0 {
				t.Errorf("a step allocates %g times", n)
			}
		})
	}
}

// Sampling takes all its memory before the first step.
func TestSamplingStepAllocatesNothing(t *testing.T) {
	tr := begin(t, filepath.Join(t.TempDir(), "run"), tiny(t, shards(t)), 2, Options{})
	defer tr.Close()
	l := tr.config.Data.Length
	for _, method := range []string{diffusion.Euler, diffusion.Heun, diffusion.Ancestral} {
		sample := func(steps int) float64 {
			s := diffusion.Sampler{
				Schedule: tr.warp, Steps: steps, Method: method, Guidance: 2, Temperature: 1, InitialNoise: 1, SelfCondition: true,
			}
			st, ids, prob := diffusion.NewState(2, l, tr.config.Model.EmbedDim), make([]int32, 2*l), make([]float32, 2*l)
			return testing.AllocsPerRun(3, func() {
				if err := s.Run(context.Background(), tr.study.(*diffusing), st, ids, prob, nil); err != nil {
					t.Fatal(err)
				}
			})
		}
		if few, many := sample(2), sample(20); few != many {
			t.Errorf("%s: 2 steps allocate %g times, 20 steps %g", method, few, many)
		}
	}
}

// The likelihood bound as a loss teaches the network to denoise: after 150 steps
// cross-entropy at the lowest level that is measured is far below that of the
// start, ln V.
func TestLikelihoodLossLearns(t *testing.T) {
	s := tiny(t, shards(t))
	s.Process.Loss, s.Run.Steps, s.Run.EvalEvery = diffusion.LossLikelihood, 150, 1000
	tr := begin(t, filepath.Join(t.TempDir(), "run"), s, 1, Options{})
	before, err := tr.evaluate()
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	after, err := tr.evaluate()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("t %.2g: cross-entropy from %.3f to %.3f", after.T[0], before.CE[0], after.CE[0])
	if !(after.CE[0] < .5*before.CE[0]) {
		t.Errorf("cross-entropy from %.3f to %.3f", before.CE[0], after.CE[0])
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}

	s.Process.Loss = diffusion.LossSquared
	if s.Validate() == nil {
		t.Error("a loss that embeddings alike make zero is taken")
	}
}
