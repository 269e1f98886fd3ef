package pipeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// killsEnv sets the number of kills of TestKilledWriter.
const killsEnv = "PIPELINE_KILLS"

// A writer is killed with SIGKILL at random times, begun again until it
// finishes, and the result is compared with that of one that was left alone.
func TestKilledWriter(t *testing.T) {
	kills := 5
	if s := os.Getenv(killsEnv); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("%s=%q: %v", killsEnv, s, err)
		}
		kills = n
	}
	source := prose(t, 200<<10)
	whole := filepath.Join(t.TempDir(), "whole")
	begun := time.Now()
	if err := runChild(child{source, whole, 2}).Run(); err != nil {
		t.Fatal(err)
	}
	takes := time.Since(begun)
	want := contents(t, whole)

	r := rng.New(uint64(time.Now().UnixNano()), "kill", 0, 0)
	killed, finished, differing := 0, 0, 0
	var out string
	for killed < kills {
		if out == "" {
			out = filepath.Join(t.TempDir(), "out")
		}
		cmd := runChild(child{source, out, 1 + r.IntN(3)})
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Duration(r.Float64()*float64(takes)), func() { cmd.Process.Kill() })
		err := cmd.Wait()
		timer.Stop()
		if err == nil { // it was faster than its killer
			finished++
			differing += len(differences(want, contents(t, out)))
			out = ""
			continue
		}
		if s := cmd.ProcessState.Sys().(syscall.WaitStatus); !s.Signaled() {
			t.Fatalf("the writer failed by itself: %v: %s", err, cmd.Stderr)
		}
		killed++
	}
	if out != "" {
		cmd := runChild(child{source, out, 1})
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v: %s", err, cmd.Stderr)
		}
		finished++
		differing += len(differences(want, contents(t, out)))
	}
	t.Logf("%d kills, %d data sets of %d files finished, %d differing files", killed, finished, len(want), differing)
	if differing > 0 {
		t.Errorf("%d files differ", differing)
	}
}

func runChild(c child) *exec.Cmd {
	spec, _ := json.Marshal(c)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+string(spec))
	cmd.Stderr = new(bytes.Buffer)
	return cmd
}

// Every operation on the file system is made to fail once; what is there then
// must be enough to finish, without a trace of the failure.
func TestEveryFailingOperation(t *testing.T) {
	source := prose(t, 3<<10)
	options := func(out string) Options {
		return Options{Sources: []string{source}, Out: out, Split: SplitBlank, ShardSize: 3 << 10, Val: .3, Encoder: bytesEncoder{}, TokenizerJSON: bytesEncoder{}.JSON()}
	}
	clean := options(filepath.Join(t.TempDir(), "clean"))
	operations := 0
	clean.FS.Before = func(_, _ string) error { operations++; return nil }
	if _, _, err := Shard(t.Context(), clean); err != nil {
		t.Fatal(err)
	}
	want := contents(t, clean.Out)
	for n := range operations {
		o := options(filepath.Join(t.TempDir(), "out"))
		i, op := 0, ""
		o.FS.Before = func(what, _ string) error {
			i++
			if i == n+1 {
				op = what
				return syscall.ENOSPC
			}
			return nil
		}
		_, _, err := Shard(t.Context(), o)
		if err != nil && !errors.Is(err, safeio.ErrSpace) {
			t.Fatalf("operation %d (%s) fails: untyped error %v", n, op, err)
		}
		o.FS.Before = nil
		if _, _, err := Shard(t.Context(), o); err != nil {
			t.Fatalf("after operation %d (%s) failed: %v", n, op, err)
		}
		if names := differences(want, contents(t, o.Out)); len(names) > 0 {
			t.Fatalf("after operation %d (%s) failed: %v differ", n, op, names)
		}
	}
	t.Logf("%d operations failed, one at a time", operations)
}

func TestFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting a small tmpfs takes root")
	}
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=128k"); err != nil {
		t.Skipf("cannot mount a tmpfs: %v", err)
	}
	defer syscall.Unmount(disk, 0)
	o := Options{Sources: []string{prose(t, 400<<10)}, Out: filepath.Join(disk, "out"), Split: SplitBlank, ShardSize: 20 << 10, Encoder: bytesEncoder{}}
	_, _, err := Shard(t.Context(), o)
	if !errors.Is(err, safeio.ErrSpace) {
		t.Fatalf("error = %v, want that the disk is full", err)
	}
	left := contents(t, o.Out)
	shards := 0
	for name := range left {
		if strings.Contains(name, ".tmp-") {
			t.Errorf("left %q on a full disk", name)
		}
		if shardName.MatchString(name) {
			shards++
		}
	}
	if shards == 0 {
		t.Error("no shard was finished before the disk was full")
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT, "size=16m"); err != nil {
		t.Fatal(err)
	}
	shard(t, o)
	for name, data := range contents(t, o.Out) {
		if was, ok := left[name]; ok && shardName.MatchString(name) && was != data {
			t.Errorf("%s was lost or changed", name)
		}
	}
}
