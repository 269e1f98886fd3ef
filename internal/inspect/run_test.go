package inspect

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-4c77ef92/textwarp/timewarp"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// write makes a run directory of files.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func open(t testing.TB, dir string) *Run {
	t.Helper()
	r, err := read(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func line(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b) + "\n"
}

func snapshotLine(t testing.TB, step int) string {
	return line(t, trainer.WarpLine{Step: step, Warp: timewarp.Snapshot{
		Kind: "online", TMin: 1, TMax: 4, T: []float64{1, 2, 4}, CDF: []float64{0, .5, 1}, Density: []float64{.5, .5, .25},
		Quantiles: []timewarp.Quantile{{U: .5, T: 2}},
	}})
}

// TestDamagedRuns: what is wrong is one problem in a line, and what came before
// it is there.
func TestDamagedRuns(t *testing.T) {
	metrics := `{"step":10,"tokens":100,"loss":2}` + "\n"
	cases := []struct {
		name    string
		files   map[string]string
		problem string // part of it
		step    int
	}{
		{"nothing at all", nil, "no run in", 0},
		{"half a line waits", map[string]string{"metrics.jsonl": metrics + `{"step":20,`}, "no run in", 10},
		{"garbage between lines", map[string]string{"config.toml": preset(t), "tokenizer.json": tokenizer(t), "metrics.jsonl": metrics + "\x00\xff\x1b[31m\n"}, "metrics.jsonl", 10},
		{"numbers beyond float64", map[string]string{"config.toml": preset(t), "tokenizer.json": tokenizer(t), "metrics.jsonl": `{"step":1,"loss":1e999}` + "\n"}, "metrics.jsonl", 0},
		{"steps that go back", map[string]string{"config.toml": preset(t), "tokenizer.json": tokenizer(t), "metrics.jsonl": metrics + metrics + `{"step":9}` + "\n"}, "step 9 comes after step 10", 10},
		{"a warp that does not fit together", map[string]string{
			"config.toml": preset(t), "tokenizer.json": tokenizer(t), "metrics.jsonl": metrics, "warp.jsonl": `{"step":1,"warp":{"t":[1,2]}}` + "\n",
		}, "2 noise levels, 0 values of F", 10},
		{"an evaluation of another objective", map[string]string{
			"config.toml": preset(t), "tokenizer.json": tokenizer(t), "metrics.jsonl": metrics + `{"step":10,"eval":{"likelihood":{"nats":1}}}` + "\n",
		}, "not of the objective", 10},
		{"more classes than there are", map[string]string{
			"config.toml": preset(t), "tokenizer.json": tokenizer(t), "metrics.jsonl": metrics + `{"step":20,"eval":{"classes":[{}` + strings.Repeat(",{}", maxLists) + "]}}\n",
		}, "257 classes, at most 256", 10},
		{"an evaluation without an end", map[string]string{
			"config.toml": preset(t), "tokenizer.json": tokenizer(t), "metrics.jsonl": metrics + `{"step":20,"eval":{"mask":"` + strings.Repeat("x", maxMetrics) + "\"}}\n",
		}, "at most 65536", 10},
		{"more quantiles than there are", map[string]string{
			"config.toml": preset(t), "tokenizer.json": tokenizer(t), "metrics.jsonl": metrics, "warp.jsonl": `{"step":1,"warp":{"quantiles":[{}` + strings.Repeat(",{}", maxLists) + "]}}\n",
		}, "257 quantiles", 10},
		{"a configuration that is none", map[string]string{"config.toml": "\x00\x01", "metrics.jsonl": metrics}, "config.toml", 10},
		{"a configuration that is too large", map[string]string{"config.toml": strings.Repeat("#", maxConfig+1)}, "limit", 0},
		{"a tokenizer that is none", map[string]string{"config.toml": preset(t), "tokenizer.json": "{]"}, "tokenizer.json", 0},
		{"whole", map[string]string{
			"config.toml": preset(t), "tokenizer.json": tokenizer(t), "metrics.jsonl": metrics, "warp.jsonl": snapshotLine(t, 1) + snapshotLine(t, 12),
		}, "", 12},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := open(t, write(t, c.files))
			problem := r.Problem()
			if !strings.Contains(problem, c.problem) || c.problem == "" && problem != "" || strings.Contains(problem, "\n") {
				t.Errorf("problem %q, want %q in it", problem, c.problem)
			}
			if s := r.Summary(); s.Step != c.step {
				t.Errorf("step %d, want %d", s.Step, c.step)
			}
		})
	}
}

// TestLinksOut: nothing of a file outside of the run shows.
func TestLinksOut(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("{\"step\":77}\nsecret = 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"config.toml", "tokenizer.json", "metrics.jsonl", "warp.jsonl", "samples.jsonl", "embeddings.jsonl", "timing.jsonl"} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"config.toml": preset(t), "tokenizer.json": tokenizer(t)}
			delete(files, name)
			dir := write(t, files)
			if err := os.Symlink(secret, filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
			r := open(t, dir)
			if p := r.Problem(); !strings.Contains(p, "escapes") {
				t.Errorf("problem %q, want one of a path that escapes", p)
			}
			if s := r.Summary(); s.Step != 0 {
				t.Errorf("step %d was read through a link", s.Step)
			}
		})
	}
	t.Run("checkpoints", func(t *testing.T) {
		dir := write(t, map[string]string{"config.toml": preset(t), "tokenizer.json": tokenizer(t)})
		outside := t.TempDir()
		if err := os.Mkdir(filepath.Join(outside, "step-00000001"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(outside, filepath.Join(dir, "checkpoints")); err != nil {
			t.Fatal(err)
		}
		if _, err := open(t, dir).Checkpoint(); err == nil {
			t.Error("a checkpoint outside of the run is taken")
		}
	})
	t.Run("weights", func(t *testing.T) {
		dir := write(t, map[string]string{"config.toml": preset(t), "tokenizer.json": tokenizer(t)})
		checkpoint := filepath.Join(dir, "checkpoints", "step-00000001")
		if err := os.MkdirAll(checkpoint, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(secret, filepath.Join(checkpoint, "weights.safetensors")); err != nil {
			t.Fatal(err)
		}
		if _, err := open(t, dir).Checkpoint(); err == nil {
			t.Error("weights outside of the run are taken")
		}
	})
}

// FuzzLogs: no content of the logs makes a run panic, and all of it can be shown.
func FuzzLogs(f *testing.F) {
	f.Add([]byte(`{"step":10,"tokens":100,"loss":2}`+"\n"), []byte(snapshotLine(f, 3)))
	f.Add([]byte(`{"step":1,"eval":{"t":[1],"ce":[1],"se":[1],"classes":[{"ce":[]}]}}`+"\n"), []byte(`{"step":1,"text":"a","frames":[{"ids":[-5,1e9]}]}`+"\n"))
	f.Add([]byte("\n\n\n"), []byte{0xff, '\n'})
	config, tok := preset(f), tokenizer(f)
	f.Fuzz(func(t *testing.T, a, b []byte) {
		r := open(t, write(t, map[string]string{
			"config.toml": config, "tokenizer.json": tok, "metrics.jsonl": string(a), "timing.jsonl": string(a),
			"warp.jsonl": string(b), "samples.jsonl": string(b), "embeddings.jsonl": string(b),
		}))
		r.Update()
		r.Summary()
		if w, err := r.Warp(); err == nil {
			w.Figures()
		}
		if c, err := r.Curves(); err == nil {
			c.Figures()
		}
		r.Health()
	})
}
