package inspect

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-4c77ef92/textwarp/trainer"
)

// TestIndex: of a log that grows in any way the first and the newest lines are
// known, not too many others, and what is read of an entry is its line.
func TestIndex(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	rapid.Check(t, func(t *rapid.T) {
		x := index[int]{log: log{name: "a.jsonl"}, decode: func(line []byte) (step, kept int, err error) {
			_, err = fmt.Sscanf(string(line), "%d ", &step)
			return step, len(line), err
		}}
		var file bytes.Buffer
		step := 0
		for range rapid.IntRange(1, 5).Draw(t, "updates") {
			for range rapid.IntRange(0, 1500).Draw(t, "lines") {
				step++
				fmt.Fprintf(&file, "%d %s\n", step, strings.Repeat("x", (step*7919)%200))
			}
			half := rapid.SampledFrom([]string{"", "12"}).Draw(t, "half a line")
			if err := os.WriteFile(filepath.Join(dir, "a.jsonl"), append(bytes.Clone(file.Bytes()), half...), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := x.update(root); err != nil {
				t.Fatal(err)
			}
			all := x.all()
			if step == 0 {
				if len(all) > 0 {
					t.Fatalf("an empty log has %d lines", len(all))
				}
				continue
			}
			if len(all) > maxEntries+1 || len(all) < min(step, maxEntries/4) {
				t.Fatalf("%d entries of %d lines", len(all), step)
			}
			if all[0].step != 1 || all[len(all)-1].step != step {
				t.Fatalf("entries from %d to %d, want 1 to %d", all[0].step, all[len(all)-1].step, step)
			}
			for i, e := range all {
				if i > 0 && e.step <= all[i-1].step {
					t.Fatalf("step %d after %d", e.step, all[i-1].step)
				}
				if i%29 != 0 && i < len(all)-2 { // each opens the file
					continue
				}
				line, err := x.line(root, e)
				if err != nil || len(line) != e.kept || !strings.HasPrefix(string(line), fmt.Sprintf("%d ", e.step)) {
					t.Fatalf("the line of step %d is %q: %v", e.step, line, err)
				}
			}
		}
	})
}

// TestIndexOfAnotherLog: a log that was cut is read again.
func TestIndexOfAnotherLog(t *testing.T) {
	f := follow(t)
	x := index[trainer.SampleLine]{log: log{name: "a.jsonl"}, decode: decodeSample}
	for _, c := range []struct {
		text  string
		steps string
	}{
		{"{\"step\":5,\"text\":\"a\"}\n{\"step\":10}\n{\"step\":15}\n", "[5 10 15]"},
		{"{\"step\":5,\"text\":\"a\"}\n", "[5]"},
		{"{\"step\":5,\"text\":\"a\"}\n{\"step\":10}\n{\"step", "[5 10]"},
		{"{\"step\":4}\n{\"step\":8}\n{\"step\":12}\n{\"step\":16}\n{\"step\":20}\n", "[4 8 12 16 20]"},
		{"", "[]"},
	} {
		f.write(c.text)
		if _, err := x.update(f.root); err != nil {
			t.Fatal(err)
		}
		steps := []int{}
		for _, e := range x.all() {
			steps = append(steps, e.step)
		}
		if got := fmt.Sprint(steps); got != c.steps {
			t.Errorf("after %q: steps %s, want %s", c.text, got, c.steps)
		}
	}
}
