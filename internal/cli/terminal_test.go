package cli

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

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
