package pipeline

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
)

// packedLines is "one line\nand another\n" as xz and bzip2 write it.
var packedLines = map[string]string{
	".xz":  unbase64("/Td6WFoAAATm1rRGAgAhARwAAAAQz1jMAQAUb25lIGxpbmUKYW5kIGFub3RoZXIKAAAAAKlMCAY+r7O3AAEtFS8LcW0ftvN9AQAAAAAEWVo="),
	".bz2": unbase64("QlpoOTFBWSZTWbsdjDUAAAjRgAAQQAAmZZQAIAAimNBkEDQNAKXgH96gVr5hHC7kinChIXY7GGo="),
}

func unbase64(s string) string {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func zip(text string) string {
	var b strings.Builder
	z := gzip.NewWriter(&b)
	z.Write([]byte(text))
	z.Close()
	return b.String()
}

func zst(text string) string {
	z, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err)
	}
	defer z.Close()
	return string(z.EncodeAll([]byte(text), nil))
}

// tarred is a file of an archive.
type tarred struct {
	name, text string
	kind       byte
}

func archive(entries ...tarred) string {
	var b strings.Builder
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.text)), Typeflag: e.kind}
		if e.kind == tar.TypeSymlink || e.kind == tar.TypeLink {
			h.Linkname = "/etc/passwd"
		}
		if err := w.WriteHeader(h); err != nil {
			panic(err)
		}
		w.Write([]byte(e.text))
	}
	w.Close()
	return b.String()
}

type article struct {
	ID   int64
	Body *string `parquet:"body,optional"`
	URL  string  `parquet:"url,dict"`
}

func table(rows ...string) string {
	var b bytes.Buffer
	w := parquet.NewGenericWriter[article](&b, parquet.Compression(&parquet.Snappy))
	for i := range rows {
		a := article{ID: int64(i), URL: "http://example.org"}
		if rows[i] != "" {
			a.Body = &rows[i]
		}
		w.Write([]article{a})
		if i%2 == 1 {
			w.Flush() // a row group
		}
	}
	w.Close()
	return b.String()
}

// at is a document with its place.
type at struct {
	source string
	offset int64
	text   string
}

func TestFormats(t *testing.T) {
	for name, c := range map[string]struct {
		files   map[string]string
		options Options
		want    []at
		report  Report
	}{
		"markdown is text": {
			files: map[string]string{"a.md": "# Title\n\n*text*\n"},
			want:  []at{{"a.md", 0, "# Title\n\n*text*\n"}},
		},
		"compressed": {
			files: map[string]string{"a.txt.gz": zip("gz"), "b.txt.zst": zst("zst"), "c.txt.bz2": packedLines[".bz2"], "d.txt.xz": packedLines[".xz"]},
			want:  []at{{"a.txt.gz", 0, "gz"}, {"b.txt.zst", 0, "zst"}, {"c.txt.bz2", 0, "one line\nand another\n"}, {"d.txt.xz", 0, "one line\nand another\n"}},
		},
		"two streams in one file": {
			files:   map[string]string{"a.txt.gz": zip("x\n") + zip("y"), "b.txt.xz": packedLines[".xz"] + packedLines[".xz"], "c.txt.bz2": packedLines[".bz2"] + packedLines[".bz2"]},
			options: Options{Split: SplitLine},
			want: []at{
				{"a.txt.gz", 0, "x"},
				{"a.txt.gz", 2, "y"},
				{"b.txt.xz", 0, "one line"},
				{"b.txt.xz", 9, "and another"},
				{"b.txt.xz", 21, "one line"},
				{"b.txt.xz", 30, "and another"},
				{"c.txt.bz2", 0, "one line"},
				{"c.txt.bz2", 9, "and another"},
				{"c.txt.bz2", 21, "one line"},
				{"c.txt.bz2", 30, "and another"},
			},
		},
		"html": {
			files: map[string]string{"a.html": "\xEF\xBB\xBF<!doctype html><title>T</title><style>p{}</style><h1>Head</h1><p>a &amp;\n <b>b</b>c<p>d<br>e<ul><li>f<li>g</ul><script>x<y</script><pre>\n  k\n\n l\n</pre>z<!-- no -->"},
			want:  []at{{"a.html", 0, "Head\n\na & bc\n\nd\ne\n\nf\ng\n\n  k\n\n l\n\nz"}},
		},
		"html that says its encoding": {
			files: map[string]string{"a.html": "<meta charset=iso-8859-2><p>\xB1", "b.html": "<p>caf\xE9", "c.htm": "<meta charset=utf-8><p>\xE9"},
			want:  []at{{"a.html", 0, "ą"}, {"b.html", 0, "café"}, {"c.htm", 0, "\uFFFD"}}, report: Report{ReplacedBytes: 1, ReplacedDocs: 1},
		},
		"csv": {
			files:   map[string]string{"a.csv": "id,\"text\",x\r\n1,\"a \"\"b\"\"\r\nc\",\r\n\r\n2,d\n3\n4,,\n5,\"e\"f,\"g"},
			options: Options{Split: SplitBlank},
			want:    []at{{"a.csv", 13, "a \"b\"\r\nc"}, {"a.csv", 32, "d"}},
			report:  Report{Empty: 2, NoText: 1, Malformed: 1},
		},
		"tsv has no quotes": {
			files: map[string]string{"a.tsv": "n\ttext\n1\t\"a\n2\tb \"c\"\n"},
			want:  []at{{"a.tsv", 7, "\"a"}, {"a.tsv", 12, "b \"c\""}},
		},
		"a table without the column": {
			files: map[string]string{"a.csv": "a,b\n1,2\n", "b.parquet": table("x"), "c.txt": "c"},
			want:  []at{{"c.txt", 0, "c"}}, report: Report{NoColumn: 2},
		},
		"parquet": {
			files: map[string]string{"a.parquet": table("zero", "one", "", "three", "four")}, options: Options{TextField: "body"},
			want:   []at{{"a.parquet", 0, "zero"}, {"a.parquet", 1, "one"}, {"a.parquet", 3, "three"}, {"a.parquet", 4, "four"}},
			report: Report{NoText: 1},
		},
		"parquet that is compressed again": {
			files: map[string]string{"a.parquet.gz": zip(table("zero", "one"))}, options: Options{TextField: "body"},
			want: []at{{"a.parquet.gz", 0, "zero"}, {"a.parquet.gz", 1, "one"}},
		},
		"archive": {
			files: map[string]string{"a.tar": archive(
				tarred{"dir/", "", tar.TypeDir}, tarred{"dir/b.txt", "b", tar.TypeReg}, tarred{"../../etc/a.txt", "a", tar.TypeReg},
				tarred{"/abs.txt", "abs", tar.TypeReg}, tarred{"link.txt", "", tar.TypeSymlink}, tarred{"hard.txt", "", tar.TypeLink},
				tarred{"pipe.txt", "", tar.TypeFifo}, tarred{"x.bin", "x", tar.TypeReg}, tarred{".git/c.txt", "c", tar.TypeReg}, tarred{"in.tar", archive(), tar.TypeReg},
				tarred{"empty.txt", "", tar.TypeReg}, tarred{"z.txt.gz", zip("z"), tar.TypeReg}, tarred{"l.jsonl", "{\"text\":\"l\"}\n{\"text\":\"m\"}", tar.TypeReg},
				tarred{"p.parquet", table("p"), tar.TypeReg}, tarred{"t.csv", "text\nt", tar.TypeReg}, tarred{"h.html", "<p>h", tar.TypeReg}, tarred{"w.txt", "\xFE\xFF\x00w", tar.TypeReg},
			)},
			want: []at{
				{"a.tar/dir/b.txt", 0, "b"},
				{"a.tar/etc/a.txt", 0, "a"},
				{"a.tar/abs.txt", 0, "abs"},
				{"a.tar/z.txt.gz", 0, "z"},
				{"a.tar/l.jsonl", 0, "l"},
				{"a.tar/l.jsonl", 13, "m"},
				{"a.tar/t.csv", 5, "t"},
				{"a.tar/h.html", 0, "h"},
				{"a.tar/w.txt", 0, "w"},
			},
			report: Report{ArchiveLinks: 2, SpecialFiles: 1, OtherFiles: 3, Empty: 1, NoColumn: 1, UTF16: 1},
		},
		"compressed archives": {
			files: map[string]string{"a.tar.gz": zip(archive(tarred{"a.txt", "a", tar.TypeReg})), "b.TGZ": zip(archive(tarred{"b.txt", "b", tar.TypeReg})), "c.tzst": zst(archive(tarred{"c.txt", "c", tar.TypeReg}))},
			want:  []at{{"a.tar.gz/a.txt", 0, "a"}, {"b.TGZ/b.txt", 0, "b"}, {"c.tzst/c.txt", 0, "c"}},
		},
		"latin1": {
			files: map[string]string{"a.txt": "caf\xE9 \x80", "b.jsonl": "{\"text\":\"\xE9\"}", "c.txt": "\xEF\xBB\xBFé"}, options: Options{Encoding: "latin1"},
			want: []at{{"a.txt", 0, "café €"}, {"b.jsonl", 0, "é"}, {"c.txt", 3, "é"}},
		},
		"what cannot be decoded": {
			files: map[string]string{"a.txt": "a\x81\x40\xFFb"}, options: Options{Encoding: "shift_jis"},
			want: []at{{"a.txt", 0, "a\u3000\uFFFDb"}}, report: Report{ReplacedBytes: 1, ReplacedDocs: 1},
		},
		"halves of UTF-16": {
			files: map[string]string{"a.txt": "\xFF\xFEa\x00\x00\xD8b\x00\x00\xDCc"}, want: []at{{"a.txt", 0, "a\uFFFDb\uFFFD\uFFFD"}},
			report: Report{UTF16: 1, ReplacedBytes: 3, ReplacedDocs: 1},
		},
		"UTF-32": {
			files: map[string]string{"a.txt": "\xFF\xFE\x00\x00a\x00\x00\x00\x00\xF6\x01\x00", "b.txt": "\x00\x00\xFE\xFF\x00\x00\x00b\x00\x11\x00\x00"},
			want:  []at{{"a.txt", 0, "a😀"}, {"b.txt", 0, "b\uFFFD"}}, report: Report{UTF16: 2, ReplacedBytes: 1, ReplacedDocs: 1},
		},
		"invalid UTF-8 is rejected": {
			files: map[string]string{"a.txt": "fine\nbad\xFF\n", "b.jsonl": "{\"text\":\"\xFF\"}\n{\"a\":\"\xFF\",\"text\":\"b\"}"}, options: Options{Split: SplitLine, Invalid: InvalidReject},
			want: []at{{"a.txt", 0, "fine"}, {"b.jsonl", 13, "b"}}, report: Report{Rejected: 2},
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := c.options
			o.Sources = []string{corpus(t, c.files)}
			d, report := shard(t, o)
			var got []at
			for _, doc := range docs(t, d, "") {
				got = append(got, at{doc.Source, doc.Offset, doc.Text})
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("documents\n got %+v\nwant %+v", got, c.want)
			}
			if *report != c.report {
				t.Errorf("report = %+v, want %+v", *report, c.report)
			}
		})
	}
}

// Bytes that are kept come back, in either format, also where the vocabulary
// makes ids of 32 bits.
func TestInvalidTextIsKept(t *testing.T) {
	dir := corpus(t, map[string]string{"a.txt": "good\nb\xFFd\n", "b.jsonl": "{\"text\":\"\xC3\\n\"}"})
	for _, format := range []string{FormatParquet, FormatArrow} {
		for _, shift := range []int32{0, 1 << 17} {
			d, report := shard(t, Options{Sources: []string{dir}, Split: SplitLine, Format: format, Invalid: InvalidKeep, Encoder: bytesEncoder{shift}})
			all := docs(t, d, "")
			if got := textsOf(all); !slices.Equal(got, []string{"good", "b\xFFd", "\xC3\n"}) {
				t.Errorf("%s: documents = %q", format, got)
			}
			if *report != (Report{KeptDocs: 2}) {
				t.Errorf("report = %+v", *report)
			}
			if got := all[1].Tokens; !slices.Equal(got, []int32{'b' + shift, 0xFF + shift, 'd' + shift}) {
				t.Errorf("%s: tokens = %v", format, got)
			}
			if err := d.Verify(t.Context(), nil); err != nil {
				t.Error(err)
			}
		}
	}
}
