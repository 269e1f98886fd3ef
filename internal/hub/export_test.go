package hub

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/internal/safetensors"
	"github.com/seed-4c77ef92/textwarp/tokenize"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func export(t *testing.T, run, dir string) *trainer.Trained {
	t.Helper()
	m, err := Export(context.Background(), safeio.FS{}, run, dir, kernels.NewPool(1))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestFolder: the weights of the folder are the averaged ones, matrices turned;
// the tokenizer is the run's to the byte; the JSON files are what the golden files
// say, the learned warp left out.
func TestFolder(t *testing.T) {
	m := runs(t)
	for name, run := range map[string]string{"cdcd": m.cdcd, "ar": m.ar} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "models", "folder") // makes its parent
			trained := export(t, run, dir+"/")                    // as a shell completes it
			entries, err := os.ReadDir(dir)
			if err != nil || len(entries) != 7 {
				t.Fatalf("%d entries, %v", len(entries), err)
			}
			f, err := safetensors.Open(filepath.Join(dir, WeightsFile))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			for _, want := range trained.Model.Tensors(trained.Model.Params, "") {
				got := make([]float32, len(want.F32))
				if err := f.Read(want.Name, got); err != nil {
					t.Fatal(err)
				}
				shape := slices.Clone(want.Shape)
				if len(shape) == 2 && want.Name != "embeddings.weight" {
					slices.Reverse(shape)
					for r := range want.Shape[0] {
						for c := range want.Shape[1] {
							if got[c*want.Shape[0]+r] != want.F32[r*want.Shape[1]+c] {
								t.Fatalf("%s: element %d, %d is not where PyTorch has it", want.Name, r, c)
							}
						}
					}
				} else if !slices.Equal(got, want.F32) {
					t.Errorf("%s differs", want.Name)
				}
				if !slices.Equal(f.Shape(want.Name), shape) {
					t.Errorf("%s has shape %v, want %v", want.Name, f.Shape(want.Name), shape)
				}
			}
			tok, err := tokenize.Load(filepath.Join(dir, TokenizerFile))
			if err != nil || tok.Hash() != trained.Tokenizer.Hash() {
				t.Errorf("another tokenizer: %v", err)
			}
			for _, file := range []string{ConfigFile, generationFile, tokenizerSetup} {
				golden(t, filepath.Join("testdata", name, file), withoutWarp(t, filepath.Join(dir, file)))
			}
		})
	}
}

// withoutWarp reads a JSON file; the nodes of a warp are reduced to their ends, its
// state to its kind.
func withoutWarp(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	if warp, ok := all["warp"].(map[string]any); ok {
		for _, nodes := range []string{"t", "cdf"} {
			values := warp[nodes].([]any)
			warp[nodes] = []any{values[0], values[len(values)-1]}
		}
	}
	if training, ok := all["textwarp"].(map[string]any); ok {
		if state, ok := training["warp"].(map[string]any); ok {
			training["warp"] = state["kind"]
		}
	}
	out, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, got, 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s: got\n%s", path, got)
	}
}

// TestQuantiles: the tabulated warp has the quantiles of the run's.
func TestQuantiles(t *testing.T) {
	m := runs(t)
	for _, kind := range []string{"online", "paper", "karras", "cosine", "sqrt", "log-uniform", "uniform"} {
		t.Run(kind, func(t *testing.T) {
			run := m.cdcd
			if kind != "online" {
				run = filepath.Join(t.TempDir(), "run")
				if err := train(run, m.shards, map[string]string{"process.warp": kind}); err != nil {
					t.Fatal(err)
				}
			}
			trained, err := trainer.Load(run, kernels.NewPool(1))
			if err != nil {
				t.Fatal(err)
			}
			w := newConfig(trained).Warp
			if n := len(w.T); n > 20_000 {
				t.Errorf("%d nodes", n)
			}
			for i := range 1001 {
				u := float64(i) / 1000
				if got, want := w.Quantile(u), trained.Warp.Quantile(u); got < want*(1-2e-6) || got > want*(1+2e-6) {
					t.Errorf("quantile %g is %g, want %g", u, got, want)
				}
			}
		})
	}
}

// TestCard: the card states what the run recorded up to its checkpoint, held-out
// losses if there are any, and of the data their name and hash.
func TestCard(t *testing.T) {
	m := runs(t)
	const diffused = `{"step":4,"tokens":512,"eval":{"windows":9,"t":[0.5,10],"ce":[0.25,3.5],"se":[0.01,0.125]}}`
	const predicted = `{"step":4,"tokens":512,"eval":{"windows":9,"likelihood":{"nats":2.5,"std_err":0.25,"after_first":2.25,"after_first_std_err":0.125}}}`
	const later = "\n" + `{"step":7,"tokens":999,"eval":{"windows":9,"t":[0.5],"ce":[9.5],"se":[9.5]}}` + "\n"
	cases := []struct {
		name, run, log string // the log "" as it is
		want           []string
		not            string
	}{
		{"nothing held out", m.cdcd, "", []string{"# run\n", "| trained | 6 of 6 steps of 8 windows |", "| tokens seen | 768 |", "AutoModel.from_pretrained"}, "Held-out"},
		{"losses by noise level", m.cdcd, diffused + later, []string{"Of 9 windows at step 4,", "| 0.5 | 0.2500 | 0.0100 |\n| 10 | 3.5000 | 0.1250 |", "| tokens seen | 512 |"}, "9.5"},
		{"likelihood", m.ar, predicted + later, []string{"| all tokens | 2.5000 | 0.2500 |\n| all but the first | 2.2500 | 0.1250 |", "model.predict"}, "9.5"},
		{"no log", m.cdcd, "\n", []string{"| trained | 6 of 6 steps"}, "tokens seen"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			run := filepath.Join(t.TempDir(), "run")
			if err := os.CopyFS(run, os.DirFS(c.run)); err != nil {
				t.Fatal(err)
			}
			if c.log != "" {
				if err := os.WriteFile(filepath.Join(run, trainer.MetricsFile), []byte(c.log), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			dir := filepath.Join(t.TempDir(), "folder")
			trained := export(t, run, dir)
			card, err := os.ReadFile(filepath.Join(dir, cardFile))
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range append(c.want, "| text | shards (data set "+trained.Data[:12]+") |") {
				if !strings.Contains(string(card), want) {
					t.Errorf("the card lacks %q:\n%s", want, card)
				}
			}
			if strings.Contains(string(card), c.not) {
				t.Errorf("the card has %q:\n%s", c.not, card)
			}
		})
	}
}

func TestDataName(t *testing.T) {
	for stream, want := range map[string]string{
		"-": "", "shards": "shards", "/data/books/": "books", ".": "shards", "..": "shards", "/": "shards",
		"https://user:secret@host.example/sets/books?token=abc": "books", "http://user:secret@127.0.0.1:9333": "127.0.0.1",
		"http://host/?token=abc": "host", "s3://bucket": "bucket", "s3://bucket/prefix/": "prefix", "http://%zz": "shards",
	} {
		if got := dataName(stream); got != want {
			t.Errorf("%q is called %q, want %q", stream, got, want)
		}
	}
}

// TestCancelled: a folder that is not finished is not there.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	parent := t.TempDir()
	if _, err := Export(ctx, safeio.FS{}, runs(t).cdcd, filepath.Join(parent, "folder"), kernels.NewPool(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if entries, _ := os.ReadDir(parent); len(entries) > 0 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestNewest(t *testing.T) {
	cases := []struct {
		name, log string
		step      int // of the newest line, 0 for none
		want      string
	}{
		{"empty", "", 0, ""},
		{"two lines", `{"step":2}` + "\n" + `{"step":4}` + "\n", 4, ""},
		{"a line beyond the checkpoint", `{"step":2}` + "\n" + `{"step":8}` + "\n", 2, ""},
		{"a line being written", `{"step":2}` + "\n" + `{"st`, 2, ""},
		{"a broken line in between", `{"step":2}` + "\n{\n" + `{"step":4}` + "\n", 2, "line 2: "},
		{"a line of another type", `{"step":"two"}` + "\n" + `{"step":4}` + "\n", 0, "line 1: "},
		{"a line without an end", strings.Repeat(" ", maxLine+1), 0, "too long"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := newest(strings.NewReader(c.log), 6)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if got.metrics.Step != c.step {
				t.Errorf("step %d, want %d", got.metrics.Step, c.step)
			}
		})
	}
}

func FuzzNewest(f *testing.F) {
	f.Add([]byte(`{"step":2,"tokens":3}` + "\n" + `{"step":4,"eval":{"windows":9,"t":[1],"ce":[2],"se":[3]}}` + "\n"))
	f.Add([]byte(`{"step":4,"eval":{"likelihood":{"nats":2.5}}}` + "\n{\n"))
	f.Fuzz(func(t *testing.T, log []byte) {
		r, err := newest(bytes.NewReader(log), 6)
		if err == nil && (r.metrics.Step > 6 || r.evaluation != nil && r.evaluation.Step > 6) {
			t.Fatalf("a line beyond the step: %+v", r)
		}
	})
}

func TestReplaced(t *testing.T) {
	m := runs(t)
	write := func(t *testing.T, path, text string) {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(text), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	cases := []struct {
		name string
		make func(t *testing.T, dir string)
		want string // of the error; "" for none
	}{
		{"nothing there", func(*testing.T, string) {}, ""},
		{"empty", func(t *testing.T, dir string) { write(t, dir+"/x", ""); os.Remove(dir + "/x") }, ""},
		{"a folder of another model", func(t *testing.T, dir string) { export(t, m.ar, dir) }, ""},
		{"a folder that Python has read", func(t *testing.T, dir string) {
			export(t, m.ar, dir)
			write(t, dir+"/__pycache__/modeling_textwarp.cpython-311.pyc", "")
		}, ""},
		{"Python's directory with a stranger in it", func(t *testing.T, dir string) {
			export(t, m.cdcd, dir)
			write(t, dir+"/__pycache__/notes.txt", "mine")
		}, `holds "__pycache__"`},
		{"a link to a folder", func(t *testing.T, dir string) {
			export(t, m.ar, dir+"-1")
			if err := os.Symlink("folder-1", dir); err != nil {
				t.Fatal(err)
			}
		}, ""},
		{"a link to nothing", func(t *testing.T, dir string) {
			if err := os.Symlink("nothing", dir); err != nil {
				t.Fatal(err)
			}
		}, "leads nowhere: choose another"},
		{"where the program works", func(t *testing.T, dir string) {
			export(t, m.ar, dir)
			t.Chdir(dir)
		}, "it is the working directory: choose another"},
		{"a folder of ours with a stranger in it", func(t *testing.T, dir string) {
			export(t, m.cdcd, dir)
			write(t, dir+"/notes.txt", "mine")
		}, `holds "notes.txt"`},
		{"a directory of something else", func(t *testing.T, dir string) { write(t, dir+"/thesis.tex", "mine") }, "not a model folder"},
		{"a folder of another library's", func(t *testing.T, dir string) { write(t, dir+"/config.json", `{"model_type":"bert"}`) }, "not a model folder"},
		{"a file", func(t *testing.T, dir string) { write(t, dir, "mine") }, "it is a file: choose another"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			parent := t.TempDir()
			dir := filepath.Join(parent, "folder")
			c.make(t, dir)
			_, err := Export(context.Background(), safeio.FS{}, m.cdcd, dir, kernels.NewPool(1))
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if info, err := os.Lstat(dir + "-1"); err == nil && !info.IsDir() {
					t.Error("the link's folder is gone")
				}
				if f, err := os.ReadFile(filepath.Join(dir, ConfigFile)); err != nil || !strings.Contains(string(f), `"cdcd"`) {
					t.Errorf("not replaced: %v", err)
				}
			} else if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if left, _ := filepath.Glob(filepath.Join(parent, ".tmp-*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// TestFailedExport fails every operation of an export over a folder in turn: the
// old folder stays whole, or the new one is.
func TestFailedExport(t *testing.T) {
	m := runs(t)
	parent := t.TempDir()
	dir := filepath.Join(parent, "folder")
	export(t, m.ar, dir)
	failed := errors.New("failed")
	for n := 1; ; n++ {
		count := 0
		_, err := Export(context.Background(), safeio.FS{Before: func(string, string) error {
			if count++; count == n {
				return failed
			}
			return nil
		}}, m.cdcd, dir, kernels.NewPool(1))
		if entries, _ := os.ReadDir(dir); len(entries) != 7 {
			t.Fatalf("operation %d: %d files are left", n, len(entries))
		}
		if count < n {
			if err != nil || n < 10 {
				t.Errorf("%d operations, %v", n, err)
			}
			return
		}
		if !errors.Is(err, failed) {
			t.Errorf("operation %d: %v", n, err)
		}
	}
}

// TestNoRun: neither a directory without a run nor one without a whole checkpoint
// becomes a folder.
func TestNoRun(t *testing.T) {
	run, dir := filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "folder")
	if err := os.CopyFS(run, os.DirFS(runs(t).cdcd)); err != nil {
		t.Fatal(err)
	}
	weights, _ := filepath.Glob(run + "/checkpoints/*/weights.safetensors")
	for _, path := range weights {
		if err := os.Truncate(path, 100); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Export(context.Background(), safeio.FS{}, run, dir, kernels.NewPool(1)); len(weights) == 0 || err == nil || !strings.Contains(err.Error(), run) {
		t.Errorf("%d checkpoints, got %v", len(weights), err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a folder is there")
	}
	if _, err := Export(context.Background(), safeio.FS{}, t.TempDir(), filepath.Join(t.TempDir(), "folder"), kernels.NewPool(1)); !errors.Is(err, safeio.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}
