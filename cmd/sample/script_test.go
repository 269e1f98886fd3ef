package main

import (
	"context"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"sample": main})
}

// TestScripts runs the command on a run of a moment: what it writes has no
// meaning, but it must be written as promised.
func TestScripts(t *testing.T) {
	dir := t.TempDir()
	train(t, filepath.Join(dir, "run"), nil)
	train(t, filepath.Join(dir, "ar"), map[string]string{"process.objective": trainer.AR})
	train(t, filepath.Join(dir, "fim"), map[string]string{"process.objective": trainer.AR, "process.fim": "0.5"})
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("RUN", filepath.Join(dir, "run"))
			e.Setenv("AR", filepath.Join(dir, "ar"))
			e.Setenv("FIM", filepath.Join(dir, "fim"))
			return nil
		},
	})
}

func train(t *testing.T, dir string, settings map[string]string) {
	t.Helper()
	s, err := trainer.NewSettings("nano")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{
		"data.stream": "-", "data.length": "24", "run.steps": "20",
		"model.embed_dim": "8", "model.width": "16", "model.layers": "1", "model.heads": "2", "model.mlp": "32",
	}
	maps.Copy(all, settings)
	for key, value := range all {
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
	if err := tr.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
}
