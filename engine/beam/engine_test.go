package beam

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-4c77ef92/textwarp/cmd/prep/command"
)

func TestMain(m *testing.M) {
	Init()
	os.Exit(m.Run())
}

// prep runs the command and fails the test if it fails.
func prep(t *testing.T, args ...string) string {
	t.Helper()
	cmd := command.New(Engine())
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	if err := cmd.ExecuteContext(context.Background()); err != nil {
		t.Fatalf("prep %s: %v\n%s", strings.Join(args, " "), err, out.String())
	}
	return out.String()
}

// files maps the names below a directory to what they hold.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		found[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Beam's embedded runner makes the files that this process makes, byte for
// byte, and mends a data set that has been damaged.
func TestSameBytesAsLocal(t *testing.T) {
	dir := t.TempDir()
	corpus := filepath.Join(dir, "corpus")
	if err := os.Mkdir(corpus, 0o777); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for _, name := range []string{"small.txt", "caf\xe9.txt", "large.txt", "objects.jsonl"} {
		var text strings.Builder
		size := 2 << 10
		if name == "large.txt" {
			size = 60 << 10
		}
		for text.Len() < size {
			line := fmt.Sprintf("word%d word%d", r.IntN(50), r.IntN(50))
			if name == "objects.jsonl" {
				line = fmt.Sprintf(`{"text": %q}`, line)
			}
			fmt.Fprintf(&text, "%s\n\n", line)
		}
		if err := os.WriteFile(filepath.Join(corpus, name), []byte(text.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	options := []string{"--tokenizer", "train:bpe:300", "--split-docs", "blank", "--shard-size", "8K", "--val", "0.2"}
	make := func(out string, more ...string) map[string]string {
		prep(t, append(append([]string{"shard", corpus, "-o", out}, options...), more...)...)
		return files(t, out)
	}
	want := make(filepath.Join(dir, "local"))
	if len(want) < 10 {
		t.Fatalf("only %d files: too few to show anything", len(want))
	}
	out := filepath.Join(dir, "beam")
	same(t, make(out, "--engine", "beam"), want)

	bad := filepath.Join(out, "train-00002.parquet")
	if err := os.WriteFile(bad, []byte("PAR1"), 0o666); err != nil {
		t.Fatal(err)
	}
	same(t, make(out, "--engine", "beam"), want)
}

func same(t *testing.T, got, want map[string]string) {
	t.Helper()
	for name, data := range want {
		if got[name] != data {
			t.Errorf("%s differs", name)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d files, want %d", len(got), len(want))
	}
}

func TestCalled(t *testing.T) {
	for name, c := range map[string]struct {
		args string
		want bool
	}{
		"by a container": {"--worker=true --id=1", true},
		"bare":           {"--id=1 -worker", true},
		"as prep":        {"shard corpus --worker", false},
		"other flag":     {"--workers=2", false},
		"help":           {"--help", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := called(strings.Fields(c.args), "worker"); got != c.want {
				t.Errorf("called(%s) = %v", c.args, got)
			}
		})
	}
}
