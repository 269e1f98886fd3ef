package cli

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestPrintable(t *testing.T) {
	cases := []struct{ name, in, want string }{
		{"plain", " the", " the"},
		{"accents and CJK", "né 日本", "né 日本"},
		{"emoji", "🙂", "🙂"},
		{"newline and tab", "a\n\tb\r", `a\n\tb\r`},
		{"clear screen", "\x1b[2J", `\x1b[2J`},
		{"C1 control", "\u009b2J", `\u009b2J`},
		{"right-to-left override", "\u202etxt.exe", `\u202etxt.exe`},
		{"zero width", "a\u200bb\ufeff", `a\u200bb\ufeff`},
		{"line separator", "a\u2028b", `a\u2028b`},
		{"invalid UTF-8", "a\xff\xc3", `a\xff\xc3`},
		{"replacement character", "\ufffd", "\ufffd"},
		{"quotes and backslash stay", `'"\`, `'"\`},
		{"NUL", "\x00", `\x00`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := Printable(c.in); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestPrintableIsSafe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		out := Printable(string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")))
		if !utf8.ValidString(out) || strings.ContainsFunc(out, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("%q", out)
		}
		if Printable(out) != out {
			t.Fatalf("%q is not a fixed point", out)
		}
	})
}

func TestColorAndWidthWithoutTerminal(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if Color(file) || IsTerminal(file) || Width(file) != 80 {
		t.Errorf("a file has colour %v, terminal %v, width %d", Color(file), IsTerminal(file), Width(file))
	}
}

func TestWriteJSON(t *testing.T) {
	var b bytes.Buffer
	if err := WriteJSON(&b, map[string]string{"token": "<eos>"}); err != nil {
		t.Fatal(err)
	}
	if want := "{\n  \"token\": \"<eos>\"\n}\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestVersion(t *testing.T) {
	if v := Version(); !strings.Contains(v, "go1.") {
		t.Errorf("%q does not name the version of Go", v)
	}
}
