package pipeline

import (
	"fmt"
	"strings"
)

// Report counts what was left out or changed on the way from the corpus to the
// shards. It depends on the corpus and the options alone and is kept in the
// manifest.
type Report struct {
	// Sources that could not be documents; see [Report.Skipped].
	SpecialFiles int64 `json:"special_files"`    // pipes, sockets, devices
	Unreadable   int64 `json:"unreadable_files"` // no permission, or a link to nothing
	UTF16        int64 `json:"utf16_files"`      // begin with a UTF-16 byte order mark

	// Lines of .jsonl sources that gave no document; see [Report.Skipped].
	Malformed int64 `json:"malformed_lines"`    // not a JSON object
	NoText    int64 `json:"lines_without_text"` // without the text field, or it is not a string
	LongLines int64 `json:"long_lines"`         // above 64 MiB

	// What is no loss.
	OtherFiles    int64 `json:"other_files"`        // other extensions and hidden names in directories
	Repeated      int64 `json:"repeated_files"`     // another name of a file already read
	Empty         int64 `json:"empty_documents"`    // documents without a character
	CutDocuments  int64 `json:"cut_documents"`      // documents longer than a part
	ReplacedBytes int64 `json:"replaced_bytes"`     // bytes of invalid UTF-8, each now U+FFFD
	ReplacedDocs  int64 `json:"replaced_documents"` // documents in which they stood
}

// Skipped is the number of files and lines that were meant to be read but could
// not be.
func (r Report) Skipped() int64 {
	return r.SpecialFiles + r.Unreadable + r.UTF16 + r.Malformed + r.NoText + r.LongLines
}

func (r *Report) add(o Report) {
	r.SpecialFiles += o.SpecialFiles
	r.Unreadable += o.Unreadable
	r.UTF16 += o.UTF16
	r.Malformed += o.Malformed
	r.NoText += o.NoText
	r.LongLines += o.LongLines
	r.OtherFiles += o.OtherFiles
	r.Repeated += o.Repeated
	r.Empty += o.Empty
	r.CutDocuments += o.CutDocuments
	r.ReplacedBytes += o.ReplacedBytes
	r.ReplacedDocs += o.ReplacedDocs
}

// Lines says in words what the report counted, one line a fact, skipped inputs
// first; nothing if there is nothing to say.
func (r Report) Lines() []string {
	var lines []string
	say := func(n int64, what string) {
		if n > 0 {
			lines = append(lines, fmt.Sprintf(what, n))
		}
	}
	say(r.SpecialFiles, "skipped %d pipes, sockets or devices")
	say(r.Unreadable, "skipped %d files that cannot be read")
	say(r.UTF16, "skipped %d UTF-16 files (convert them to UTF-8)")
	say(r.Malformed, "skipped %d lines that are not JSON objects")
	say(r.NoText, "skipped %d JSON lines without the text field as a string")
	say(r.LongLines, fmt.Sprintf("skipped %%d JSON lines longer than %d MiB", maxLine>>20))
	say(r.OtherFiles, "left out %d files that are not .txt or .jsonl")
	say(r.Repeated, "left out %d further names of the same file")
	say(r.Empty, "left out %d empty documents")
	say(r.CutDocuments, "cut %d long documents into parts")
	say(r.ReplacedBytes, "replaced %d bytes of invalid UTF-8 by U+FFFD")
	return lines
}

func (r Report) String() string { return strings.Join(r.Lines(), "; ") }
