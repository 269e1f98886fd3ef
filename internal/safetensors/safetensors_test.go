package safetensors_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/internal/safetensors"
)

// file puts a header and so many bytes of data together.
func file(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	b = append(b, header...)
	return append(b, make([]byte, data)...)
}

func save(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func manyTensors(n int) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"t%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`, i)
	}
	b.WriteByte('}')
	return b.String()
}

func TestMalformed(t *testing.T) {
	one := `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`
	cases := []struct {
		name string
		data []byte
		kind error
		want string // in the message
	}{
		{"empty", nil, safeio.ErrCorrupt, "too short"},
		{"seven bytes", make([]byte, 7), safeio.ErrCorrupt, "too short"},
		{"no JSON", make([]byte, 8), safeio.ErrCorrupt, "JSON ends"},
		{"header beyond limit", binary.LittleEndian.AppendUint64(nil, 100_000_001), safeio.ErrLimit, "at most 100000000"},
		{"header of 2^64-1", bytes.Repeat([]byte{0xff}, 8), safeio.ErrLimit, "at most"},
		{"header cut short", file(one, 8)[:20], safeio.ErrCorrupt, "cut short"},
		{"header not JSON", file("tensors", 0), safeio.ErrCorrupt, "header"},
		{"header an array", file("[]", 0), safeio.ErrCorrupt, `where "{" should be`},
		{"header half", file(`{"a":`, 0), safeio.ErrCorrupt, `tensor "a"`},
		{"header followed by text", file(one+"x", 8), safeio.ErrCorrupt, "after the JSON"},
		{"header not UTF-8", file("{\"\xff\":1}", 0), safeio.ErrCorrupt, "UTF-8"},
		{"10,001 tensors", file(manyTensors(10_001), 0), safeio.ErrLimit, "more than 10000"},
		{"duplicate tensor", file(`{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}`, 0), safeio.ErrCorrupt, `two entries named "a"`},
		{"duplicate by escape", file(`{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"\u0061":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}`, 0), safeio.ErrCorrupt, "two entries"},
		{"duplicate field", file(`{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8), safeio.ErrCorrupt, "two fields"},
		{"duplicate metadata", file(`{"__metadata__":{"k":"1","k":"2"}}`, 0), safeio.ErrCorrupt, "two values"},
		{"metadata a number", file(`{"__metadata__":{"k":1}}`, 0), safeio.ErrCorrupt, "where a string"},
		{"metadata nested", file(`{"__metadata__":{"k":{}}}`, 0), safeio.ErrCorrupt, "where a string"},
		{"unknown field", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"strides":[1]}}`, 8), safeio.ErrCorrupt, `unknown field "strides"`},
		{"no dtype", file(`{"a":{"shape":[2],"data_offsets":[0,8]}}`, 8), safeio.ErrCorrupt, "no dtype"},
		{"no shape", file(`{"a":{"dtype":"F32","data_offsets":[0,8]}}`, 8), safeio.ErrCorrupt, "no shape"},
		{"no offsets", file(`{"a":{"dtype":"F32","shape":[2]}}`, 8), safeio.ErrCorrupt, "no data_offsets"},
		{"unknown dtype", file(`{"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}`, 8), safeio.ErrCorrupt, `unknown dtype "F33"`},
		{"tensor null", file(`{"a":null}`, 0), safeio.ErrCorrupt, `tensor "a"`},
		{"shape null", file(`{"a":{"dtype":"F32","shape":null,"data_offsets":[0,8]}}`, 8), safeio.ErrCorrupt, "shape"},
		{"shape negative", file(`{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}`, 8), safeio.ErrCorrupt, "not a whole number"},
		{"shape fractional", file(`{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}`, 8), safeio.ErrCorrupt, "not a whole number"},
		{"shape a string", file(`{"a":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}}`, 8), safeio.ErrCorrupt, "not a number"},
		{"shape overflows", file(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0), safeio.ErrCorrupt, "too many elements"},
		{"shape times width overflows", file(`{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}}`, 0), safeio.ErrCorrupt, "do not fit"},
		{"33 dimensions", file(`{"a":{"dtype":"F32","shape":[`+strings.Repeat("1,", 32)+`1],"data_offsets":[0,4]}}`, 4), safeio.ErrCorrupt, "more than 32"},
		{"offsets of one", file(`{"a":{"dtype":"F32","shape":[0],"data_offsets":[0]}}`, 0), safeio.ErrCorrupt, "want 2"},
		{"offsets of three", file(`{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0,0]}}`, 0), safeio.ErrCorrupt, "more than 2"},
		{"offsets backwards", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}`, 8), safeio.ErrCorrupt, "back to"},
		{"offset beyond int64", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,18446744073709551615]}}`, 8), safeio.ErrCorrupt, "below 2^63"},
		{"size not shape", file(`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`, 8), safeio.ErrCorrupt, "do not fit shape [3]"},
		{"size not dtype", file(`{"a":{"dtype":"F64","shape":[2],"data_offsets":[0,8]}}`, 8), safeio.ErrCorrupt, "of F64"},
		{"half bytes", file(`{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}`, 1), safeio.ErrCorrupt, "do not fit"},
		{"data cut short", file(one, 7), safeio.ErrCorrupt, "cut short"},
		{"data too long", file(one, 9), safeio.ErrCorrupt, "1 bytes after the last tensor"},
		{"data without tensors", file("{}", 1), safeio.ErrCorrupt, "1 bytes after"},
		{"hole", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}`, 12), safeio.ErrCorrupt, "hole of 4 bytes"},
		{"hole at the start", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), safeio.ErrCorrupt, "hole of 4 bytes"},
		{"overlap", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`, 12), safeio.ErrCorrupt, "overlap"},
		{"same data twice", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8), safeio.ErrCorrupt, "overlap"},
		{"deep nesting", file(`{"a":`+strings.Repeat("[", 100_000), 0), safeio.ErrCorrupt, `tensor "a"`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := save(t, c.data)
			f, err := safetensors.Open(path)
			if err == nil {
				f.Close()
				t.Fatal("opened")
			}
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want %v, %q and the path", err, c.kind, c.want)
			}
		})
	}
}

func TestAccepted(t *testing.T) {
	cases := []struct {
		name  string
		data  []byte
		names string
	}{
		{"no tensors", file("{}", 0), ""},
		{"padded header", file(`{}    `, 0), ""},
		{"scalar", file(`{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}`, 4), "a"},
		{"empty tensors", file(`{"a":{"dtype":"F32","shape":[0,3],"data_offsets":[0,0]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), "a b"},
		{"data in another order", file(`{"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 8), "a b"},
		{"10,000 tensors", file(manyTensors(10_000), 0), "-"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f, err := safetensors.Open(save(t, c.data))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if got := strings.Join(f.Names(), " "); got != c.names && c.names != "-" {
				t.Errorf("names %q, want %q", got, c.names)
			}
		})
	}
}

func TestOpenWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := safetensors.Open(filepath.Join(dir, "absent")); !errors.Is(err, safeio.ErrNotFound) {
		t.Errorf("absent: %v", err)
	}
	if _, err := safetensors.Open(dir); err == nil {
		t.Error("a directory was opened")
	}
}

func TestReadRefuses(t *testing.T) {
	header := `{"half":{"dtype":"I16","shape":[2],"data_offsets":[0,4]},"full":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`
	path := save(t, file(header, 12))
	f, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cases := []struct {
		name, tensor string
		length       int
		want         string
	}{
		{"absent", "none", 2, `no tensor "none"`},
		{"dtype", "half", 2, "is I16, want F32"},
		{"too short", "full", 1, "shape [2], want 1 values"},
		{"too long", "full", 3, "shape [2], want 3 values"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := f.Read(c.tensor, make([]float32, c.length))
			if !errors.Is(err, safeio.ErrMismatch) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	if err := os.Truncate(path, 130); err != nil {
		t.Fatal(err)
	}
	if err := f.Read("full", make([]float32, 2)); !errors.Is(err, safeio.ErrCorrupt) {
		t.Errorf("shortened after Open: %v", err)
	}
}

// TestHalves: values of the two formats of 16 bits, by IEEE 754 (binary16) and as
// the upper half of binary32.
func TestHalves(t *testing.T) {
	cases := []struct {
		name, dtype string
		bits        uint16
		want        float32
	}{
		{"one", "F16", 0x3c00, 1},
		{"minus two", "F16", 0xc000, -2},
		{"a third, rounded", "F16", 0x3555, 0x1.554p-2},
		{"largest", "F16", 0x7bff, 65504},
		{"smallest normal", "F16", 0x0400, 0x1p-14},
		{"largest subnormal", "F16", 0x03ff, 0x1.ff8p-15},
		{"smallest subnormal", "F16", 0x8001, -0x1p-24},
		{"zero", "F16", 0, 0},
		{"infinity", "F16", 0xfc00, float32(math.Inf(-1))},
		{"one", "BF16", 0x3f80, 1},
		{"largest", "BF16", 0x7f7f, 0x1.fep127},
		{"smallest subnormal", "BF16", 0x8001, -0x1p-133},
		{"infinity", "BF16", 0x7f80, float32(math.Inf(1))},
	}
	for _, c := range cases {
		t.Run(c.dtype+" "+c.name, func(t *testing.T) {
			header := fmt.Sprintf(`{"x":{"dtype":%q,"shape":[1],"data_offsets":[0,2]}}`, c.dtype)
			data := binary.LittleEndian.AppendUint16(file(header, 0), c.bits)
			f, err := safetensors.Open(save(t, data))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			var got [1]float32
			if err := f.Read("x", got[:]); err != nil || got[0] != c.want {
				t.Errorf("got %v, %v, want %v", got[0], err, c.want)
			}
		})
	}
}

func TestWriteRefuses(t *testing.T) {
	values := []float32{1, 2}
	cases := []struct {
		name    string
		meta    map[string]string
		tensors []safetensors.Tensor
		want    string
	}{
		{"length", nil, []safetensors.Tensor{{"a", []int{3}, values}}, "asks for 3 values, 2 given"},
		{"negative", nil, []safetensors.Tensor{{"a", []int{-2}, values}}, "negative"},
		{"duplicate", nil, []safetensors.Tensor{{"a", []int{2}, values}, {"a", []int{2}, values}}, "two of that name"},
		{"reserved name", nil, []safetensors.Tensor{{"__metadata__", []int{2}, values}}, "usable name"},
		{"empty name", nil, []safetensors.Tensor{{"", []int{2}, values}}, "usable name"},
		{"invalid name", nil, []safetensors.Tensor{{"\xff", []int{2}, values}}, "usable name"},
		{"invalid metadata", map[string]string{"k": "\xff"}, nil, "UTF-8"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := safetensors.Write(io.Discard, c.meta, c.tensors)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestBytes fixes the layout: it is read by others' programs.
func TestBytes(t *testing.T) {
	var b bytes.Buffer
	err := safetensors.Write(&b, map[string]string{"z": "1", "a": "<2>"}, []safetensors.Tensor{
		{"w", []int{1, 2}, []float32{1, -2}},
		{"s", nil, []float32{0.5}},
	})
	if err != nil {
		t.Fatal(err)
	}
	header := `{"__metadata__":{"a":"\u003c2\u003e","z":"1"},` +
		`"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"s":{"dtype":"F32","shape":[],"data_offsets":[8,12]}}`
	header += strings.Repeat(" ", (8-len(header)%8)%8)
	want := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	want = append(want, header...)
	want = append(want, "\x00\x00\x80\x3f\x00\x00\x00\xc0\x00\x00\x00\x3f"...) // IEEE 754: 1, -2, 0.5
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("got\n%q, want\n%q", b.Bytes(), want)
	}
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	rapid.Check(t, func(t *rapid.T) {
		meta := rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "meta")
		list := rapid.SliceOfNDistinct(rapid.StringN(1, 20, -1), 0, 8, rapid.ID).Draw(t, "names")
		var tensors []safetensors.Tensor
		for _, name := range list {
			shape := rapid.SliceOfN(rapid.IntRange(0, 6), 0, 4).Draw(t, "shape")
			n := 1
			for _, d := range shape {
				n *= d
			}
			values := make([]float32, n)
			for i := range values {
				values[i] = math.Float32frombits(rapid.Uint32().Draw(t, "bits")) // NaN and infinities too
			}
			tensors = append(tensors, safetensors.Tensor{Name: name, Shape: shape, F32: values})
		}
		err := safeio.FS{}.WriteFile(path, func(w io.Writer) error { return safetensors.Write(w, meta, tensors) })
		if err != nil {
			t.Fatal(err)
		}
		f, err := safetensors.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		got := f.Meta()
		if len(got) != len(meta) {
			t.Fatalf("metadata %q, want %q", got, meta)
		}
		for k, v := range meta {
			if got[k] != v {
				t.Fatalf("metadata %q = %q, want %q", k, got[k], v)
			}
		}
		for _, tensor := range tensors {
			if shape := f.Shape(tensor.Name); shape == nil || !slices.Equal(shape, tensor.Shape) {
				t.Fatalf("%q: shape %v, want %v", tensor.Name, shape, tensor.Shape)
			}
			back := make([]float32, len(tensor.F32))
			if err := f.Read(tensor.Name, back); err != nil {
				t.Fatal(err)
			}
			for i := range back {
				if math.Float32bits(back[i]) != math.Float32bits(tensor.F32[i]) {
					t.Fatalf("%q[%d]: %v, want %v", tensor.Name, i, back[i], tensor.F32[i])
				}
			}
		}
	})
}

// TestLargeTensor crosses the edges of the conversion buffer.
func TestLargeTensor(t *testing.T) {
	values := make([]float32, 50_001)
	for i := range values {
		values[i] = float32(i)
	}
	var b bytes.Buffer
	if err := safetensors.Write(&b, nil, []safetensors.Tensor{{"a", []int{len(values)}, values}}); err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Open(save(t, b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	back := make([]float32, len(values))
	if err := f.Read("a", back); err != nil || !slices.Equal(back, values) {
		t.Errorf("values differ (%v)", err)
	}
}

// TestEveryTruncation and flips of the header: an error or a file that can be
// read, never a panic.
func TestEveryTruncation(t *testing.T) {
	var b bytes.Buffer
	err := safetensors.Write(&b, map[string]string{"k": "v"}, []safetensors.Tensor{{"a", []int{4}, make([]float32, 4)}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x")
	for n := range b.Len() {
		if err := os.WriteFile(path, b.Bytes()[:n], 0o666); err != nil {
			t.Fatal(err)
		}
		if f, err := safetensors.Open(path); err == nil {
			f.Close()
			t.Fatalf("opened when cut at byte %d of %d", n, b.Len())
		} else if !errors.Is(err, safeio.ErrCorrupt) {
			t.Errorf("cut at byte %d: %v", n, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8))
	f.Add(file(`{"__metadata__":{"k":"v"},"a":{"dtype":"BF16","shape":[],"data_offsets":[0,2]}}`, 2))
	f.Add(file(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := safetensors.Open(save(t, data))
		if err != nil {
			if !errors.Is(err, safeio.ErrCorrupt) && !errors.Is(err, safeio.ErrLimit) {
				t.Fatalf("error without a kind: %v", err)
			}
			return
		}
		defer file.Close()
		for _, name := range file.Names() {
			n := 1
			for _, d := range file.Shape(name) {
				n *= d
			}
			if n > 8*len(data) && n > 0 {
				t.Fatalf("%q: %d elements in a file of %d bytes", name, n, len(data))
			}
			_ = file.Read(name, make([]float32, n))
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	tensors := []safetensors.Tensor{{"a", []int{1 << 20}, make([]float32, 1<<20)}}
	b.SetBytes(4 << 20)
	for b.Loop() {
		if err := safetensors.Write(io.Discard, nil, tensors); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleWrite() {
	var b bytes.Buffer
	err := safetensors.Write(&b, nil, []safetensors.Tensor{{Name: "w", Shape: []int{1}, F32: []float32{1}}})
	fmt.Printf("%s %v\n", bytes.TrimRight(b.Bytes()[8:8+56], " "), err)
	// Output: {"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} <nil>
}
