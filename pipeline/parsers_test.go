package pipeline

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// standardMember is jsonLine.member by encoding/json.
func standardMember(line []byte, name string) (string, loss) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(line, &object); err != nil || object == nil {
		return "", lossMalformed
	}
	var text *string
	if value, ok := object[name]; !ok || json.Unmarshal(value, &text) != nil || text == nil {
		return "", lossNoText
	}
	return *text, lossNone
}

func compareMembers(t interface{ Fatalf(string, ...any) }, j *jsonLine, line []byte) {
	got, l := j.member(line, "text")
	want, w := standardMember(line, "text")
	// encoding/json has replaced what is not UTF-8.
	if l != w || strings.ToValidUTF8(string(got), "?") != strings.ToValidUTF8(want, "?") && utf8.Valid(line) {
		t.Fatalf("%q: %q, %v; encoding/json gives %q, %v", line, got, l, want, w)
	}
}

func TestJSONLineAgainstEncodingJSON(t *testing.T) {
	var j jsonLine
	for _, line := range []string{
		`{}`, ` { } `, `{"text":"a"}`, `{"text":"a",}`, `{,}`, `{"a"}`, `{"a":}`, `{"text":"a"} x`, `null`, `[]`, `"text"`, ``, `{`,
		`{"text":"a","text":"b"}`, `{"text":"a","text":1}`, `{"text":1,"text":"b"}`, `{"te\u0078t":"é"}`, `{"Text":"a"}`, `{"text":null}`,
		`{"text":"\ud83d\ude00 \ud800 \udc00 \ud800\u0041 \ud800\ud83d\ude00"}`, `{"text":"\x"}`, `{"text":"\u12g4"}`, `{"text":"\u123"}`, `{"text":"a` + "\n" + `"}`, `{"text":"\"\\\/\b\f\n\r\t"}`,
		`{"a":[1,-0,0.5,1e5,1E+5,2e-7,true,false,null,"x",{},[],{"b":[]}],"text":"a"}`,
		`{"a":01}`, `{"a":1.}`, `{"a":.5}`, `{"a":-}`, `{"a":1e}`, `{"a":+1}`, `{"a":tru}`, `{"a":nul}`, `{"a":[1,]}`, `{"a":[,1]}`, `{"a":[1 2]}`, `{"a":{"b" 1}}`, `{"a":{"b":1,}}`, `{"a":[}`, `{"a":{]}`, `{"a":[1}}`,
		`{"a":` + strings.Repeat("[", 9999) + strings.Repeat("]", 9999) + `}`, `{"a":` + strings.Repeat("[", 10000) + strings.Repeat("]", 10000) + `}`,
		"\xEF\xBB\xBF{}", "{\"text\":\"\x7f\u2028\"}", "{\"text\": \"a\" , \"b\"\t:\r\n1 }",
	} {
		compareMembers(t, &j, []byte(line))
	}
	rapid.Check(t, func(t *rapid.T) {
		parts := []string{`{`, `}`, `[`, `]`, `,`, `:`, `"text"`, `"a"`, `"\u00e9\n"`, `"\ud83d`, `\ude00"`, `1`, `-0.5e+3`, `true`, `null`, ` `, `"`, `\`, "é", `{"text":`, `"b":[`}
		compareMembers(t, &j, []byte(strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 0, 14).Draw(t, "parts"), "")))
	})
}

func FuzzJSONLine(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"b":"\u00e9"}],"text":"x"}`))
	f.Add([]byte(`{"text":"\ud800\"","text":-1.5e3}`))
	f.Fuzz(func(t *testing.T, line []byte) { compareMembers(t, new(jsonLine), line) })
}

// readCSV returns the values of a column; those that are none by their loss.
func readCSV(t interface{ Fatal(...any) }, text string, k kind, column string) ([]string, bool) {
	r, err := newCSV(bufio.NewReaderSize(iotest.OneByteReader(strings.NewReader(text)), 16), k, column)
	if err != nil {
		t.Fatal(err)
	}
	if r == nil {
		return nil, false
	}
	values := []string{}
	for last := int64(0); ; {
		p, err := r.next()
		if err == io.EOF {
			if r.extent() != int64(len(text)) {
				t.Fatal("ended at", r.extent(), "of", len(text))
			}
			return values, true
		}
		if err != nil {
			t.Fatal(err)
		}
		if p.start < last || p.start >= int64(len(text)) {
			t.Fatal("a record at", p.start, "behind", last)
		}
		last = p.start
		values = append(values, [...]string{string(p.text), "-long", "-malformed", "-none"}[p.loss])
	}
}

// Records as encoding/csv writes and reads them.
func TestCSVAgainstEncodingCSV(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.StringOfN(rapid.RuneFrom([]rune("ab\",\n é")), 0, 6, -1)
		n := rapid.IntRange(1, 4).Draw(t, "columns")
		at := rapid.IntRange(0, n-1).Draw(t, "column")
		header := []string{"w", "x", "y", "z"}[:n]
		records := rapid.SliceOfN(rapid.SliceOfN(cell, n, n), 0, 12).Draw(t, "records")
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.UseCRLF = rapid.Bool().Draw(t, "crlf")
		w.Write(header)
		want := []string{}
		for _, r := range records {
			if n == 1 && r[0] == "" {
				continue // an empty line
			}
			w.Write(r)
			v := r[at]
			if w.UseCRLF { // line ends in cells too
				v = strings.ReplaceAll(v, "\n", "\r\n")
			}
			want = append(want, v)
		}
		w.Flush()
		got, ok := readCSV(t, b.String(), kindCSV, header[at])
		if !ok || strings.Join(got, "|") != strings.Join(want, "|") {
			t.Fatalf("%q gives %q, want %q", b.String(), got, want)
		}
	})
}

func FuzzCSV(f *testing.F) {
	f.Add("id,text\n1,\"a\"\"b\nc\"\r\n\n2", false)
	f.Add("\"text\"x,\n\"", false)
	f.Add("text\ta\n\"b\tc", true)
	f.Fuzz(func(t *testing.T, text string, tsv bool) {
		k := kindCSV
		if tsv {
			k = kindTSV
		}
		readCSV(t, strings.TrimPrefix(text, string(utf8Mark)), k, "text")
	})
}

func extract(t interface{ Fatal(...any) }, page string) string {
	b, err := io.ReadAll(iotest.OneByteReader(newHTMLText(strings.NewReader(page))))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestHTMLText(t *testing.T) {
	for page, want := range map[string]string{
		"":                                    "",
		"plain":                               "plain",
		" a  b\n\tc ":                         "a b c",
		"<p>a</p><p>b</p>":                    "a\n\nb",
		"<p></p><p> </p>a":                    "a",
		"a<br>b<br><br>c":                     "a\nb\n\nc",
		"<ul><li>a<li>b</ul>c":                "a\nb\n\nc",
		"<table><tr><td>a<td>b<tr><td>c":      "a b\nc",
		"a<b>b</b> <i>c</i>":                  "ab c",
		"a<script>x</script>b<style>y":        "ab",
		"<title>t</title>a":                   "a",
		"<title>t":                            "",
		"<script/>x</script>a":                "a",
		"a<!-- x -->b<!doctype x>c<?p?>d":     "abcd",
		"<pre>\n a\n  b\n</pre>c":             " a\n  b\n\nc",
		"<pre><b>a</b>\n\n<b> b</b></pre>":    "a\n\n b",
		"<PRE> a</PRE> b":                     " a\n\nb",
		"</pre></p>a":                         "a",
		"&lt;p&gt; &amp;amp; &#8212; &eacute": "<p> &amp; — é",
		"a\u00a0 b":                           "a\u00a0 b",
		"<div>a<div>b</div></div>c":           "a\nb\nc",
		"<h1>a</h1>b<hr>c":                    "a\n\nb\n\nc",
		"<textarea>x</textarea>a<xmp><p>":     "a\n\n<p>",
		"<a href='x>y'>a</a":                  "a",
	} {
		if got := extract(t, page); got != want {
			t.Errorf("%q gives %q, want %q", page, got, want)
		}
	}
}

func FuzzHTMLText(f *testing.F) {
	f.Add("<p>a<pre>\n b</pre><br><script>c</script>&eacute;")
	f.Add("<title><textarea></title>\x00\xff<plaintext><p>")
	f.Fuzz(func(t *testing.T, page string) {
		text := extract(t, page)
		whole, _ := io.ReadAll(newHTMLText(strings.NewReader(page)))
		if string(whole) != text {
			t.Fatalf("%q a byte at a time, %q at once", text, whole)
		}
	})
}

func decodeAs(t interface{ Fatal(...any) }, b []byte, name string) string {
	r := bufio.NewReaderSize(iotest.OneByteReader(bytes.NewReader(b)), 16)
	out, err := io.ReadAll(iotest.OneByteReader(decoder(r, name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestUTF16AgainstTheStandard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		units := rapid.SliceOfN(rapid.OneOf(rapid.Uint16(), rapid.Uint16Range(0xD700, 0xE100), rapid.Uint16Range('a', 'c')), 0, 40).Draw(t, "units")
		var little, big []byte
		for _, u := range units {
			little = append(little, byte(u), byte(u>>8))
			big = append(big, byte(u>>8), byte(u))
		}
		want := ""
		for i, r := range utf16.Decode(units) {
			if r != '\uFEFF' || i > 0 {
				want += string(r)
			}
		}
		for name, b := range map[string][]byte{"utf-16le": little, "utf-16be": big} {
			got := decodeAs(t, b, name)
			if got = string(repairAll(got)); got != want {
				t.Fatalf("%s % x gives %q, want %q", name, b, got, want)
			}
		}
	})
}

func repairAll(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return repair([]byte(s), new(Report))
}

func FuzzDecoder(f *testing.F) {
	f.Add([]byte("\xFF\xFEa\x00\x00\xD8"), "")
	f.Add([]byte("caf\xE9\xFF\x81"), "shift_jis")
	f.Add([]byte("\x84\x31\xA4\x37\x1B$B"), "gb18030")
	f.Add([]byte("\x1B$B\x1B(J\xEF\xBF\xBD"), "iso-2022-jp")
	f.Fuzz(func(t *testing.T, b []byte, name string) {
		if name, err := canonicalEncoding(name); err == nil {
			decodeAs(t, b, name)
		}
		r := bufio.NewReader(bytes.NewReader(b))
		decodeAs(t, b, encodingOf(r, kindHTML, ""))
	})
}

// Whatever is called compressed gives its text or an error of a kind.
func FuzzUnpack(f *testing.F) {
	f.Add([]byte(zip("some text")), uint8(0))
	f.Add([]byte(zst("some text")), uint8(1))
	f.Add([]byte(packedLines[".bz2"]), uint8(2))
	f.Add([]byte(packedLines[".xz"]), uint8(3))
	f.Fuzz(func(t *testing.T, b []byte, packed uint8) {
		r := unpack([]string{".gz", ".zst", ".bz2", ".xz"}[packed%4], bytes.NewReader(b), &budget{1 << 20})
		n, err := io.Copy(io.Discard, r)
		if n > 1<<20 {
			t.Fatalf("%d bytes came out of a budget of 1 MiB", n)
		}
		if err != nil && !errors.Is(err, safeio.ErrCorrupt) && !errors.Is(err, safeio.ErrLimit) {
			t.Fatalf("an error of no kind: %v", err)
		}
	})
}
