package page_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestDistIsCurrent compares the hash of the page's sources with the one that
// the build of dist recorded. It needs no node: make page is what mends it.
// That dist is what the sources build is checked by .ci/run, where node is.
func TestDistIsCurrent(t *testing.T) {
	files := []string{"build.mjs", "index.html", "package-lock.json", "package.json", "style.css", "tsconfig.json"}
	web := os.DirFS("web")
	err := fs.WalkDir(web, "src", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".ts") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	hash := sha256.New()
	for _, name := range files {
		content, err := fs.ReadFile(web, name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(hash, "%s\n%d\n", name, len(content))
		hash.Write(content)
	}
	recorded, err := os.ReadFile(filepath.Join("dist", "sources.sha256"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := hex.EncodeToString(hash.Sum(nil)), strings.TrimSpace(string(recorded)); got != want {
		t.Errorf("dist was built from sources with hash %.12s, they are %.12s now: run make page", want, got)
	}
}

// TestDistAsksForNothing looks for addresses in what is served: the page must
// work without a network.
func TestDistAsksForNothing(t *testing.T) {
	for _, name := range []string{"index.html", "app.js", "style.css", "worker.js"} {
		content, err := os.ReadFile(filepath.Join("dist", name))
		if err != nil {
			t.Fatal(err)
		}
		// The name of SVG's elements looks like an address, and is never asked for.
		served := strings.ReplaceAll(string(content), "http://www.w3.org/2000/svg", "")
		for _, address := range []string{"http://", "https://", "//cdn", "@import"} {
			if strings.Contains(served, address) {
				t.Errorf("%s contains %q", name, address)
			}
		}
	}
}

// TestTemplate finds the three lines of index.html that a report replaces, once
// each, and no script or style between the tags, which the policy would stop.
func TestTemplate(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("dist", "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(content)
	for _, line := range []string{`<link rel="stylesheet" href="/style.css">`, `<script src="/app.js" defer></script>`, `<!-- policy -->`} {
		if n := strings.Count(page, line); n != 1 {
			t.Errorf("%s occurs %d times", line, n)
		}
	}
	for _, inline := range []string{"<style", "style=", "onclick", "<script>"} {
		if strings.Contains(page, inline) {
			t.Errorf("index.html contains %s", inline)
		}
	}
}
