package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

// childEnv makes the test binary a writer of the data set that its value
// describes, for the tests that kill one.
const childEnv = "PIPELINE_TEST_SHARD"

type child struct {
	Source, Out string
	Workers     int
}

func TestMain(m *testing.M) {
	if spec := os.Getenv(childEnv); spec != "" {
		var c child
		if err := json.Unmarshal([]byte(spec), &c); err != nil {
			panic(err)
		}
		if _, _, err := Shard(context.Background(), childOptions(c)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if spec := os.Getenv(cacheEnv); spec != "" {
		if err := readCached(spec); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func childOptions(c child) Options {
	return Options{
		Sources: []string{c.Source}, Out: c.Out, Workers: c.Workers,
		Encoder: bytesEncoder{}, Split: SplitBlank, ShardSize: 8 << 10, Val: .1,
	}
}

// bytesEncoder is a vocabulary of the 256 bytes and EOS, or, with shift, one
// whose ids need 32 bits.
type bytesEncoder struct{ shift int32 }

func (e bytesEncoder) Encode(dst []int32, text string) []int32 {
	for i := range len(text) {
		dst = append(dst, int32(text[i])+e.shift)
	}
	return dst
}

func (e bytesEncoder) EOS() int32     { return 256 + e.shift }
func (e bytesEncoder) VocabSize() int { return int(257 + e.shift) }
func (e bytesEncoder) JSON() []byte   { return fmt.Appendf(nil, `{"shift":%d}`, e.shift) }

func (e bytesEncoder) Hash() string {
	sum := sha256.Sum256(e.JSON())
	return hex.EncodeToString(sum[:])
}

// prose writes about n bytes of paragraphs in several files and returns their
// directory.
func prose(t testing.TB, n int) string {
	t.Helper()
	dir := t.TempDir()
	r := rng.New(1, "prose", 0, 0)
	for file := range 5 {
		var b strings.Builder
		for b.Len() < n/5 {
			for range 1 + r.IntN(4) {
				for range 2 + r.IntN(8) {
					fmt.Fprintf(&b, "w%d ", r.IntN(500))
				}
				b.WriteByte('\n')
			}
			b.WriteByte('\n')
		}
		write(t, filepath.Join(dir, fmt.Sprintf("part-%d.txt", file)), b.String())
	}
	return dir
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// corpus writes files by name and returns their directory.
func corpus(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		write(t, filepath.Join(dir, name), text)
	}
	return dir
}

// shard makes a data set and fails the test if it cannot.
func shard(t testing.TB, o Options) (*Dataset, *Report) {
	t.Helper()
	if o.Out == "" {
		o.Out = filepath.Join(t.TempDir(), "out")
	}
	if o.Encoder == nil {
		o.Encoder = bytesEncoder{}
	}
	_, report, err := Shard(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Open(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	return d, report
}

func docs(t testing.TB, d *Dataset, split string) []Doc {
	t.Helper()
	var all []Doc
	for doc, err := range d.Docs(split) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, doc)
	}
	return all
}

func textsOf(docs []Doc) []string {
	var texts []string
	for _, d := range docs {
		texts = append(texts, d.Text)
	}
	return texts
}

// contents maps the names of everything in a directory to its bytes.
func contents(t testing.TB, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if info.IsDir() {
			found[name] = "directory"
			return nil
		}
		data, err := os.ReadFile(path)
		found[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// differences counts the files that two directories do not have in common, byte
// for byte.
func differences(a, b map[string]string) (names []string) {
	for name, data := range a {
		if other, ok := b[name]; !ok || other != data {
			names = append(names, name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			names = append(names, name)
		}
	}
	return names
}
