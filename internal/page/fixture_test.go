package page

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
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

// hostileText has what ends a script in HTML, what colours a terminal, and what
// turns a line around. Its characters are the vocabulary of the runs here.
const hostileText = "<script>alert(1)</script>\x1b[31m\u202edlrow & \"olleh\" </SCRIPT\x00> "

// made are two trained runs and shards, made once for all tests.
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
			m.err = train(m.ar, m.shards, map[string]string{"process.objective": trainer.AR})
		}
		return m
	})
)

func makeShards(dir, out string) error {
	text := strings.Repeat(hostileText, 200)
	tok, err := tokenize.TrainChar(func(yield func(string) bool) { yield(text) })
	if err != nil {
		return err
	}
	source := filepath.Join(dir, "corpus.txt")
	if err := writeFile(source, text); err != nil {
		return err
	}
	_, _, err = pipeline.Shard(context.Background(), pipeline.Options{
		Sources: []string{source}, Out: out, Encoder: tok, TokenizerJSON: tok.JSON(),
	})
	return err
}

// train makes a run of a moment. What it writes has no meaning.
func train(dir, shards string, settings map[string]string) error {
	s, err := trainer.NewSettings("nano")
	if err != nil {
		return err
	}
	all := map[string]string{
		"data.stream": shards, "data.length": "24", "run.steps": "20", "run.eval_every": "10", "run.save_every": "10", "run.sample_every": "10", "run.log_every": "2",
		"model.embed_dim": "8", "model.width": "16", "model.layers": "1", "model.heads": "2", "model.mlp": "32",
	}
	maps.Copy(all, settings)
	for key, value := range all {
		if err := s.Set(key, value, "test"); err != nil {
			return err
		}
	}
	data, err := trainer.OpenData(s.Config, nil)
	if err != nil {
		return err
	}
	pool := kernels.NewPool(1)
	defer pool.Close()
	t, err := trainer.Start(dir, s, data, trainer.Options{Pool: pool})
	if err != nil {
		return err
	}
	defer t.Close()
	return t.Run(context.Background())
}

// server is one over the fixture that has read its runs.
func server(t *testing.T) *Server {
	t.Helper()
	m := fixture()
	if m.err != nil {
		t.Fatal(m.err)
	}
	return serverOf(t, m.shards, m.cdcd, m.ar)
}

// copied is a copy of the run of diffusion, to be changed.
func copied(t *testing.T) string {
	t.Helper()
	m := fixture()
	if m.err != nil {
		t.Fatal(m.err)
	}
	dir := filepath.Join(t.TempDir(), "run")
	if err := os.CopyFS(dir, os.DirFS(m.cdcd)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func serverOf(t *testing.T, shards string, runs ...string) *Server {
	t.Helper()
	s, err := New("test", runs, shards)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	s.update(t.Context())
	return s
}

// get asks a server as its own page does.
func get(s *Server, path string) *httptest.ResponseRecorder {
	return ask(s, http.MethodGet, path, "", nil)
}

func ask(s *Server, method, path, body string, header map[string]string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://127.0.0.1:8080"+path, strings.NewReader(body))
	for name, value := range header {
		r.Header.Set(name, value)
		if name == "Host" {
			r.Host = value
		}
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

// decode reads an answer.
func decode[T any](t *testing.T, w *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	if err := json.NewDecoder(bytes.NewReader(w.Body.Bytes())).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}
