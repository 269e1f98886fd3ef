package browsertest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// root is the module whose commands are tested.
const root = "../../.."

// made is what tests share, each made by the first that asks.
var made struct {
	dir                              string
	commands, shards, history, large sync.Once
}

func TestMain(m *testing.M) {
	if chromium == "" {
		fmt.Fprintln(os.Stderr, "error: no Chromium: apt-get install chromium")
		os.Exit(1)
	}
	dir, err := os.MkdirTemp("", "textwarp-page-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	made.dir = dir
	code := m.Run()
	if browser.stop != nil {
		browser.stop()
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

func in(name string) string { return filepath.Join(made.dir, name) }

// command runs one of the module's commands to its end.
func command(t *testing.T, name string, args ...string) {
	t.Helper()
	made.commands.Do(func() {
		build := exec.Command("go", "build", "-C", root, "-o", made.dir+string(filepath.Separator), "./cmd/prep", "./cmd/train", "./cmd/inspect")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build the commands: %v\n%s", err, out)
		}
	})
	if out, err := exec.Command(in(name), args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

// small is a model that makes hundreds of steps a second.
func small(stream, run string, steps int) []string {
	return []string{
		"--stream", stream, "-o", run, "--steps", fmt.Sprint(steps), "--length", "16", "--batch", "2", "--threads", "1",
		"--set", "model.width=32", "--set", "model.layers=1", "--set", "model.heads=2", "--set", "model.mlp=32", "--set", "optim.micro_batch=2",
		"--set", "run.eval_every=500", "--set", "run.sample_every=500", "--set", "run.save_every=500",
	}
}

// shards are those of the README's demo.
func shards(t *testing.T) string {
	t.Helper()
	made.shards.Do(func() {
		command(t, "prep", "shard", filepath.Join(root, "testdata/tinyshakespeare/input.txt"), "-o", in("shards"),
			"--tokenizer", "train:bpe:1024", "--split-docs", "blank", "--val", "0.1")
	})
	return in("shards")
}

// history is a run of 2,000 steps that is finished.
func history(t *testing.T) string {
	t.Helper()
	made.history.Do(func() { command(t, "train", small(shards(t), in("history"), 2000)...) })
	return in("history")
}

// Tokens that mean harm: to HTML, to a terminal, to the direction of what stands
// beside them, and to the eye.
var hostile = []string{
	`<script>owned=1</script>`, `<img/src=x/onerror=owned=1>`, `"><svg/onload=owned=1>`, `</script><script>owned=1</script>`, `javascript:owned=1`,
	"\x1b[2J\x1b]0;owned\a", "\u202egnp.exe", "\u2066\u2067abc", "\u200b\u200d\ufeff", "a\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308",
	"\U000e0041\U000e0042", "{{owned=1}}", "${owned=1}", "%00\x01", strings.Repeat("W", 300),
}

const largeVocab = 50_000

// large is a short run over 50,000 tokens, some of them hostile, and the directory
// of its shards.
func large(t *testing.T) (run, stream string) {
	t.Helper()
	made.large.Do(func() {
		vocab := map[string]int{"[UNK]": 0}
		text := &bytes.Buffer{}
		for i, token := range hostile {
			vocab[token] = i + 1
			fmt.Fprintf(text, "%s w%d %s w%d\n\n", token, i, token, i+1)
		}
		for i := 0; len(vocab) < largeVocab; i++ {
			vocab[fmt.Sprintf("w%d", i)] = len(vocab)
		}
		for i := range 4000 {
			fmt.Fprintf(text, "w%d w%d w%d ", i%7, i*i%1000, i*37%largeVocab)
			if i%20 == 0 {
				text.WriteString("\n\n")
			}
		}
		tokenizer, err := json.Marshal(map[string]any{
			"version":       "1.0",
			"pre_tokenizer": map[string]any{"type": "WhitespaceSplit"},
			"model":         map[string]any{"type": "WordLevel", "vocab": vocab, "unk_token": "[UNK]"},
		})
		if err != nil {
			t.Fatal(err)
		}
		write(t, in("tokenizer.json"), tokenizer)
		write(t, in("large.txt"), text.Bytes())
		command(t, "prep", "shard", in("large.txt"), "-o", in("large-shards"), "--tokenizer", in("tokenizer.json"), "--split-docs", "blank", "--val", "0.1")
		command(t, "train", append(small(in("large-shards"), in("large"), 20), "--set", "run.eval_every=10", "--set", "run.sample_every=10", "--set", "run.save_every=10")...)
	})
	return in("large"), in("large-shards")
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// serve starts inspect serve until the test ends and gives the address that it
// prints.
func serve(t *testing.T, args ...string) string {
	t.Helper()
	address, _ := start(t, args...)
	return address
}

// start is serve, with what ends it earlier.
func start(t *testing.T, args ...string) (address string, stop func()) {
	t.Helper()
	cmd := exec.Command(in("inspect"), append([]string{"serve"}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	said := &bytes.Buffer{}
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
	})
	t.Cleanup(stop)
	address, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("inspect serve %q: %v\n%s", args, err, said)
	}
	return strings.TrimSpace(address), stop
}
