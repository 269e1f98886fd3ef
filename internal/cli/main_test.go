package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// signalVariable makes this test binary a command that waits for its context
// ("polite") or for ever ("stubborn").
const signalVariable = "CLI_TEST_SIGNAL"

func TestMain(m *testing.M) {
	if kind := os.Getenv(signalVariable); kind != "" {
		root := &cobra.Command{Use: "wait", Args: cobra.ArbitraryArgs, RunE: func(c *cobra.Command, _ []string) error {
			fmt.Println("ready")
			<-c.Context().Done()
			if kind == "stubborn" {
				fmt.Println("saving")
				time.Sleep(time.Minute)
			}
			return Hint(fmt.Errorf("wait: %w", c.Context().Err()), "continue with: wait --resume")
		}}
		root.SetArgs(nil)
		Main(root)
	}
	os.Exit(m.Run())
}

// tree is a command like the real ones: a root, a leaf and a group.
func tree() *cobra.Command {
	root := &cobra.Command{Use: "prep"}
	shard := &cobra.Command{Use: "shard CORPUS", Args: cobra.ExactArgs(1), RunE: func(_ *cobra.Command, args []string) error {
		switch args[0] {
		case "bad":
			return Hint(fmt.Errorf("read %q: %w", args[0], safeio.ErrCorrupt), "run prep verify")
		case "hostile":
			return errors.New("token \x1b[2J\u202e")
		case "two":
			return errors.Join(errors.New("one"), errors.New("two"))
		case "called":
			return Usagef("--val is 2, want a fraction")
		}
		return nil
	}}
	shard.Flags().Int("workers", 0, "")
	shard.Flags().String("out", "", "")
	_ = shard.MarkFlagRequired("out")
	group := &cobra.Command{Use: "tokenizer"}
	group.AddCommand(&cobra.Command{Use: "train", RunE: func(*cobra.Command, []string) error { return nil }})
	root.AddCommand(shard, group)
	return root
}

func TestRun(t *testing.T) {
	cases := []struct {
		name   string
		args   string
		code   int
		stderr string
	}{
		{"works", "shard a --out d", 0, ""},
		{"help", "shard --help", 0, ""},
		{"version", "--version", 0, ""},
		{"no arguments", "", 0, ""},
		{"kind and hint", "shard bad --out d", 4, "error: read \"bad\": corrupt data\n  hint: run prep verify\n"},
		{"hostile text", "shard hostile --out d", 1, "error: token \\x1b[2J\\u202e\n"},
		{"several errors", "shard two --out d", 1, "error: one\n  two\n"},
		{"usage by the command", "shard called --out d", 2, "error: --val is 2, want a fraction\n"},
		{"unknown flag", "shard a --nonsense", 2, "error: unknown flag: --nonsense\n  hint: run 'prep shard --help'\n"},
		{"flag value", "shard a --out d --workers x", 2, "hint: run 'prep shard --help'\n"},
		{"missing flag", "shard a", 2, "error: required flag(s) \"out\" not set\n"},
		{"missing argument", "shard --out d", 2, "error: accepts 1 arg(s), received 0\n"},
		{"unknown command", "shrad", 2, "error: unknown command \"shrad\" for \"prep\"\n  hint: did you mean 'prep shard'? run 'prep --help'\n"},
		{"unknown in group", "tokenizer trian", 2, "error: unknown command \"trian\" for \"prep tokenizer\"\n"},
		{"group alone", "tokenizer", 0, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			root := tree()
			root.SetArgs(strings.Fields(c.args))
			var stdout, stderr bytes.Buffer
			root.SetOut(&stdout)
			if code := run(context.Background(), root, &stderr); code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			if !strings.Contains(stderr.String(), c.stderr) || c.stderr == "" && stderr.Len() > 0 {
				t.Errorf("stderr %q, want %q", stderr.String(), c.stderr)
			}
			if c.code != 0 && stdout.Len() > 0 {
				t.Errorf("an error wrote to stdout: %q", stdout.String())
			}
		})
	}
}

func TestSignals(t *testing.T) {
	cases := []struct {
		name    string
		kind    string
		signals []syscall.Signal
		code    int
		stderr  string
	}{
		{"SIGINT", "polite", []syscall.Signal{syscall.SIGINT}, 130, "stopped by SIGINT\n  hint: continue with: wait --resume\n"},
		{"SIGTERM", "polite", []syscall.Signal{syscall.SIGTERM}, 143, "stopped by SIGTERM\n  hint: continue with: wait --resume\n"},
		{"second signal", "stubborn", []syscall.Signal{syscall.SIGTERM, syscall.SIGINT}, 130, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			child := exec.Command(os.Args[0])
			child.Env = append(os.Environ(), signalVariable+"="+c.kind)
			var stderr bytes.Buffer
			child.Stderr = &stderr
			stdout, err := child.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := child.Start(); err != nil {
				t.Fatal(err)
			}
			timeout := time.AfterFunc(20*time.Second, func() { child.Process.Kill() })
			defer timeout.Stop()
			for _, s := range c.signals {
				// Each signal waits for a word from the child: that it is ready for it.
				if _, err := stdout.Read(make([]byte, 64)); err != nil {
					t.Fatal(err)
				}
				child.Process.Signal(s)
			}
			_ = child.Wait()
			if got := child.ProcessState.ExitCode(); got != c.code {
				t.Errorf("exit code %d, want %d", got, c.code)
			}
			if stderr.String() != c.stderr {
				t.Errorf("stderr %q, want %q", stderr.String(), c.stderr)
			}
		})
	}
}
