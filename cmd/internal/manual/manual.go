// Package manual makes the man pages of the commands, for the tests that keep
// docs/man as the commands are. No program links it.
package manual

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// Check fails where a page in dir of a command, or of one below it, is not what
// the command says of itself, and where a command has no example. With
// TEXTWARP_MAN=write in the environment it writes the pages instead.
func Check(t *testing.T, root *cobra.Command, dir string) {
	t.Helper()
	exemplified(t, root)
	prepare(root)
	made := t.TempDir()
	// A fixed date: a page changes when the command does, not when it is made.
	date := time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)
	header := &doc.GenManHeader{Section: "1", Date: &date, Source: "textwarp", Manual: "textwarp"}
	if err := doc.GenManTree(root, header, made); err != nil {
		t.Fatal(err)
	}
	want, got := pages(t, made, root), pages(t, dir, root)
	if os.Getenv("TEXTWARP_MAN") == "write" {
		write(t, dir, want, got)
		return
	}
	for name, page := range want {
		switch old, ok := got[name]; {
		case !ok:
			t.Errorf("%s is missing; run make man", name)
		case old != page:
			t.Errorf("%s is stale; run make man", name)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is of a command that does not exist; run make man", name)
		}
	}
}

// exemplified wants an example of every command that does something.
func exemplified(t *testing.T, c *cobra.Command) {
	t.Helper()
	if c.Example == "" {
		t.Errorf("%s has no example", c.CommandPath())
	}
	for _, child := range c.Commands() {
		exemplified(t, child)
	}
}

// prepare turns the texts of all commands into the Markdown that cobra takes
// them for.
func prepare(c *cobra.Command) {
	c.Long = markdown(c.Long)
	c.DisableAutoGenTag = true
	for _, child := range c.Commands() {
		prepare(child)
	}
}

var special = regexp.MustCompile("[\\\\`*_\\[\\]<>#]")

// markdown keeps lines that are indented as they stand, makes headings of those
// in capitals, and takes its meaning from all else.
func markdown(text string) string {
	var b strings.Builder
	indented := false
	for line := range strings.Lines(text) {
		if was := indented; strings.HasPrefix(line, " ") != was && line != "\n" {
			indented = !was
			b.WriteString("\n")
		}
		switch {
		case line == "\n":
			b.WriteString(line)
		case indented:
			b.WriteString("    " + line)
		case line == strings.ToUpper(line):
			b.WriteString("# " + line)
		default:
			b.WriteString(special.ReplaceAllString(line, `\$0`))
		}
	}
	return b.String()
}

// pages reads the man pages in dir of a command and those below it.
func pages(t *testing.T, dir string, root *cobra.Command) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{root.Name() + ".1", root.Name() + "-*.1"} {
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all[filepath.Base(path)] = string(data)
		}
	}
	return all
}

// write makes dir hold the pages that are wanted in place of those it has.
func write(t *testing.T, dir string, want, got map[string]string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, page := range want {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		delete(got, name)
	}
	for name := range got {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}
