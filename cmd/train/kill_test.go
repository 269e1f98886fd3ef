package main

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
	"github.com/seed-4c77ef92/textwarp/pipeline"
	"github.com/seed-4c77ef92/textwarp/tokenize"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// TestKilledRunsRepeatEveryByte kills training at random moments, resumes it,
// and compares the whole run directory with that of a run left alone.
// TEXTWARP_KILLS sets the number of kills of a run of diffusion; one of the
// objective "ar" gets a third of them.
func TestKilledRunsRepeatEveryByte(t *testing.T) {
	kills := 6
	if v := os.Getenv("TEXTWARP_KILLS"); v != "" {
		var err error
		if kills, err = strconv.Atoi(v); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("cdcd", func(t *testing.T) { killAndResume(t, kills) })
	t.Run("ar", func(t *testing.T) { killAndResume(t, (kills+2)/3, "--objective", "ar", "--set", "process.fim=0.5") })
}

// killAndResume trains with the options given and kills it so often.
func killAndResume(t *testing.T, kills int, options ...string) {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "train")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, program); err != nil { // testscript.Main goes by the name
		t.Fatal(err)
	}
	prepare(t, filepath.Join(dir, "shards"))
	begin := strings.Fields("--stream shards --length 16 --batch 4 --steps 150 --threads 1 --set run.save_every=11 --set run.eval_every=40 " +
		"--set run.sample_every=50 --set model.width=16 --set model.heads=2 --set model.layers=1 --set model.mlp=32")
	begin = append(append(begin, options...), "-o")
	command := func(args ...string) *exec.Cmd {
		c := exec.Command(program, args...)
		c.Dir = dir
		return c
	}

	began := time.Now()
	if out, err := command(append(begin, "whole")...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	length := time.Since(began)
	want := files(t, filepath.Join(dir, "whole"))

	s := rng.New(uint64(time.Now().UnixNano()), "kill", 0, 0) // other moments each time
	landed, runs := 0, 0
	for landed < kills {
		run := "run" + strconv.Itoa(runs)
		runs++
		for { // until it ends by itself, which a run that was killed after its last checkpoint does too
			c := command(append(begin, run)...)
			if _, err := os.Stat(filepath.Join(dir, run, trainer.ConfigFile)); err == nil {
				c = command("--resume", run)
			}
			var output bytes.Buffer
			c.Stderr = &output
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			stop := time.AfterFunc(time.Duration(s.Float64()*float64(length)), func() {
				if landed < kills {
					c.Process.Kill()
				}
			})
			err := c.Wait()
			if stop.Stop(); err == nil {
				break
			}
			if c.ProcessState.Exited() {
				t.Fatalf("%v: %s", err, output.String())
			}
			landed++
		}
		got := files(t, filepath.Join(dir, run))
		for name, w := range want {
			if !bytes.Equal(got[name], w) {
				t.Errorf("%s: %s differs after %d kills", run, name, landed)
			}
			delete(got, name)
		}
		for name := range got {
			t.Errorf("%s: %s is left over", run, name)
		}
	}
	t.Logf("%d kills in %d runs of %v", landed, runs, length.Round(time.Millisecond))
}

// prepare writes shards of a small text.
func prepare(t *testing.T, out string) {
	t.Helper()
	text := strings.Repeat("a noise annoys an oyster, but a noisy noise annoys an oyster most.\n", 60)
	corpus := filepath.Join(t.TempDir(), "corpus.txt")
	if err := os.WriteFile(corpus, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	tok, err := tokenize.TrainChar(func(yield func(string) bool) { yield(text) })
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = pipeline.Shard(context.Background(), pipeline.Options{
		Sources: []string{corpus}, Out: out, Split: "line", Format: "parquet", Workers: 1, ShardSize: 1 << 20, Val: .2,
		Encoder: tok, TokenizerJSON: tok.JSON(),
	})
	if err != nil {
		t.Fatal(err)
	}
}

// files reads a run, all but the wall-clock figures and the lock.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == trainer.TimingFile || e.Name() == ".lock" {
			return err
		}
		out[strings.TrimPrefix(path, dir)], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
