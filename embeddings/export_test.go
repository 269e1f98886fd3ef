package embeddings

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/safetensors"
)

func TestSafetensorsReadsBack(t *testing.T) {
	table := newTable(t, 7, 5, 1)
	var b bytes.Buffer
	if err := table.WriteSafetensors(&b, map[string]string{"tokenizer": "abc"}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "e.safetensors")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	shape := f.Shape(ExportName)
	if !slices.Equal(shape, []int{7, 5}) {
		t.Errorf("shape %v", shape)
	}
	got := make([]float32, 35)
	if err := f.Read(ExportName, got); err != nil || !slices.Equal(got, table.E) {
		t.Errorf("read back %v, error %v", got, err)
	}
	if m := f.Meta(); m["format"] != "pt" || m["tokenizer"] != "abc" {
		t.Errorf("metadata %v", m)
	}
}

func TestTSV(t *testing.T) {
	names := []string{" the", "\n", "a\tb", "\xff", "é\u202e", `\n`}
	table := newTable(t, len(names), 3, 1)
	var vectors, metadata strings.Builder
	if err := table.WriteTSV(&vectors, &metadata, func(id int32) string { return names[id] }); err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSuffix(vectors.String(), "\n"), "\n")
	if len(rows) != len(names) {
		t.Fatalf("%d vectors, expected %d", len(rows), len(names))
	}
	for i, row := range rows {
		for k, field := range strings.Split(row, "\t") {
			v, err := strconv.ParseFloat(field, 32)
			if err != nil || float32(v) != table.E[i*3+k] {
				t.Errorf("row %d component %d is %q, expected %v", i, k, field, table.E[i*3+k])
			}
		}
	}
	lines := strings.Split(strings.TrimSuffix(metadata.String(), "\n"), "\n")
	if len(lines) != len(names)+1 || lines[0] != "token\tid\traw_norm" {
		t.Fatalf("metadata %q", lines)
	}
	want := []string{" the", `\n`, `a\tb`, `\xff`, `é\u{202e}`, `\n`}
	for i, line := range lines[1:] {
		fields := strings.Split(line, "\t")
		if len(fields) != 3 || fields[0] != want[i] || fields[1] != strconv.Itoa(i) {
			t.Errorf("line %q, expected token %q and id %d", line, want[i], i)
		}
	}
}

// FuzzEscape: no name can break a line or a field.
func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "a", "\t\n\r\x00", "\xff\xfe", "\u2028", "\uFFFD"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := escape(s); strings.ContainsAny(got, "\t\n\r\v\f\u0085\u2028\u2029") {
			t.Errorf("escape(%q) = %q", s, got)
		}
	})
}

type full struct{}

var errFull = errors.New("full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestExportReportsWriteErrors(t *testing.T) {
	table := newTable(t, 3, 2, 1)
	name := func(int32) string { return "x" }
	var b bytes.Buffer
	if err := table.WriteTSV(full{}, &b, name); !errors.Is(err, errFull) {
		t.Errorf("vectors: %v", err)
	}
	if err := table.WriteTSV(&b, full{}, name); !errors.Is(err, errFull) {
		t.Errorf("metadata: %v", err)
	}
	if err := table.WriteSafetensors(full{}, nil); !errors.Is(err, errFull) {
		t.Errorf("safetensors: %v", err)
	}
}
