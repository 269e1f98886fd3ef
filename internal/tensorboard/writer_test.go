package tensorboard

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// zero is a time, for events whose time is of no account.
var zero = time.Unix(0, 0)

// The second of RFC 3720, B.4: CRC32C of 32 bytes of ones. Its mask by the
// formula of TensorFlow's crc32c.h, worked out in Python.
func TestMask(t *testing.T) {
	ones := bytes.Repeat([]byte{0xff}, 32)
	if got := crc32.Checksum(ones, castagnoli); got != 0x62a8ab43 {
		t.Fatalf("CRC32C %#x", got)
	}
	if got := masked(ones); got != 0xf909b029 {
		t.Errorf("got %#x", got)
	}
}

// TestBytesAreThePeers compares with what TensorBoard's own messages and
// record writer made of the same events (testdata/peer.py).
func TestBytesAreThePeers(t *testing.T) {
	want, err := os.ReadFile(filepath.Join("testdata", "peer.tfevents"))
	if err != nil {
		t.Fatal(err)
	}
	var got []byte
	second := int64(1_700_000_000)
	for _, e := range []struct {
		step    int
		field   protowire.Number
		payload message
	}{
		{0, fileVersion, message("brain.Event:2")},
		{11, sessionLog, sessionStart()},
		{20, summary, summaryOf("train/loss", scalar(2.5), nil)},
		{30, summary, summaryOf("train/skipped", scalar(0), nil)},
		{1 << 40, summary, summaryOf("h", Histogram{Edges: []float64{-1, 0, 1, 3}, Counts: []float64{2, 0, 5}}.value(), nil)},
		{50, summary, summaryOf("sample", text("    “né” 日本\n    \x1b[2J<b>"), textPlugin())},
	} {
		got = appendRecord(got, event(time.Unix(second, 250e6), e.step, e.field, e.payload))
		second++
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func TestFlushesAfterAWhile(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w, err := Create(dir, 1)
		if err != nil {
			t.Fatal(err)
		}
		size := func() int64 {
			s, err := w.file.Stat()
			if err != nil {
				t.Fatal(err)
			}
			return s.Size()
		}
		last := int64(-1)
		for range 3 {
			if err := w.Scalar(1, "x", 1); err != nil {
				t.Fatal(err)
			}
			before := size()
			time.Sleep(flushAfter - time.Millisecond)
			if size() != before {
				t.Error("flushed too soon")
			}
			time.Sleep(2 * time.Millisecond)
			synctest.Wait()
			if size() <= max(before, last) {
				t.Errorf("not flushed after %v", flushAfter)
			}
			last = size()
		}
		if err := w.Scalar(2, "x", 1); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	})
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if n := len(records(t, data)); n != 6 { // version, start, 4 scalars
		t.Errorf("%d records", n)
	}
}

// records takes a file apart and checks every CRC.
func records(t *testing.T, data []byte) [][]byte {
	t.Helper()
	var all [][]byte
	for len(data) > 0 {
		n := binary.LittleEndian.Uint64(data)
		if got := binary.LittleEndian.Uint32(data[8:]); got != masked(data[:8]) {
			t.Fatal("CRC of a length")
		}
		body := data[12 : 12+n]
		if got := binary.LittleEndian.Uint32(data[12+n:]); got != masked(body) {
			t.Fatal("CRC of a record")
		}
		all = append(all, body)
		data = data[16+n:]
	}
	return all
}

// Sessions that begin in the same second, or before the ones before them by a
// clock that was set back, still sort in their order.
func TestSessionsSort(t *testing.T) {
	dir := t.TempDir()
	ahead := fmt.Sprintf(nameFormat, time.Now().Unix()+1000)
	if err := os.WriteFile(filepath.Join(dir, ahead), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	last := ahead
	for range 3 {
		w, err := Create(dir, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(w.file.Name())
		if name <= last {
			t.Errorf("%s does not sort behind %s", name, last)
		}
		last = name
	}
}

func TestHistogramIsChecked(t *testing.T) {
	w, err := Create(t.TempDir(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for name, h := range map[string]Histogram{
		"empty":       {},
		"too few":     {Edges: []float64{0, 1}, Counts: []float64{1, 2}},
		"not rising":  {Edges: []float64{0, 2, 1}, Counts: []float64{1, 2}},
		"no edges":    {Counts: []float64{1}},
		"only edges":  {Edges: []float64{1}},
		"NaN in line": {Edges: []float64{0, math.NaN(), 1}, Counts: []float64{1, 2}},
	} {
		if err := w.Histogram(1, "h", h); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if err := w.Histogram(1, "h", Histogram{Edges: []float64{0, 1, 2}, Counts: []float64{.5, .5}}); err != nil {
		t.Errorf("a good one: %v", err)
	}
}

func TestErrorStays(t *testing.T) {
	w, err := Create(t.TempDir(), 1)
	if err != nil {
		t.Fatal(err)
	}
	w.file.Close() // what a write meets when the disk is gone
	if err := w.Text(1, "sample", strings.Repeat("x", 1<<16)); err == nil {
		t.Fatal("no error")
	}
	first := w.Scalar(2, "x", 1)
	if !errors.Is(first, os.ErrClosed) || !errors.Is(w.Close(), os.ErrClosed) {
		t.Errorf("later: %v", first)
	}
}

func TestCreateNeedsADirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tensorboard")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(file, 1); err == nil || !strings.Contains(err.Error(), "tensorboard") {
		t.Errorf("got %v", err)
	}
}
