package cli

import (
	"strings"
	"testing"
)

func TestFrame(t *testing.T) {
	var b strings.Builder
	f := NewFrame(&b)
	step := func(name, want string, do func()) {
		t.Helper()
		b.Reset()
		do()
		if b.String() != want {
			t.Errorf("%s: got %q, want %q", name, b.String(), want)
		}
	}
	step("nothing to clear", "", func() { f.Clear(80) })
	step("first", "\x1b[?7lone\x1b[K\n\x1b[36mtwo\x1b[0m\x1b[K\n\x1b[J\x1b[?7h", func() { f.Draw([]string{"one", "\x1b[36mtwo\x1b[0m"}, 80) })
	step("in place", "\x1b[?7l\x1b[2A\rthree four\x1b[K\n\x1b[J\x1b[?7h", func() { f.Draw([]string{"three four"}, 80) })
	step("made narrower", "\x1b[?7l\x1b[3A\ra\x1b[K\n\x1b[J\x1b[?7h", func() { f.Draw([]string{"a"}, 4) })
	step("cleared", "\x1b[1A\r\x1b[J", func() { f.Clear(4) })
	step("cleared again", "", func() { f.Clear(4) })
	step("after that", "\x1b[?7lb\x1b[K\n\x1b[J\x1b[?7h", func() { f.Draw([]string{"b"}, 4) })
}
