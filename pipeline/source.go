package pipeline

import (
	"path"
	"slices"
	"strings"
)

// source is one file of the corpus. A corpus of a million files holds a million
// of them in memory, 96 bytes each and the name.
type source struct {
	place  place
	name   string // relative to the corpus argument, with slashes
	kind   kind
	packed string // how it is compressed: "", ".gz", ".zst", ".bz2" or ".xz"

	// Found by scanning it once.
	serial bool     // can only be read from its beginning
	stored int64    // size on disk
	size   int64    // of its text: the coordinate that units are ranges of
	stamp  uint64   // see object
	sum    [32]byte // SHA-256 of it as it is stored

	guessed bool // size is an estimate
}

func (s *source) path() string { return s.place.path(s.name) }

// kind is how documents stand in a source.
type kind uint8

const (
	kindOther   kind = iota
	kindText         // .txt, .md: see --split-docs
	kindHTML         // .html: its text, like .txt
	kindLines        // .jsonl: a JSON object a line
	kindCSV          // .csv: a record a document
	kindTSV          // .tsv
	kindParquet      // .parquet: a row a document
	kindTar          // .tar: the files in it
)

var kinds = map[string]kind{
	".txt": kindText, ".md": kindText, ".markdown": kindText,
	".html": kindHTML, ".htm": kindHTML, ".xhtml": kindHTML,
	".jsonl": kindLines, ".ndjson": kindLines,
	".csv": kindCSV, ".tsv": kindTSV, ".parquet": kindParquet, ".tar": kindTar,
}

// tars are the short spellings of compressed archives.
var tars = map[string]string{".tgz": ".gz", ".tbz": ".bz2", ".tbz2": ".bz2", ".txz": ".xz", ".tzst": ".zst"}

// kindOf says what the name of a file says of it.
func kindOf(name string) (k kind, packed string) {
	name = strings.ToLower(name)
	ext := path.Ext(name)
	if packed, ok := tars[ext]; ok {
		return kindTar, packed
	}
	if slices.Contains([]string{".gz", ".zst", ".bz2", ".xz"}, ext) {
		packed, name = ext, strings.TrimSuffix(name, ext)
	}
	return kinds[path.Ext(name)], packed
}

// shown is a file name as a string column can hold it.
func shown(name string) string { return strings.ToValidUTF8(name, "\uFFFD") }
