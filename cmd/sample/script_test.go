package main

import (
	"context"
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
	train(t, filepath.Join(dir, "run"))
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("RUN", filepath.Join(dir, "run"))
			return nil
		},
	})
}

func train(t *testing.T, dir string) {
	t.Helper()
	s, err := trainer.NewSettings("nano")
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range map[string]string{
		"data.stream": "-", "data.length": "24", "run.steps": "20",
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
	if err := tr.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
}
