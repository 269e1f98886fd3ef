package safeio_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// holdVariable makes this test binary a process that takes the lock of the
// directory that it names, and waits to be killed.
const holdVariable = "SAFEIO_TEST_HOLD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(holdVariable); dir != "" {
		if _, err := (safeio.FS{}).Lock(dir); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("held")
		time.Sleep(time.Minute)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func hold(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	child := exec.Command(os.Args[0], "--as-if", "training")
	child.Env = append(os.Environ(), holdVariable+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { child.Process.Kill(); child.Wait() })
	line, _ := bufio.NewReader(out).ReadString('\n')
	if line != "held\n" {
		t.Fatalf("child says %q", line)
	}
	return child
}

func TestSecondWriter(t *testing.T) {
	dir := t.TempDir()
	child := hold(t, dir)
	began := time.Now()
	_, err := safeio.FS{}.Lock(dir)
	if !errors.Is(err, safeio.ErrLocked) {
		t.Fatalf("got %v, want ErrLocked", err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("refused only after %v", took)
	}
	for _, part := range []string{dir, fmt.Sprintf("process %d", child.Process.Pid), "--as-if training"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error does not name %q: %v", part, err)
		}
	}
}

func TestDeadHolder(t *testing.T) {
	dir := t.TempDir()
	child := hold(t, dir)
	if err := child.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	child.Wait()
	if names(t, dir) != ".lock" {
		t.Fatalf("the dead process left %q", names(t, dir))
	}
	lock, err := safeio.FS{}.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if text := content(t, filepath.Join(dir, ".lock")); !strings.Contains(text, fmt.Sprint(os.Getpid())) {
		t.Errorf("lock is signed %q", text)
	}
	for range 2 {
		if err := lock.Close(); err != nil {
			t.Error(err)
		}
	}
	if left := names(t, dir); left != "" {
		t.Errorf("left %s", left)
	}
}

func TestLockRaces(t *testing.T) {
	dir := t.TempDir()
	for range 100 {
		var holders, winners atomic.Int32
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() {
				lock, err := safeio.FS{}.Lock(dir)
				if err != nil {
					if !errors.Is(err, safeio.ErrLocked) {
						t.Error(err)
					}
					return
				}
				winners.Add(1)
				if holders.Add(1) != 1 {
					t.Error("two holders at the same time")
				}
				holders.Add(-1)
				if err := lock.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if winners.Load() == 0 {
			t.Error("nobody got the lock")
		}
	}
}

func TestLockOfAbsentDirectory(t *testing.T) {
	if _, err := (safeio.FS{}).Lock(filepath.Join(t.TempDir(), "absent")); !errors.Is(err, safeio.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestHostileLockFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, ".lock")
	text := "process 1: \x1b[2J" + strings.Repeat("x", 10_000)
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	_, err = safeio.FS{}.Lock(dir)
	if !errors.Is(err, safeio.ErrLocked) || strings.Contains(err.Error(), "\x1b") || len(err.Error()) > 1000 {
		t.Errorf("got %.200q", err)
	}
}

// TestLockFaults: a Lock that fails half way, or dies, holds nothing.
func TestLockFaults(t *testing.T) {
	cause := errors.New("fault")
	for _, crash := range []bool{false, true} {
		for at := 0; ; at++ {
			dir := t.TempDir()
			injected := &faults{at: at, crash: crash, cause: cause}
			lock, err := safeio.FS{Before: injected.before}.Lock(dir)
			if at >= len(injected.ops) {
				if err != nil {
					t.Fatal(err)
				}
				lock.Close()
				break
			}
			if !errors.Is(err, cause) {
				t.Fatalf("fault %d (%s): got error %v", at, injected.ops[at], err)
			}
			next, err := safeio.FS{}.Lock(dir)
			if err != nil {
				t.Fatalf("after fault %d (%s): %v", at, injected.ops[at], err)
			}
			if err := next.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
