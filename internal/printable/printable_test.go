package printable

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestLine(t *testing.T) {
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
			if got := Line(c.in); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestLineIsSafe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		out := Line(string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")))
		if !utf8.ValidString(out) || strings.ContainsFunc(out, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("%q", out)
		}
		if Line(out) != out {
			t.Fatalf("%q is not a fixed point", out)
		}
	})
}
