package column

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"pgregory.net/rapid"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// rowOf is a row of the files of parquet-go, the independent writer of these
// tests, with the text in one of every encoding.
type rowOf struct {
	N        int64
	Plain    string   `parquet:"plain,plain"`
	Optional *string  `parquet:"optional,optional"`
	Dict     string   `parquet:"dict,dict"`
	OptDict  *string  `parquet:"optdict,optional,dict"`
	Lengths  string   `parquet:"lengths,delta"`
	List     []string `parquet:"list,list"`
	Group    struct {
		Inner string `parquet:"inner"`
	} `parquet:"group"`
	Bytes []byte `parquet:"bytes"`
	Enum  string `parquet:"enum,enum"`
}

var textColumns = []string{"plain", "optional", "dict", "optdict", "lengths", "bytes", "enum"}

func write(t interface{ Fatal(...any) }, texts []string, group int, options ...parquet.WriterOption) []byte {
	var b bytes.Buffer
	w := parquet.NewGenericWriter[rowOf](&b, options...)
	for i, s := range texts {
		r := rowOf{N: int64(i), Plain: s, Dict: s, Lengths: s, List: []string{s, "x"}, Bytes: []byte(s), Enum: s}
		r.Group.Inner = s
		if s != "" {
			r.Optional, r.OptDict = &s, &s
		}
		if _, err := w.Write([]rowOf{r}); err != nil {
			t.Fatal(err)
		}
		if (i+1)%group == 0 {
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// read returns the values of a column, nulls as "".
func read(data []byte, name string) (texts []string, err error) {
	f, err := Open(bytes.NewReader(data), int64(len(data)), name, 1<<20)
	if err != nil {
		return nil, err
	}
	for i, g := range f.Groups {
		v := f.Values(i)
		for range g.Rows {
			b, err := v.Next()
			if err != nil {
				return texts, err
			}
			texts = append(texts, string(b))
		}
	}
	return texts, nil
}

func TestColumnsOfEveryEncoding(t *testing.T) {
	codecs := map[string]compress.Codec{"none": &parquet.Uncompressed, "snappy": &parquet.Snappy, "gzip": &parquet.Gzip, "zstd": &parquet.Zstd}
	for name, codec := range codecs {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				texts := rapid.SliceOfN(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "again", "again and again"})), 1, 60).Draw(t, "texts")
				version := rapid.IntRange(1, 2).Draw(t, "page version")
				data := write(t, texts, rapid.IntRange(1, 60).Draw(t, "group"), parquet.Compression(codec),
					parquet.DataPageVersion(version), parquet.PageBufferSize(rapid.IntRange(1, 400).Draw(t, "page size")))
				for _, column := range textColumns {
					got, err := read(data, column)
					if err != nil {
						t.Fatalf("%s: %v", column, err)
					}
					if strings.Join(got, "|") != strings.Join(texts, "|") || len(got) != len(texts) {
						t.Fatalf("%s = %q, want %q", column, got, texts)
					}
				}
			})
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	data := write(t, []string{"a", "b"}, 2)
	for _, name := range []string{"nothing", "n", "list", "group", "inner", ""} {
		if _, err := read(data, name); !errors.Is(err, ErrNone) {
			t.Errorf("column %q: error = %v, want that there is none", name, err)
		}
	}
	brotli := write(t, []string{strings.Repeat("a", 100)}, 2, parquet.Compression(&parquet.Brotli))
	if _, err := read(brotli, "plain"); err == nil || !strings.Contains(err.Error(), "Brotli") {
		t.Errorf("error = %v, want one that names Brotli", err)
	}
	for n := range len(data) {
		if _, err := read(data[:n], "plain"); err == nil {
			t.Errorf("the first %d bytes of %d were read", n, len(data))
		}
	}
}

// Bits are flipped at random: what is read is right, or there is an error of a
// kind. Where pages have no CRC, other letters cannot be told from the right
// ones, but neither more nor less is read.
func TestFlippedBits(t *testing.T) {
	texts := make([]string, 300)
	for i := range texts {
		texts[i] = fmt.Sprintf("the text %d of %d that there are", i, i%7)
	}
	data := write(t, texts, 100, parquet.Compression(&parquet.Snappy))
	r := rand.New(rand.NewPCG(1, 2))
	clean, same, differing := 0, 0, 0
	for range 2000 {
		bad := bytes.Clone(data)
		bit := r.IntN(len(bad) * 8)
		bad[bit/8] ^= 1 << (bit % 8)
		got, err := read(bad, textColumns[r.IntN(len(textColumns))])
		switch {
		case err != nil && !errors.Is(err, safeio.ErrCorrupt) && !errors.Is(err, safeio.ErrLimit) && !errors.Is(err, ErrNone):
			t.Fatalf("bit %d: %v", bit, err)
		case err != nil:
			clean++
		case strings.Join(got, "|") == strings.Join(texts, "|"):
			same++
		default:
			differing++
		}
	}
	t.Logf("%d refused, %d the same, %d others", clean, same, differing)
	if differing > 0 {
		t.Errorf("%d files gave other texts", differing)
	}
}

// lie is a file whose page header says something else than the page.
func TestLyingPages(t *testing.T) {
	for name, h := range map[string]header{
		"negative":        {kind: pageData, unpacked: -1, packed: 10},
		"huge":            {kind: pageData, unpacked: MaxPage + 1, packed: 10},
		"huge, packed":    {kind: pageData, unpacked: 10, packed: 1 << 31},
		"huge dictionary": {kind: pageDictionary, unpacked: MaxDictionary + 1, packed: 10},
		"negative values": {kind: pageData, values: -1},
		"levels":          {kind: pageDataV2, unpacked: 10, packed: 10, levels: 11},
		"repetition":      {kind: pageDataV2, unpacked: 10, packed: 10, repeat: 1},
	} {
		if err := h.check(); !errors.Is(err, safeio.ErrCorrupt) && !errors.Is(err, safeio.ErrLimit) {
			t.Errorf("%s: error = %v", name, err)
		}
	}
	for codec, bomb := range map[int64][]byte{1: snappyBomb(), 6: zstdBomb(t)} {
		p := &pages{codec: codec, packed: bomb}
		if _, err := p.unpack(header{packed: int64(len(bomb)), unpacked: 100}); !errors.Is(err, safeio.ErrCorrupt) {
			t.Errorf("codec %d: error = %v, want that it does not unpack to what it states", codec, err)
		}
	}
}

// snappyBomb states 4 GiB.
func snappyBomb() []byte { return []byte{0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0, 'a'} }

func zstdBomb(t *testing.T) []byte {
	b, err := parquet.Zstd.Encode(nil, make([]byte, 8<<20))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Runs of billions cost nothing: they are never spread out.
func TestRunsAreNotSpreadOut(t *testing.T) {
	h := hybrid{b: []byte{0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 5}, width: 3}
	for range 1000 {
		if v, ok := h.next(); !ok || v != 5 {
			t.Fatalf("%d, %v", v, ok)
		}
	}
	if _, ok := newDeltas([]byte{0x80, 0x80, 0x40, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0}, 100); ok {
		t.Error("more deltas than values were accepted")
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(write(f, []string{"a text", "", "a text", "another"}, 2))
	f.Add(write(f, []string{"a text", "", "a text"}, 3, parquet.Compression(&parquet.Zstd), parquet.DataPageVersion(1)))
	f.Add([]byte("PAR1PAR1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range textColumns {
			file, err := Open(bytes.NewReader(data), int64(len(data)), name, 1<<20)
			if err != nil {
				continue
			}
			for i, g := range file.Groups {
				v := file.Values(i)
				for k := int64(0); k < g.Rows && err == nil; k++ {
					_, err = v.Next()
				}
				if err != nil && !errors.Is(err, safeio.ErrCorrupt) && !errors.Is(err, safeio.ErrLimit) {
					t.Fatalf("an error of no kind: %v", err)
				}
				if errors.Is(err, io.EOF) {
					t.Fatal("an end where there are rows to come")
				}
			}
		}
	})
}

// Values that begin like those before them, which no tag of parquet-go asks for.
func TestDeltaByteArrays(t *testing.T) {
	type row struct {
		Text string `parquet:"text"`
	}
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.StringOfN(rapid.RuneFrom([]rune("ab")), 0, 9, -1), 1, 400).Draw(t, "texts")
		var b bytes.Buffer
		schema := parquet.NewSchema("x", parquet.Group{"text": parquet.Encoded(parquet.String(), &parquet.DeltaByteArray)})
		w := parquet.NewGenericWriter[row](&b, schema)
		for _, s := range texts {
			if _, err := w.Write([]row{{s}}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := read(b.Bytes(), "text")
		if err != nil || strings.Join(got, "|") != strings.Join(texts, "|") {
			t.Fatalf("%q, %v, want %q", got, err, texts)
		}
	})
}

// Files of another writer; testdata/README.md says how they were made.
func TestFilesOfPyarrow(t *testing.T) {
	paths, _ := filepath.Glob("testdata/*.parquet")
	if len(paths) != 5 {
		t.Fatal(paths)
	}
	want := strings.Repeat("zero||two||two|fünf||sieben|", 3)
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"text", "big", "bin", "full"} {
			got, err := read(data, name)
			if err != nil || strings.Join(got, "|")+"|" != want {
				t.Errorf("%s, %s: %q, %v", path, name, got, err)
			}
		}
	}
}
