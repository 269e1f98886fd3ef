package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// worker is a process that makes steps on demand. One at a time is asked to
// work; the others wait at their standard input.
type worker struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	errors bytes.Buffer
}

// ready is the first answer of a worker.
type ready struct {
	Base  int64  `json:"base"`  // resident bytes before the model was made
	About string `json:"about"` // versions
}

// tuning are the variables that would make one worker another; each gets its own.
var tuning = []string{
	"OPENBLAS_", "OMP_", "GOMP_", "KMP_", "MKL_", "ONEDNN_", "DNNL_", "MALLOC_", "GLIBC_TUNABLES=", "LD_PRELOAD=",
	"TORCH", "GOMAXPROCS=", "GOGC=", "GOMEMLIMIT=", "GODEBUG=",
}

func environment(extra []string) []string {
	var env []string
next:
	for _, v := range os.Environ() {
		for _, t := range tuning {
			if strings.HasPrefix(v, t) {
				continue next
			}
		}
		env = append(env, v)
	}
	return append(env, extra...)
}

func startWorker(ctx context.Context, env []string, argv ...string) (*worker, ready, error) {
	w := &worker{cmd: exec.CommandContext(ctx, argv[0], argv[1:]...)}
	w.cmd.Env, w.cmd.Stderr = environment(env), &w.errors
	var err error
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		return nil, ready{}, err
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, ready{}, err
	}
	w.out = bufio.NewReader(out)
	if err := w.cmd.Start(); err != nil {
		return nil, ready{}, fmt.Errorf("start worker: %w", err)
	}
	var r ready
	if err := w.answer(&r); err != nil {
		return nil, r, err
	}
	return w, r, nil
}

// ask sends a line and decodes the answer.
func (w *worker) ask(to any, format string, args ...any) error {
	if _, err := fmt.Fprintf(w.in, format+"\n", args...); err != nil {
		w.in.Close()
	}
	return w.answer(to)
}

func (w *worker) answer(to any) error {
	line, err := w.out.ReadBytes('\n')
	if err != nil {
		w.stop()
		return fmt.Errorf("worker ended: %s", lastLine(w.errors.String()))
	}
	if err := json.Unmarshal(line, to); err != nil {
		w.stop()
		return fmt.Errorf("worker answered %q: %w", line, err)
	}
	return nil
}

// stop ends the worker by closing its standard input.
func (w *worker) stop() {
	w.in.Close()
	_ = w.cmd.Wait() // how it ends does not matter any more
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// resetPeak makes the largest resident size start anew at the present one.
func (w *worker) resetPeak() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", w.cmd.Process.Pid), []byte("5"), 0)
}

// peak is the largest resident size, in bytes.
func (w *worker) peak() (int64, error) { return memory(strconv.Itoa(w.cmd.Process.Pid), "VmHWM") }

// memory reads a field of a process's status, in bytes.
func memory(pid, field string) (int64, error) {
	status, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			kB, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kB << 10, err
		}
	}
	return 0, fmt.Errorf("read memory of process %s: no %s", pid, field)
}
