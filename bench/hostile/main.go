// Hostile drives prep through what takes longer than a test may: see run.
//
//	hostile kills  PREP N        N kills at random moments
//	hostile orders PREP          16 combinations of what must not matter
//	hostile flips  PREP N        N flipped bits, in sources and in shards
//	hostile files  PREP N        N tiny files: memory
//	hostile scale  PREP TOKENIZER SMALL LARGE
//	                             two corpora of so many bytes: memory and speed
//
// Each works in a temporary directory and prints marks.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// outcome is what a run of prep came to.
type outcome struct {
	code   int
	signal bool
	wall   time.Duration
	cpu    time.Duration
	rss    int64 // peak, in MiB
	out    string
	said   string // on standard error
}

// hung is how long a run may take where nothing large is read.
const hung = 2 * time.Minute

// run runs prep with additional environment until it ends or is killed after
// some time; a run that does not end by itself is an outcome too.
func run(env []string, kill time.Duration, prep string, args ...string) outcome {
	ctx, cancel := context.WithTimeout(context.Background(), kill)
	defer cancel()
	cmd := exec.CommandContext(ctx, prep, args...)
	cmd.Env = append(os.Environ(), env...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	begun := time.Now()
	cmd.Run()
	o := outcome{code: -1, wall: time.Since(begun), out: out.String(), said: said.String()}
	if s := cmd.ProcessState; s != nil {
		o.code, o.cpu = s.ExitCode(), s.UserTime()+s.SystemTime()
		o.signal = s.Sys().(syscall.WaitStatus).Signaled()
		o.rss = s.SysUsage().(*syscall.Rusage).Maxrss >> 10
	}
	return o
}

// panicked says whether a run ended in a way that no input may cause.
func (o outcome) panicked() bool {
	return strings.Contains(o.said, "goroutine ") || strings.Contains(o.said, "panic:") || strings.Contains(o.said, "fatal error:")
}

func mark(name string, value float64, relation string, target float64) {
	met := map[string]bool{"==": value == target, "<=": value <= target, ">=": value >= target}[relation]
	verdict := "short"
	if met {
		verdict = "ok"
	}
	fmt.Printf("mark %s %s %s %s %s\n", name, number(value), relation, number(target), verdict)
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// contents maps the names below a directory to their bytes.
func contents(dir string) map[string]string {
	found := map[string]string{}
	must(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		found[name] = string(data)
		return err
	}))
	return found
}

// differences counts the files that two directories do not have in common.
func differences(a, b map[string]string) (n int) {
	for name, data := range a {
		if b[name] != data {
			n++
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			n++
		}
	}
	return n
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func main() {
	commands := map[string]func(dir, prep string, args []string){"kills": kills, "orders": orders, "flips": flips, "files": files, "scale": scale}
	if len(os.Args) < 3 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: hostile kills|orders|flips|files|scale PREP ...")
		os.Exit(2)
	}
	prep, err := filepath.Abs(os.Args[2])
	must(err)
	dir, err := os.MkdirTemp("", "hostile-")
	must(err)
	defer os.RemoveAll(dir)
	commands[os.Args[1]](dir, prep, os.Args[3:])
}

// argument is the i-th argument as a number.
func argument(args []string, i int) int {
	if i >= len(args) {
		must(fmt.Errorf("a number is missing"))
	}
	n, err := strconv.Atoi(args[i])
	must(err)
	return n
}
