package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/pipeline"
	"github.com/seed-4c77ef92/textwarp/tokenize"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"eval": main})
}

// TestScripts runs the command on a run of a moment: its figures have no meaning,
// but they must be there.
func TestScripts(t *testing.T) {
	dir := t.TempDir()
	shards := filepath.Join(dir, "shards")
	writeShards(t, shards)
	train(t, filepath.Join(dir, "run"), shards, trainer.CDCD)
	train(t, filepath.Join(dir, "ar"), shards, trainer.AR)
	train(t, filepath.Join(dir, "piped"), "-", trainer.CDCD)
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("RUN", filepath.Join(dir, "run"))
			e.Setenv("AR", filepath.Join(dir, "ar"))
			e.Setenv("PIPED", filepath.Join(dir, "piped"))
			return nil
		},
	})
}

// writeShards prepares many small documents, of which some are held out.
func writeShards(t *testing.T, out string) {
	t.Helper()
	var text strings.Builder
	for i := range 100 {
		fmt.Fprintf(&text, "she sells %d sea shells.\n\n", i)
	}
	corpus := filepath.Join(t.TempDir(), "corpus.txt")
	if err := os.WriteFile(corpus, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	tok, err := tokenize.TrainChar(slices.Values([]string{text.String()}))
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = pipeline.Shard(t.Context(), pipeline.Options{
		Sources: []string{corpus}, Out: out, Split: pipeline.SplitBlank, Workers: 1, Val: .3, Encoder: tok, TokenizerJSON: tok.JSON(),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func train(t *testing.T, dir, stream, objective string) {
	t.Helper()
	s, err := trainer.NewSettings("nano")
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range map[string]string{
		"data.stream": stream, "process.objective": objective, "data.length": "24", "run.steps": "20",
		"model.embed_dim": "8", "model.width": "16", "model.layers": "1", "model.heads": "2", "model.mlp": "32",
	} {
		if err := s.Set(key, value, "test"); err != nil {
			t.Fatal(err)
		}
	}
	data, err := trainer.OpenData(s.Config, strings.NewReader(strings.Repeat("she sells sea shells. ", 300)))
	if err != nil {
		t.Fatal(err)
	}
	pool := kernels.NewPool(1)
	defer pool.Close()
	tr, err := trainer.Start(dir, s, data, trainer.Options{Pool: pool})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	if err := tr.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}
