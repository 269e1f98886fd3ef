package hub

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/internal/safetensors"
	"github.com/seed-4c77ef92/textwarp/timewarp"
	"github.com/seed-4c77ef92/textwarp/tokenize"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// importRun begins a run in dir with a source, as train import does.
func importRun(dir, shards, path string, settings map[string]string) (taken Taken, err error) {
	source, err := OpenSource(path)
	if err != nil {
		return taken, err
	}
	s, err := resolve(shards, settings, source)
	if err != nil {
		return taken, err
	}
	if err := source.Check(s.Config); err != nil {
		return taken, err
	}
	data, err := trainer.OpenData(s.Config, nil)
	if err != nil {
		return taken, err
	}
	t, err := trainer.Start(dir, s, data, trainer.Options{
		Pool: kernels.NewPool(1),
		Init: func(m *trainer.Model, w timewarp.Warp) (err error) {
			taken, err = source.Fill(Beginning{s.Config, data.Tokenizer, m, w})
			return err
		},
	})
	if err != nil {
		return taken, err
	}
	return taken, t.Close()
}

// TestThereAndBack: a run that begins with a folder has the weights, the warp and
// the settings of the run that the folder is of, and goes on.
func TestThereAndBack(t *testing.T) {
	m := runs(t)
	for name, run := range map[string]string{"cdcd": m.cdcd, "ar": m.ar} {
		t.Run(name, func(t *testing.T) {
			folder, dir := filepath.Join(t.TempDir(), "folder"), filepath.Join(t.TempDir(), "run")
			want := export(t, run, folder)
			// The folder's settings are those of the run: it needs none of its own.
			taken, err := importRun(dir, m.shards, folder, nil)
			if err != nil {
				t.Fatal(err)
			}
			pool := kernels.NewPool(1)
			defer pool.Close()
			got, err := trainer.Load(dir, pool)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.Model.Params, want.Model.Params) || got.Step != 0 {
				t.Errorf("other weights at step %d", got.Step)
			}
			if got.Config.Model != want.Config.Model || got.Config.Process != want.Config.Process || got.Config.Data.Length != want.Config.Data.Length {
				t.Errorf("settings %+v, want %+v", got.Config, want.Config)
			}
			if taken.Params != len(want.Model.Params) || taken.Warp != (name == "cdcd") {
				t.Errorf("taken: %+v", taken)
			}
			if want.Warp != nil {
				a, _ := json.Marshal(want.Warp)
				b, _ := json.Marshal(got.Warp)
				if !bytes.Equal(a, b) {
					t.Error("another warp")
				}
			}
			data, err := trainer.OpenData(got.Config, nil)
			if err != nil {
				t.Fatal(err)
			}
			on, _, err := trainer.Resume(dir, got.Config, data, trainer.Options{Pool: pool})
			if err != nil {
				t.Fatal(err)
			}
			defer on.Close()
			if err := on.Run(context.Background()); err != nil || on.Step() != 6 {
				t.Errorf("step %d, %v", on.Step(), err)
			}
		})
	}
}

// TestOtherWarp: a run with other noise levels has the weights and not the warp.
func TestOtherWarp(t *testing.T) {
	m := runs(t)
	folder := filepath.Join(t.TempDir(), "folder")
	export(t, m.cdcd, folder)
	for _, settings := range []map[string]string{{"process.t_max": "60"}, {"process.warp": "paper"}} {
		taken, err := importRun(filepath.Join(t.TempDir(), "run"), m.shards, folder, settings)
		if err != nil || taken.Warp {
			t.Errorf("%v: %+v, %v", settings, taken, err)
		}
	}
}

// TestSmallNumbers: a number that JSON and TOML write differently is the same.
func TestSmallNumbers(t *testing.T) {
	m := runs(t)
	run, folder := filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "folder")
	if err := train(run, m.shards, map[string]string{"process.t_min": "0.00001"}); err != nil {
		t.Fatal(err)
	}
	export(t, run, folder)
	taken, err := importRun(filepath.Join(t.TempDir(), "run"), m.shards, folder, nil)
	if err != nil || !taken.Warp {
		t.Errorf("%+v, %v", taken, err)
	}
}

// TestFolderRefused damages a folder in one way at a time.
func TestFolderRefused(t *testing.T) {
	m := runs(t)
	edit := func(name, old, to string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			path := filepath.Join(dir, name)
			data, err := os.ReadFile(path)
			if err != nil || !bytes.Contains(data, []byte(old)) {
				t.Fatalf("%s has no %q, %v", name, old, err)
			}
			if err := os.WriteFile(path, bytes.Replace(data, []byte(old), []byte(to), 1), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	cases := []struct {
		name     string
		damage   func(t *testing.T, dir string)
		settings map[string]string
		kind     error
		want     string
	}{
		{"no config", func(_ *testing.T, dir string) { os.Remove(dir + "/" + ConfigFile) }, nil, safeio.ErrNotFound, "no model folder"},
		{"config of another library's model", edit(ConfigFile, `"model_type": "textwarp"`, `"model_type": "gpt2"`), nil, safeio.ErrMismatch, `type "gpt2"`},
		{"config of the first version", edit(ConfigFile, `"textwarp": {`, `"nothing": {`), nil, safeio.ErrMismatch, "export the run again"},
		{"config cut short", edit(ConfigFile, "}\n}", ""), nil, safeio.ErrCorrupt, "config.json"},
		{"unknown setting", edit(ConfigFile, `"process.fim"`, `"process.fun"`), nil, nil, `did you mean "process.fim"`},
		{"setting of another type", edit(ConfigFile, `"data.length": 16`, `"data.length": {}`), nil, nil, "data.length"},
		{"no sizes", edit(ConfigFile, `"model.heads": 2,`, ``), nil, safeio.ErrCorrupt, "no model.heads"},
		{"other sizes than the weights", edit(ConfigFile, `"model.mlp": 32`, `"model.mlp": 16`), nil, safeio.ErrMismatch, `"blocks.0.mlp.up.weight" has shape [32 16], the settings want [16 16]`},
		{"fewer layers than the weights", edit(ConfigFile, `"model.layers": 2`, `"model.layers": 1`), nil, safeio.ErrMismatch, `tensor "blocks.1.`},
		{"a setting of a place", edit(ConfigFile, `"data.length"`, `"data.held_out"`), nil, safeio.ErrCorrupt, `"data.held_out" is none of the settings`},
		{"impossible sizes", edit(ConfigFile, `"model.layers": 2`, `"model.layers": -1`), nil, nil, "layers"},
		{"impossible warp", edit(ConfigFile, `"explore":`, `"explore": -`), nil, safeio.ErrCorrupt, "warp"},
		{"no weights", func(_ *testing.T, dir string) { os.Remove(dir + "/" + WeightsFile) }, nil, safeio.ErrNotFound, WeightsFile},
		{"weights cut short", func(_ *testing.T, dir string) { os.Truncate(dir+"/"+WeightsFile, 5000) }, nil, safeio.ErrCorrupt, "cut short"},
		{"no tokenizer", func(_ *testing.T, dir string) { os.Remove(dir + "/" + TokenizerFile) }, nil, nil, TokenizerFile},
		{"another tokenizer", func(t *testing.T, dir string) {
			tok, err := tokenize.TrainChar(func(yield func(string) bool) { yield("zyx") })
			if err := errors.Join(err, os.WriteFile(dir+"/"+TokenizerFile, tok.JSON(), 0o666)); err != nil {
				t.Fatal(err)
			}
		}, nil, safeio.ErrMismatch, "prep shard --tokenizer"},
		{"weights that are no numbers", func(t *testing.T, dir string) {
			path := dir + "/" + WeightsFile
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			copy(data[len(data)-4:], "\x00\x00\xc0\x7f")
			os.WriteFile(path, data, 0o666)
		}, nil, safeio.ErrCorrupt, "is NaN"},
		{"another width asked for", func(*testing.T, string) {}, map[string]string{"model.width": "32"}, safeio.ErrMismatch, "model.width can only be 16"},
		{"another objective asked for", func(*testing.T, string) {}, map[string]string{"process.objective": "ar"}, safeio.ErrMismatch, "process.objective can only be cdcd"},
	}
	deep := filepath.Join(t.TempDir(), "deep")
	if err := train(deep, m.shards, map[string]string{"model.layers": "2"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "folder")
			export(t, deep, folder)
			c.damage(t, folder)
			dir := filepath.Join(t.TempDir(), "run")
			_, err := importRun(dir, m.shards, folder, c.settings)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), folder) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if c.kind != nil && !errors.Is(err, c.kind) {
				t.Errorf("got %v, want %v", err, c.kind)
			}
			if _, err := trainer.ReadConfig(dir); !errors.Is(err, safeio.ErrNotFound) {
				t.Errorf("a run is there: %v", err)
			}
		})
	}
}

// TestSentinels: weights with rows for the sentinels of holes are of no run without
// holes, and the other way round; the share of holes is free.
func TestSentinels(t *testing.T) {
	m := runs(t)
	folder := filepath.Join(t.TempDir(), "folder")
	export(t, m.ar, folder)
	if _, err := importRun(filepath.Join(t.TempDir(), "run"), m.shards, folder, map[string]string{"process.fim": "0.9"}); err != nil {
		t.Error(err)
	}
	_, err := importRun(filepath.Join(t.TempDir(), "run"), m.shards, folder, map[string]string{"process.fim": "0"})
	if !errors.Is(err, safeio.ErrMismatch) || !strings.Contains(err.Error(), "process.fim can only be 0.5") {
		t.Errorf("got %v", err)
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(`{"model_type":"textwarp","textwarp":{"settings":{"data.length":16,"process.warp":"online"},"warp":{"kind":"online"}}}`))
	f.Add([]byte(`{"model_type":"gpt2"}`))
	f.Add([]byte(`{"model_type":"textwarp","textwarp":null}`))
	f.Add([]byte(`{"model_type":"textwarp","textwarp":{"settings":{"model.mlp":1e999}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		training, err := parseConfig(data)
		if (err == nil) != (training != nil) {
			t.Fatalf("%v, %v", training, err)
		}
	})
}

// vocabulary is the characters of the fixture's text in the order of their ids.
func vocabulary(t *testing.T, shards string) *tokenize.Tokenizer {
	t.Helper()
	tok, err := tokenize.Load(filepath.Join(shards, "tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func TestWordVectors(t *testing.T) {
	m := runs(t)
	tok := vocabulary(t, m.shards)
	path := filepath.Join(t.TempDir(), "vectors.txt")
	text := "t 1 2 3\nunused 4 5 6\nh -1 0 1\nt 9 9 9\ne 0 0 0\n"
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "run")
	taken, err := importRun(dir, m.shards, path, map[string]string{"model.freeze_embeddings": "true"})
	if err != nil || taken.Rows != 2 || taken.Unused != 3 || taken.Params != 6 {
		t.Fatalf("%+v, %v", taken, err)
	}
	pool := kernels.NewPool(1)
	defer pool.Close()
	run, err := trainer.Load(dir, pool)
	if err != nil || run.Config.Model.EmbedDim != 3 {
		t.Fatalf("%+v, %v", run.Config.Model, err)
	}
	for id := range run.Model.Table.V {
		row := run.Model.Table.W[3*id : 3*id+3]
		switch tok.Token(int32(id)) {
		case "t":
			if !slices.Equal(row, []float32{1, 2, 3}) {
				t.Errorf("t: %v", row)
			}
		case "h":
			if !slices.Equal(row, []float32{-1, 0, 1}) {
				t.Errorf("h: %v", row)
			}
		default:
			if n := math.Hypot(float64(row[0]), float64(row[1])); n == 0 || n > .01 {
				t.Errorf("%q: %v, want small random numbers", tok.Token(int32(id)), row)
			}
		}
	}
}

func TestEmbeddingsRefused(t *testing.T) {
	m := runs(t)
	vocab := vocabulary(t, m.shards).VocabSize()
	tensors := func(all ...safetensors.Tensor) []byte {
		var b bytes.Buffer
		if err := safetensors.Write(&b, nil, all); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	table := func(rows int, value float32) safetensors.Tensor {
		return safetensors.Tensor{Name: "wte.weight", Shape: []int{rows, 4}, F32: slices.Repeat([]float32{value}, 4*rows)}
	}
	cases := []struct {
		name, file string
		data       []byte
		settings   map[string]string
		kind       error
		want       string
	}{
		{"no vectors", "x.txt", []byte("Call me Ishmael.\n"), nil, safeio.ErrCorrupt, `line 1: "me" is not a number`},
		{"cut short", "x.txt", []byte("t 1 2\nh 1\n"), nil, safeio.ErrCorrupt, "line 2"},
		{"of other words", "x.txt", []byte("whale 1 2\nship 3 4\n"), nil, safeio.ErrMismatch, "none of its 2 rows"},
		{"another dimension asked for", "x.txt", []byte("t 1 2\n"), map[string]string{"model.embed_dim": "8"}, safeio.ErrMismatch, "model.embed_dim can only be 2"},
		{"no safetensors", "x.safetensors", []byte("t 1 2\n"), nil, safeio.ErrCorrupt, "too short"},
		{"no table", "x.safetensors", tensors(safetensors.Tensor{Name: "b", Shape: []int{1}, F32: []float32{0}}), nil, safeio.ErrMismatch, "no matrix"},
		{"of fewer tokens", "x.safetensors", tensors(table(vocab-1, 1)), nil, safeio.ErrMismatch, fmt.Sprintf("rows for %d tokens", vocab-1)},
		{"infinite", "x.safetensors", tensors(table(vocab, float32(math.Inf(1)))), nil, safeio.ErrCorrupt, "value 0 is +Inf"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), c.file)
			if err := os.WriteFile(path, c.data, 0o666); err != nil {
				t.Fatal(err)
			}
			_, err := importRun(filepath.Join(t.TempDir(), "run"), m.shards, path, c.settings)
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	for _, path := range []string{filepath.Join(t.TempDir(), "nothing"), os.DevNull} {
		if _, err := OpenSource(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}

	// A table that is filled up to a round number is one; so is that of a folder.
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := os.WriteFile(path, tensors(table(vocab+3, 1)), 0o666); err != nil {
		t.Fatal(err)
	}
	taken, err := importRun(filepath.Join(t.TempDir(), "run"), m.shards, path, nil)
	if err != nil || taken.Rows != vocab || taken.Unused != 3 {
		t.Errorf("%+v, %v", taken, err)
	}
	// A row of zeros is none: it begins at random.
	zeros := table(vocab, 1)
	clear(zeros.F32[4:8])
	if err := os.WriteFile(path, tensors(zeros), 0o666); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "run")
	taken, err = importRun(dir, m.shards, path, nil)
	if err != nil || taken.Rows != vocab-1 || taken.Params != 4*(vocab-1) {
		t.Errorf("%+v, %v", taken, err)
	}
	pool := kernels.NewPool(1)
	defer pool.Close()
	if run, err := trainer.Load(dir, pool); err != nil || run.Model.Table.W[0] != 1 || run.Model.Table.W[4] == 0 {
		t.Errorf("%v, %v", run.Model.Table.W[:8], err)
	}

	folder := filepath.Join(t.TempDir(), "folder")
	export(t, m.cdcd, folder)
	taken, err = importRun(filepath.Join(t.TempDir(), "run"), m.shards, filepath.Join(folder, WeightsFile), map[string]string{"model.width": "32"})
	if err != nil || taken.Rows != vocab || taken.Params != 8*vocab {
		t.Errorf("%+v, %v", taken, err)
	}
}

func TestAssign(t *testing.T) {
	row := []float32{1}
	cases := []struct {
		name  string
		names []string // of the tokens
		rows  []string // of the file
		want  []string // row of each token
	}{
		{"words without spaces", []string{" the", " cat"}, []string{"the", "cat"}, []string{"the", "cat"}},
		{"words with spaces", []string{" the", "the"}, []string{" the", "the"}, []string{" the", "the"}},
		{"a whole word before its inside", []string{"the", " the"}, []string{"the"}, []string{"", "the"}},
		{"an inside alone", []string{"the", " cat"}, []string{"the"}, []string{"the", ""}},
		{"signs of SentencePiece and GPT-2", []string{word("▁the"), word("Ġcat"), word("▁")}, []string{"the", "cat"}, []string{"the", "cat", ""}},
		{"pieces of WordPiece", []string{"the", "##ing"}, []string{"the", "ing"}, []string{"the", ""}},
		{"two tokens of a name", []string{" the", " the"}, []string{"the"}, []string{"the", ""}},
		{"case counts", []string{" The"}, []string{"the"}, []string{""}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			rows := map[string][]float32{}
			for _, r := range c.rows {
				rows[r] = row
			}
			of := assign(c.names, rows)
			for id, want := range c.want {
				if of[id] != want {
					t.Errorf("%q has the row of %q, want %q", c.names[id], of[id], want)
				}
			}
		})
	}
}
