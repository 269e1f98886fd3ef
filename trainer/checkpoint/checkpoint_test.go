package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/internal/safetensors"
)

func sample(step int) Checkpoint {
	return Checkpoint{
		Step:      step,
		Meta:      map[string]string{"format": "textwarp"},
		Weights:   []safetensors.Tensor{{Name: "w", Shape: []int{2, 2}, F32: []float32{1, 2, 3, float32(step)}}},
		Optimizer: []safetensors.Tensor{{Name: "m", Shape: []int{1}, F32: []float32{.5}}},
		State:     map[string]int{"step": step},
	}
}

func mustSave(t *testing.T, run string, steps ...int) {
	t.Helper()
	for _, step := range steps {
		if err := Save(safeio.FS{}, run, sample(step)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLatestIsTheNewestWholeOne(t *testing.T) {
	for name, c := range map[string]struct {
		saved   []int
		break_  func(run string) // damages the newest
		want    int
		skipped int
	}{
		"one":               {saved: []int{5}, want: 5},
		"two":               {saved: []int{5, 20}, want: 20},
		"no manifest":       {saved: []int{5, 20}, break_: func(r string) { os.Remove(filepath.Join(Path(r, 20), manifestFile)) }, want: 5, skipped: 1},
		"weights gone":      {saved: []int{5, 20}, break_: func(r string) { os.Remove(filepath.Join(Path(r, 20), WeightsFile)) }, want: 5, skipped: 1},
		"state truncated":   {saved: []int{5, 20}, break_: func(r string) { os.Truncate(filepath.Join(Path(r, 20), StateFile), 3) }, want: 5, skipped: 1},
		"renamed":           {saved: []int{5, 20}, break_: func(r string) { os.Rename(Path(r, 20), Path(r, 30)) }, want: 5, skipped: 1},
		"a leftover beside": {saved: []int{5, 20}, break_: func(r string) { os.Mkdir(filepath.Join(r, folder, ".tmp-x"), 0o755) }, want: 20},
	} {
		t.Run(name, func(t *testing.T) {
			run := t.TempDir()
			mustSave(t, run, c.saved...)
			if c.break_ != nil {
				c.break_(run)
			}
			dir, step, skipped, err := Latest(run)
			if err != nil || step != c.want || dir != Path(run, c.want) || len(skipped) != c.skipped {
				t.Errorf("Latest = %q, %d, %q, %v; want step %d and %d skipped", dir, step, skipped, err, c.want, c.skipped)
			}
		})
	}
}

func TestLatestWithoutAWholeOne(t *testing.T) {
	run := t.TempDir()
	if _, _, _, err := Latest(run); !errors.Is(err, safeio.ErrNotFound) {
		t.Errorf("empty run: %v, want ErrNotFound", err)
	}
	mustSave(t, run, 1)
	os.Truncate(filepath.Join(Path(run, 1), WeightsFile), 10)
	if _, _, _, err := Latest(run); !errors.Is(err, safeio.ErrCorrupt) {
		t.Errorf("only a damaged one: %v, want ErrCorrupt", err)
	}
}

// Every single flipped bit of a checkpoint must be reported.
func TestEveryFlippedBitIsFound(t *testing.T) {
	run := t.TempDir()
	mustSave(t, run, 3)
	dir := Path(run, 3)
	for _, name := range []string{WeightsFile, OptimizerFile, StateFile, manifestFile} {
		path := filepath.Join(dir, name)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for bit := range 8 * len(data) {
			data[bit/8] ^= 1 << (bit % 8)
			if err := os.WriteFile(path, data, 0o644); err != nil {
				t.Fatal(err)
			}
			// A flip of the manifest may leave its meaning as it was (white space,
			// the case of a key): then what it promises still holds.
			if err := Verify(dir); err == nil && name != manifestFile {
				t.Fatalf("bit %d of %s flipped and not noticed", bit, name)
			}
			data[bit/8] ^= 1 << (bit % 8)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := Verify(dir); err != nil {
		t.Fatal(err)
	}
}

// A save may fail at any operation: the checkpoint before must stay the newest
// whole one, or the new one must be whole.
func TestSaveFailsAtEveryOperation(t *testing.T) {
	boom := errors.New("boom")
	for n := 0; ; n++ {
		run := t.TempDir()
		mustSave(t, run, 1)
		count := 0
		fs := safeio.FS{Before: func(op, path string) error {
			if count++; count > n {
				return fmt.Errorf("%s %s: %w", op, path, boom)
			}
			return nil
		}}
		err := Save(fs, run, sample(2))
		_, step, _, latest := Latest(run)
		if latest != nil {
			t.Fatalf("failing from operation %d on: no checkpoint left: %v", n, latest)
		}
		if err == nil {
			if step != 2 || n < 10 {
				t.Fatalf("saved with step %d after %d operations", step, n)
			}
			return
		}
		if !errors.Is(err, boom) {
			t.Fatalf("operation %d: %v does not wrap the cause", n, err)
		}
		if err := Save(safeio.FS{}, run, sample(2)); err != nil {
			t.Fatalf("saving again after operation %d failed: %v", n, err)
		}
	}
}

func TestPruneKeepsTheNewest(t *testing.T) {
	run := t.TempDir()
	mustSave(t, run, 1, 2, 3, 10)
	if err := Prune(safeio.FS{}, run, 2); err != nil {
		t.Fatal(err)
	}
	steps, err := Steps(run)
	if err != nil || len(steps) != 2 || steps[0] != 3 || steps[1] != 10 {
		t.Errorf("left %v, %v; want [3 10]", steps, err)
	}
}

// TestPruneThatIsKilled: what is left of a checkpoint is none, and goes with the
// next writer.
func TestPruneThatIsKilled(t *testing.T) {
	run, killed := t.TempDir(), errors.New("killed")
	mustSave(t, run, 1, 2, 3)
	err := Prune(safeio.FS{Before: func(op, _ string) error {
		if op == "remove" {
			return killed
		}
		return nil
	}}, run, 2)
	if !errors.Is(err, killed) {
		t.Fatalf("got %v", err)
	}
	if steps, err := Steps(run); err != nil || len(steps) != 2 || steps[0] != 2 {
		t.Errorf("left %v, %v; want [2 3]", steps, err)
	}
	if err := Clean(safeio.FS{}, run); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(filepath.Join(run, folder)); err != nil || len(left) != 2 {
		t.Errorf("%d entries are left, %v; want 2", len(left), err)
	}
}

func TestErrorsNameTheFile(t *testing.T) {
	run := t.TempDir()
	mustSave(t, run, 7)
	os.Truncate(filepath.Join(Path(run, 7), OptimizerFile), 4)
	err := Verify(Path(run, 7))
	if err == nil || !strings.Contains(err.Error(), OptimizerFile) || !strings.Contains(err.Error(), "step-00000007") {
		t.Errorf("%v names neither file nor checkpoint", err)
	}
}
