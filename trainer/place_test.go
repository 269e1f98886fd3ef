package trainer

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/pipeline"
	"github.com/seed-4c77ef92/textwarp/tokenize"
	"github.com/seed-4c77ef92/textwarp/trainer/checkpoint"
)

// resumeAt resumes a run with its shards at another place.
func resumeAt(t *testing.T, dir, stream string, at Place) (*Trainer, error) {
	t.Helper()
	c, err := ReadConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	c.Data.Stream = stream
	data, err := at.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	pool := kernels.NewPool(1)
	t.Cleanup(pool.Close)
	tr, _, err := Resume(dir, c, data, Options{Pool: pool})
	return tr, err
}

// Shards may move between two parts of a run, to another directory or to a web
// server; others than those it began with are refused.
func TestShardsMayMove(t *testing.T) {
	stream := shards(t)
	whole := filepath.Join(t.TempDir(), "run")
	finish(t, begin(t, whole, tiny(t, stream), 1, Options{}))

	dir := filepath.Join(t.TempDir(), "run")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	tr := begin(t, dir, tiny(t, stream), 1, Options{Notify: func(e Event) {
		if e.Kind == "saved" && e.Step == 14 {
			cancel()
		}
	}})
	if err := tr.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	tr.Close()

	if tr, err := resumeAt(t, dir, shards(t), Place{}); err != nil {
		t.Fatal("the same shards, made again: ", err)
	} else {
		tr.Close()
	}
	cache, err := pipeline.OpenDiskCache(t.TempDir(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	moved := filepath.Join(t.TempDir(), "moved")
	if err := os.Rename(stream, moved); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.FileServer(http.Dir(moved)))
	defer server.Close()
	if tr, err = resumeAt(t, dir, server.URL, Place{Cache: cache}); err != nil {
		t.Fatal(err)
	}
	finish(t, tr)
	compare(t, contents(t, whole), contents(t, dir))

	other := filepath.Join(t.TempDir(), "other")
	if err := makeShards(t, other, strings.Repeat("other words\n\nand more of them\n\n", 20), pipeline.Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := resumeAt(t, dir, other, Place{}); !errors.Is(err, safeio.ErrMismatch) {
		t.Errorf("other shards: %v", err)
	}
}

// makeShards makes many small shards of a text, with the characters of English.
func makeShards(t testing.TB, out, text string, o pipeline.Options) error {
	t.Helper()
	corpus := filepath.Join(t.TempDir(), "corpus.txt")
	if err := os.WriteFile(corpus, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	tok, err := tokenize.TrainChar(func(yield func(string) bool) { yield("abcdefghijklmnopqrstuvwxyz .\n") })
	if err != nil {
		t.Fatal(err)
	}
	o.Sources, o.Out, o.Split, o.ShardSize, o.Val = []string{corpus}, out, "blank", 200, .1
	o.Encoder, o.TokenizerJSON = tok, tok.JSON()
	_, _, err = pipeline.Shard(context.Background(), o)
	return err
}

// A run that follows a data set while it is made, is left by its writer, waits,
// and goes on when the writer does, is to the byte what it is with all shards
// there from the beginning.
func TestFollowingARun(t *testing.T) {
	text := strings.Repeat("the cat sat on the mat.\n\nthe dog sat on the log.\n\na cat and a dog sat.\n\n", 40)
	stream := filepath.Join(t.TempDir(), "shards")
	if err := makeShards(t, stream, text, pipeline.Options{}); err != nil {
		t.Fatal(err)
	}
	settings := func() *Settings {
		s := tiny(t, stream)
		s.Data.Follow = true
		return s
	}
	whole := filepath.Join(t.TempDir(), "run")
	finish(t, begin(t, whole, settings(), 1, Options{}))

	// Made anew, the writer stops behind 5 of its units.
	if err := os.Rename(stream, stream+"-before"); err != nil {
		t.Fatal(err)
	}
	var stop pipeline.Options
	units := 0
	stop.FS.Before = func(op, path string) error {
		if op == "rename" && strings.HasPrefix(filepath.Base(path), "unit-") {
			if units++; units > 5 {
				return errors.New("stopped")
			}
		}
		return nil
	}
	if err := makeShards(t, stream, text, stop); err == nil {
		t.Fatal("the writer was not stopped")
	}
	dir := filepath.Join(t.TempDir(), "run")
	tr := begin(t, dir, settings(), 1, Options{})
	if err := tr.Run(t.Context()); !errors.Is(err, safeio.ErrNotFound) {
		t.Fatalf("without a writer: %v", err)
	}
	tr.Close()
	_, left, _, err := checkpoint.Latest(dir)
	if err != nil || left == 0 || left == 30 {
		t.Fatalf("saved at step %d, %v", left, err)
	}

	// It goes on, slowly, while the run does.
	var slow pipeline.Options
	slow.FS.Before = func(op, _ string) error {
		if op == "rename" {
			time.Sleep(time.Millisecond)
		}
		return nil
	}
	done := make(chan error, 1)
	lock := filepath.Join(stream, ".lock")
	go func() { done <- makeShards(t, stream, text, slow) }()
	for {
		if _, err := os.Stat(lock); err == nil {
			break
		}
		if _, err := os.Stat(filepath.Join(stream, "manifest.json")); err == nil {
			break
		}
	}
	finish(t, resume(t, dir, Options{}))
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	got := contents(t, dir)
	for name, want := range contents(t, whole) {
		if got[name] != want {
			t.Errorf("%s differs", name)
		}
	}
}
