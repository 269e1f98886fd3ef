package hub

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/pipeline"
	"github.com/seed-4c77ef92/textwarp/tokenize"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// made are two trained runs and their shards, made once for all tests.
type made struct {
	cdcd, ar, shards string
	err              error
}

var (
	fixtureDir string // that TestMain removes
	fixture    = sync.OnceValue(func() (m made) {
		m = made{cdcd: filepath.Join(fixtureDir, "cdcd"), ar: filepath.Join(fixtureDir, "ar"), shards: filepath.Join(fixtureDir, "shards")}
		if m.err = makeShards(fixtureDir, m.shards); m.err == nil {
			m.err = train(m.cdcd, m.shards, nil)
		}
		if m.err == nil {
			m.err = train(m.ar, m.shards, map[string]string{"process.objective": trainer.AR, "process.fim": "0.5"})
		}
		return m
	})
)

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "hub")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		fixtureDir = dir
		return m.Run()
	}())
}

func runs(t *testing.T) made {
	t.Helper()
	m := fixture()
	if m.err != nil {
		t.Fatal(m.err)
	}
	return m
}

func makeShards(dir, out string) error {
	text := strings.Repeat("the cat sat on the mat and saw the hat. ", 100)
	tok, err := tokenize.TrainChar(func(yield func(string) bool) { yield(text) })
	if err != nil {
		return err
	}
	source := filepath.Join(dir, "corpus.txt")
	if err := os.WriteFile(source, []byte(text), 0o666); err != nil {
		return err
	}
	_, _, err = pipeline.Shard(context.Background(), pipeline.Options{
		Sources: []string{source}, Out: out, Encoder: tok, TokenizerJSON: tok.JSON(),
	})
	return err
}

// train makes a run of a moment. What it writes has no meaning.
func train(dir, shards string, settings map[string]string) error {
	t, err := start(dir, shards, settings)
	if err != nil {
		return err
	}
	defer t.Close()
	return t.Run(context.Background())
}

func start(dir, shards string, settings map[string]string) (*trainer.Trainer, error) {
	s, err := resolve(shards, settings, nil)
	if err != nil {
		return nil, err
	}
	data, err := trainer.OpenData(s.Config, nil)
	if err != nil {
		return nil, err
	}
	return trainer.Start(dir, s, data, trainer.Options{Pool: kernels.NewPool(1)})
}

// resolve lays settings over those of a source, and these over a tiny model's.
func resolve(shards string, settings map[string]string, source *Source) (*trainer.Settings, error) {
	s, err := trainer.NewSettings("nano")
	if err != nil {
		return nil, err
	}
	all := map[string]string{
		"data.stream": shards, "data.length": "16", "run.steps": "6", "run.save_every": "3", "run.sample_every": "3", "run.log_every": "2",
		"model.embed_dim": "8", "model.width": "16", "model.layers": "1", "model.heads": "2", "model.mlp": "32", "optim.warmup": "1",
	}
	set := func(all map[string]string) error {
		for key, value := range all {
			if err := s.Set(key, value, "test"); err != nil {
				return err
			}
		}
		return nil
	}
	err = set(all)
	if source != nil {
		err = errors.Join(err, source.Adopt(s))
	}
	return s, errors.Join(err, set(settings))
}
