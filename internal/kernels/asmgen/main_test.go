package main

import (
	"os"
	"path/filepath"
	"testing"
)

// The committed assembly must be what the generator writes.
func TestCommittedFilesAreCurrent(t *testing.T) {
	for name, want := range files() {
		got, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("%q is out of date: run go generate in internal/kernels", name)
		}
	}
}
