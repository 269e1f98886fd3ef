package inspect

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/internal/safetensors"
)

// metricsOf are lines of these steps.
func metricsOf(steps ...int) string {
	var b strings.Builder
	for _, step := range steps {
		fmt.Fprintf(&b, `{"step":%d,"loss":1}`+"\n", step)
	}
	return b.String()
}

func stepsOf(r *Run) (steps []int) {
	for _, p := range r.Training(maxPoints) {
		steps = append(steps, p.Step)
	}
	return steps
}

// TestMended: a line that is wrong is told the same at each look, hides nothing that
// is before it, and is forgotten when the log is mended.
func TestMended(t *testing.T) {
	dir := write(t, map[string]string{"config.toml": preset(t), "tokenizer.json": tokenizer(t), "metrics.jsonl": metricsOf(2, 4) + "{bad\n"})
	r := open(t, dir)
	problem := r.Problem()
	if !strings.Contains(problem, fmt.Sprintf("byte %d", len(metricsOf(2, 4)))) {
		t.Errorf("problem %q", problem)
	}
	for range 3 {
		if r.Update(); r.Problem() != problem || !slices.Equal(stepsOf(r), []int{2, 4}) {
			t.Errorf("looked at again: %q, steps %v", r.Problem(), stepsOf(r))
		}
	}
	states := []struct {
		name, log string
		want      []int
		bad       bool
	}{
		{"mended in its place", metricsOf(2, 4, 6), []int{2, 4, 6}, false},
		{"grown and bad again", metricsOf(2, 4, 6, 8) + "{\n", []int{2, 4, 6, 8}, true},
		{"cut", metricsOf(2), []int{2}, false},
		{"bad from its beginning", "{\n", nil, true},
		{"another", metricsOf(3, 5), []int{3, 5}, false},
	}
	for _, s := range states {
		if err := os.WriteFile(filepath.Join(dir, "metrics.jsonl"), []byte(s.log), 0o644); err != nil {
			t.Fatal(err)
		}
		if r.Update(); !slices.Equal(stepsOf(r), s.want) || (r.Problem() != "") != s.bad {
			t.Errorf("%s: steps %v, problem %q", s.name, stepsOf(r), r.Problem())
		}
	}
}

// TestMendedSnapshots: a log of snapshots is read on from the line that was wrong, not
// from its beginning.
func TestMendedSnapshots(t *testing.T) {
	good := snapshotLine(t, 1) + snapshotLine(t, 3)
	dir := write(t, map[string]string{"config.toml": preset(t), "tokenizer.json": tokenizer(t), "metrics.jsonl": metricsOf(2), "warp.jsonl": good + "{bad\n"})
	r := open(t, dir)
	for range 2 {
		if steps, _ := r.WarpSteps(); !slices.Equal(steps, []int{1, 3}) || r.warp.offset != int64(len(good)) || r.Problem() == "" {
			t.Errorf("snapshots of %v, read to byte %d of %d, problem %q", steps, r.warp.offset, len(good), r.Problem())
		}
		r.Update()
	}
	if err := os.WriteFile(filepath.Join(dir, "warp.jsonl"), []byte(good+snapshotLine(t, 5)), 0o644); err != nil {
		t.Fatal(err)
	}
	r.Update()
	if steps, _ := r.WarpSteps(); !slices.Equal(steps, []int{1, 3, 5}) || r.Problem() != "" {
		t.Errorf("mended: snapshots of %v, problem %q", steps, r.Problem())
	}
}

// TestLogsThatComeBack: logs that are moved away and back are there again.
func TestLogsThatComeBack(t *testing.T) {
	dir := write(t, map[string]string{
		"config.toml": preset(t), "tokenizer.json": tokenizer(t), "metrics.jsonl": metricsOf(2, 4), "warp.jsonl": snapshotLine(t, 1) + snapshotLine(t, 3),
	})
	r := open(t, dir)
	for _, away := range []bool{true, false} {
		for _, name := range []string{"metrics.jsonl", "warp.jsonl"} {
			from, to := filepath.Join(dir, name), filepath.Join(dir, name+".away")
			if !away {
				from, to = to, from
			}
			if err := os.Rename(from, to); err != nil {
				t.Fatal(err)
			}
		}
		r.Update()
		snapshots, _ := r.WarpSteps()
		if n := len(stepsOf(r)); away != (n == 0) || away != (len(snapshots) == 0) || r.Problem() != "" {
			t.Errorf("away %v: %d points, %d snapshots, problem %q", away, n, len(snapshots), r.Problem())
		}
	}
}

// TestAnotherRun: a directory that has been replaced, and one in which another run
// has begun, show what is there now; nothing outside of it is read.
func TestAnotherRun(t *testing.T) {
	config := preset(t)
	predicting := strings.Replace(config, `objective = "cdcd"`, `objective = "ar"`, 1)
	files := map[string]string{"config.toml": config, "tokenizer.json": tokenizer(t), "metrics.jsonl": metricsOf(2, 4)}
	save := func(t *testing.T, dir string) {
		path := filepath.Join(dir, "checkpoints", "step-00000004")
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(path, "manifest.json"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	begin := func(t *testing.T) (dir string, r *Run, saved Saved) {
		t.Helper()
		dir = write(t, files)
		save(t, dir)
		r = open(t, dir)
		saved, err := r.Checkpoint()
		if err != nil {
			t.Fatal(err)
		}
		return dir, r, saved
	}
	check := func(t *testing.T, r *Run, before Saved) {
		t.Helper()
		changed := r.Update()
		if s := r.Summary(); s.Objective != "ar" || s.Step != 9 || !slices.Equal(stepsOf(r), []int{9}) || !slices.Contains(changed, PartMetrics) {
			t.Errorf("%+v, steps %v, changed %v", s, stepsOf(r), changed)
		}
		if saved, err := r.Checkpoint(); err != nil || saved == before || saved.Step != 4 {
			t.Errorf("checkpoint %+v (before: %+v), %v", saved, before, err)
		}
	}
	t.Run("replaced", func(t *testing.T) {
		dir, r, before := begin(t)
		other := write(t, map[string]string{"config.toml": predicting, "tokenizer.json": tokenizer(t), "metrics.jsonl": metricsOf(9)})
		save(t, other)
		if err := os.Rename(dir, dir+"-old"); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(other, dir); err != nil {
			t.Fatal(err)
		}
		check(t, r, before)
	})
	t.Run("begun in its place", func(t *testing.T) {
		dir, r, before := begin(t)
		if err := os.RemoveAll(filepath.Join(dir, "checkpoints")); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"config.toml": predicting, "metrics.jsonl": metricsOf(9)} {
			path := filepath.Join(dir, name)
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		save(t, dir)
		check(t, r, before)
	})
	t.Run("replaced by links", func(t *testing.T) {
		dir := write(t, files)
		r := open(t, dir)
		outside := t.TempDir()
		save(t, outside)
		if err := os.Rename(dir, dir+"-old"); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(outside, "checkpoints"), filepath.Join(dir, "checkpoints")); err != nil {
			t.Fatal(err)
		}
		if saved, err := r.Checkpoint(); err == nil {
			t.Errorf("%+v outside of the run is taken", saved)
		}
	})
}

// TestBest: the best of all evaluations, of which only some are kept.
func TestBest(t *testing.T) {
	var metrics strings.Builder
	for step := 1; step <= 3*maxEvaluations; step++ {
		ce := 2.
		if step == 301 {
			ce = 1
		}
		metrics.WriteString(evaluation(t, step, ce))
	}
	r := open(t, write(t, map[string]string{"config.toml": preset(t), "tokenizer.json": tokenizer(t), "metrics.jsonl": metrics.String()}))
	if b := r.Best(); b == nil || *b != (Held{301, 1}) {
		t.Errorf("best %+v", b)
	}
}

// TestTornTiming: what a crash has torn of the one log that resuming does not cut is
// left out.
func TestTornTiming(t *testing.T) {
	timing := `{"step":2,"tokens_per_second":5}` + "\n" + `{"step":4,"tok{"step":4,"tokens_per_second":6}` + "\n" + `{"step":6,"tokens_per_second":7}` + "\n"
	r := open(t, write(t, map[string]string{"config.toml": preset(t), "tokenizer.json": tokenizer(t), "metrics.jsonl": metricsOf(2, 4, 6), "timing.jsonl": timing}))
	if p := r.Problem(); p != "" {
		t.Errorf("problem %q", p)
	}
	if s := r.Speed(maxPoints); len(s) != 2 || s[0].Step != 2 || s[1].Step != 6 {
		t.Errorf("speed %+v", s)
	}
}

// TestTableOfAnotherSize: a table is of the size that the run has, before there is
// work with it: statistics of one of 200,000 dimensions would take all memory.
func TestTableOfAnotherSize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weights.safetensors")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := safetensors.Write(file, nil, []safetensors.Tensor{{Name: tensor, Shape: []int{2, 8}, F32: make([]float32, 16)}}); err != nil {
		t.Fatal(err)
	}
	if _, err := readTable(path, 2, 8); err != nil {
		t.Error(err)
	}
	for _, want := range [][2]int{{2, 4}, {4, 8}, {8, 2}} {
		if _, err := readTable(path, want[0], want[1]); !errors.Is(err, safeio.ErrMismatch) {
			t.Errorf("%v: %v", want, err)
		}
	}
}
