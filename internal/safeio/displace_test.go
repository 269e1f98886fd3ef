package safeio

import (
	"os"
	"path/filepath"
	"testing"
)

// TestDisplace: where two names cannot be exchanged, the old directory goes aside
// for the new one, and back if there is none.
func TestDisplace(t *testing.T) {
	dir := t.TempDir()
	path, fresh := filepath.Join(dir, "step"), filepath.Join(dir, "fresh")
	for _, d := range []string{path, fresh} {
		if err := os.MkdirAll(filepath.Join(d, "from "+filepath.Base(d)), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := (FS{}).displace(filepath.Join(dir, "nothing"), path); err == nil {
		t.Error("displaced by nothing")
	}
	if _, err := os.Stat(filepath.Join(path, "from step")); err != nil {
		t.Errorf("the old one is not back: %v", err)
	}
	old, err := (FS{}).displace(fresh, path)
	if err != nil || !isTemp(old) {
		t.Fatalf("%q, %v", old, err)
	}
	for _, want := range []string{filepath.Join(path, "from fresh"), filepath.Join(old, "from step")} {
		if _, err := os.Stat(want); err != nil {
			t.Error(err)
		}
	}
}
