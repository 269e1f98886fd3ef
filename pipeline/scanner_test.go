package pipeline

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// doc is a piece that was kept.
type doc struct {
	start, offset int64
	text          string
	cut, lost     bool
}

// scanAll reads text from the place where documents at from or later are found.
func scanAll(t interface {
	Helper()
	Fatalf(string, ...any)
}, text string, l layout, from int64, one bool,
) []doc {
	t.Helper()
	at := l.before(from)
	var r io.Reader = strings.NewReader(text[min(at, int64(len(text))):])
	if one {
		r = iotest.OneByteReader(r)
	}
	c, err := newScanner(r, l, at)
	if err != nil {
		t.Fatalf("begin at %d: %v", from, err)
	}
	var docs []doc
	for {
		p, err := c.next()
		if errors.Is(err, io.EOF) {
			return docs
		}
		if err != nil {
			t.Fatalf("scan: %v", err)
		}
		if p.start >= from {
			docs = append(docs, doc{p.start, p.offset, string(p.text), p.cut, p.loss == lossLong})
		}
	}
}

func TestScanner(t *testing.T) {
	long := strings.Repeat("x", 20)
	for name, c := range map[string]struct {
		mode string
		json bool
		text string
		want []string // texts; "-" for a lost line
	}{
		"file":                   {SplitFile, false, "a\nb\n", []string{"a\nb\n"}},
		"file empty":             {SplitFile, false, "", nil},
		"file with mark":         {SplitFile, false, "\xEF\xBB\xBFab", []string{"ab"}},
		"file of a part":         {SplitFile, false, long[:16], []string{long[:16]}},
		"file of parts":          {SplitFile, false, long, []string{long[:16], long[16:]}},
		"file cut at line end":   {SplitFile, false, "0123456789abcd\nefg", []string{"0123456789abcd\n", "efg"}},
		"file cut at space":      {SplitFile, false, "0123456789abcd efg", []string{"0123456789abcd ", "efg"}},
		"file cut before rune":   {SplitFile, false, "0123456789abcdeé!", []string{"0123456789abcde", "é!"}},
		"line":                   {SplitLine, false, "a\nb\r\n\nc", []string{"a", "b", "", "c"}},
		"line ends":              {SplitLine, false, "a\n", []string{"a"}},
		"line with NUL":          {SplitLine, false, "a\x00b\n", []string{"a\x00b"}},
		"line of parts":          {SplitLine, false, long + "\nb", []string{long[:16], long[16:], "b"}},
		"line of exactly a part": {SplitLine, false, long[:16] + "\nb", []string{long[:16], "", "b"}},
		"blank":                  {SplitBlank, false, "\n\na\nb\n\n\nc\n", []string{"a\nb", "c"}},
		"blank with returns":     {SplitBlank, false, "a\r\nb\r\n\r\nc\r\n", []string{"a\r\nb", "c"}},
		"blank only":             {SplitBlank, false, "\n\r\n\n", nil},
		"blank of parts":         {SplitBlank, false, long + "\n\nb", []string{long[:16], long[16:], "b"}},
		"json long line":         {SplitLine, true, "{}\n" + long + "\n{}", []string{"{}", "-", "{}"}},
		"json long last line":    {SplitLine, true, long, []string{"-"}},
	} {
		t.Run(name, func(t *testing.T) {
			l := layout{mode: c.mode, json: c.json, limit: 16, search: 4}
			for _, one := range []bool{false, true} {
				var got []string
				for _, d := range scanAll(t, c.text, l, 0, one) {
					if d.lost {
						d.text = "-"
					}
					got = append(got, d.text)
				}
				if strings.Join(got, "|") != strings.Join(c.want, "|") || len(got) != len(c.want) {
					t.Errorf("pieces (one byte at a time: %v) = %q, want %q", one, got, c.want)
				}
			}
		})
	}
}

// A source cut anywhere gives the documents of the whole, each in one range.
func TestScannersOfRangesGiveTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		alphabet := []string{"a", "b", " ", "\n", "\n\n", "\r\n", "\r", "é", "語", "\xFF", "\xEF\xBB\xBF"}
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(alphabet), 0, 120).Draw(t, "text"), "")
		limit := rapid.IntRange(9, 40).Draw(t, "limit")
		l := layout{
			mode: rapid.SampledFrom([]string{SplitFile, SplitLine, SplitBlank}).Draw(t, "mode"),
			json: rapid.Bool().Draw(t, "json"), limit: limit, search: rapid.IntRange(1, 8).Draw(t, "search"),
		}
		l.json = l.json && l.mode == SplitLine
		want := scanAll(t, text, l, 0, false)
		cuts := rapid.SliceOfN(rapid.Int64Range(0, int64(len(text))), 0, 3).Draw(t, "cuts")
		for _, from := range cuts {
			got := scanAll(t, text, l, from, rapid.Bool().Draw(t, "one"))
			var tail []doc
			for _, d := range want {
				if d.start >= from {
					tail = append(tail, d)
				}
			}
			// A part that begins at the very end of a source belongs to no range.
			for len(got) > 0 && got[len(got)-1].start >= int64(len(text)) {
				got = got[:len(got)-1]
			}
			if !equalDocs(got, tail) {
				t.Fatalf("from %d:\n got %+v\nwant %+v", from, got, tail)
			}
		}
		if l.mode == SplitFile {
			var whole bytes.Buffer
			for _, d := range want {
				whole.WriteString(d.text)
			}
			if whole.String() != strings.TrimPrefix(text, "\xEF\xBB\xBF") {
				t.Fatalf("parts make %q, not the file", whole.String())
			}
		}
	})
}

func equalDocs(a, b []doc) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// Lines and blocks are those of the obvious definition when none is long.
func TestScannerAgainstSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune("ab \n")), 0, 100, -1).Draw(t, "text")
		var lines []string
		for line := range strings.Lines(text) {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
		var blocks []string
		for _, block := range strings.Split(text, "\n\n") {
			if block = strings.Trim(block, "\n"); block != "" {
				blocks = append(blocks, block)
			}
		}
		for mode, want := range map[string][]string{SplitLine: lines, SplitBlank: blocks} {
			docs := scanAll(t, text, layout{mode: mode, limit: 1 << 10, search: 4}, 0, false)
			if len(docs) != len(want) {
				t.Fatalf("%s: %d documents, want %q", mode, len(docs), want)
			}
			for i, d := range docs {
				if d.text != want[i] || !strings.HasPrefix(text[d.offset:], d.text) {
					t.Fatalf("%s: document %d is %q at %d, want %q", mode, i, d.text, d.offset, want[i])
				}
			}
		}
	})
}

func FuzzScanner(f *testing.F) {
	for _, seed := range []string{"", "a\n\nb", "{\"text\":\"x\"}\n", "\xEF\xBB\xBF\r\n", "\xFF\xFE\x00", "{\"text\":\"\\ud800\"}", "[[[[", strings.Repeat("x", 99)} {
		f.Add([]byte(seed), uint8(0), int64(3))
	}
	f.Fuzz(func(t *testing.T, data []byte, mode uint8, from int64) {
		l := layout{mode: []string{SplitFile, SplitLine, SplitBlank}[mode%3], json: mode&4 != 0 && mode%3 == 1, limit: 32, search: 8}
		if from < 0 || from > int64(len(data)) {
			from = 0
		}
		var last int64
		for _, d := range scanAll(t, string(data), l, from, false) {
			if d.offset < last || d.offset+int64(len(d.text)) > int64(len(data)) {
				t.Fatalf("piece at %d with %d bytes after %d", d.offset, len(d.text), last)
			}
			last = d.offset
			p := piece{start: d.start, offset: d.offset, text: []byte(d.text)}
			if d.lost {
				p.loss = lossLong
			}
			if mode&4 != 0 {
				p.form = formJSON
			}
			x := extractor{field: "text"}
			x.texts(p, new(Report), func(text string) error {
				if text == "" || !utf8.ValidString(text) {
					t.Fatalf("text %q", text)
				}
				return nil
			})
		}
	})
}
