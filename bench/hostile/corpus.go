package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
)

// words is what text is made of.
func words(n int) []string {
	r := rand.New(rand.NewPCG(1, 1))
	w := make([]string, n)
	for i := range w {
		b := make([]byte, 1+r.IntN(5)+r.IntN(5))
		for k := range b {
			b[k] = "etaoinshrdlucmfwyp"[r.IntN(18)]
		}
		w[i] = string(b)
	}
	return w
}

var vocabulary = words(50000)

// paragraph appends some lines of text and an empty one.
func paragraph(b []byte, r *rand.Rand) []byte {
	for range 1 + r.IntN(4) {
		for range 4 + r.IntN(12) {
			w := r.IntN(len(vocabulary))
			w = min(w, r.IntN(len(vocabulary))) // some are rarer than others
			b = append(append(b, vocabulary[w]...), ' ')
		}
		b[len(b)-1] = '\n'
	}
	return append(b, '\n')
}

func text(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 2))
	b := make([]byte, 0, n+1000)
	for len(b) < n {
		b = paragraph(b, r)
	}
	return b
}

// writeText writes a file of about n bytes.
func writeText(path string, seed uint64, n int64) {
	f, err := os.Create(path)
	must(err)
	w := bufio.NewWriterSize(f, 1<<20)
	r := rand.New(rand.NewPCG(seed, 3))
	var b []byte
	for done := int64(0); done < n; done += int64(len(b)) {
		b = paragraph(b[:0], r)
		_, err := w.Write(b)
		must(err)
	}
	must(w.Flush())
	must(f.Close())
}

func put(path string, data []byte) {
	must(os.MkdirAll(filepath.Dir(path), 0o777))
	must(os.WriteFile(path, data, 0o666))
}

type row struct {
	N    int64
	Text string `parquet:"text,snappy"`
}

// variety writes a corpus with every kind of source of which Go can write one.
func variety(dir string) (names []string) {
	var lines, csv, page bytes.Buffer
	csv.WriteString("id,text\n")
	table := &bytes.Buffer{}
	p := parquet.NewGenericWriter[row](table)
	for i := range 200 {
		t := text(uint64(100+i), 200)
		fmt.Fprintf(&lines, "{\"id\":%d,\"text\":%q}\n", i, t)
		fmt.Fprintf(&csv, "%d,\"%s\"\n", i, t)
		fmt.Fprintf(&page, "<p>%s<br>&amp;</p>\n", t)
		_, err := p.Write([]row{{int64(i), string(t)}})
		must(err)
	}
	must(p.Close())
	var zipped, archive bytes.Buffer
	z := gzip.NewWriter(&zipped)
	z.Write(text(1, 60000))
	must(z.Close())
	a := tar.NewWriter(&archive)
	for i := range 20 {
		t := text(uint64(i), 2000)
		must(a.WriteHeader(&tar.Header{Name: fmt.Sprintf("in/%d.txt", i), Mode: 0o644, Size: int64(len(t))}))
		a.Write(t)
	}
	must(a.Close())
	enc, err := zstd.NewWriter(nil)
	must(err)
	defer enc.Close()
	wide := []byte{0xFF, 0xFE}
	for _, c := range text(3, 5000) {
		wide = append(wide, c, 0)
	}
	for name, data := range map[string][]byte{
		"a.txt": text(2, 60000), "b.jsonl": lines.Bytes(), "c.csv": csv.Bytes(), "d.html": page.Bytes(), "e.parquet": table.Bytes(),
		"f.txt.gz": zipped.Bytes(), "g.tar": archive.Bytes(), "h.tar.zst": enc.EncodeAll(archive.Bytes(), nil), "i.jsonl.zst": enc.EncodeAll(lines.Bytes(), nil), "j.txt": wide,
	} {
		put(filepath.Join(dir, name), data)
		names = append(names, name)
	}
	return names
}
