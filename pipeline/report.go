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
	SpecialFiles int64 `json:"special_files"`                  // pipes, sockets, devices
	Unreadable   int64 `json:"unreadable_files"`               // no permission, or a link to nothing
	NoColumn     int64 `json:"files_without_column,omitempty"` // tables without the text field
	CutPages     int64 `json:"cut_pages,omitempty"`            // HTML behind a token that is too long

	// Lines, records and rows that gave no document; see [Report.Skipped].
	Malformed int64 `json:"malformed_lines"`    // not a JSON object, or a record that does not end
	NoText    int64 `json:"lines_without_text"` // without the text field, or it is not a string
	LongLines int64 `json:"long_lines"`         // above 64 MiB
	// Documents with invalid UTF-8, where these are to be rejected.
	Rejected int64 `json:"rejected_documents,omitempty"`

	// What is no loss.
	UTF16         int64 `json:"utf16_files"` // begin with a UTF-16 or UTF-32 byte order mark
	OtherFiles    int64 `json:"other_files"` // other extensions and hidden names
	ArchiveLinks  int64 `json:"archive_links,omitempty"`
	Repeated      int64 `json:"repeated_files"`           // another name of a file already read
	Empty         int64 `json:"empty_documents"`          // documents without a character
	CutDocuments  int64 `json:"cut_documents"`            // documents longer than a part
	ReplacedBytes int64 `json:"replaced_bytes"`           // bytes of invalid UTF-8, each now U+FFFD
	ReplacedDocs  int64 `json:"replaced_documents"`       // documents in which they stood
	KeptDocs      int64 `json:"kept_documents,omitempty"` // documents in which such bytes were kept

	// Documents left out as [Options.Dedup] says.
	Duplicates     int64 `json:"duplicate_documents,omitzero"`      // an earlier one has the same text
	NearDuplicates int64 `json:"near_duplicate_documents,omitzero"` // an earlier one is similar
}

// Skipped is the number of files and lines that were meant to be read but could
// not be.
func (r Report) Skipped() int64 {
	return r.SpecialFiles + r.Unreadable + r.NoColumn + r.CutPages + r.Malformed + r.NoText + r.LongLines + r.Rejected
}

func (r *Report) add(o Report) {
	r.SpecialFiles += o.SpecialFiles
	r.Unreadable += o.Unreadable
	r.NoColumn += o.NoColumn
	r.CutPages += o.CutPages
	r.Malformed += o.Malformed
	r.NoText += o.NoText
	r.LongLines += o.LongLines
	r.Rejected += o.Rejected
	r.UTF16 += o.UTF16
	r.OtherFiles += o.OtherFiles
	r.ArchiveLinks += o.ArchiveLinks
	r.Repeated += o.Repeated
	r.Empty += o.Empty
	r.CutDocuments += o.CutDocuments
	r.ReplacedBytes += o.ReplacedBytes
	r.ReplacedDocs += o.ReplacedDocs
	r.KeptDocs += o.KeptDocs
	r.Duplicates += o.Duplicates
	r.NearDuplicates += o.NearDuplicates
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
	say(r.NoColumn, "skipped %d tables without the text field as a column of strings")
	say(r.CutPages, fmt.Sprintf("skipped the rest of %%d HTML files behind a tag or text longer than %d MiB", maxToken>>20))
	say(r.Malformed, "skipped %d lines that are not JSON objects, or records that do not end")
	say(r.NoText, "skipped %d lines or rows without the text field as a string")
	say(r.LongLines, fmt.Sprintf("skipped %%d lines or values longer than %d MiB", maxLine>>20))
	say(r.Rejected, "skipped %d documents with invalid UTF-8")
	say(r.UTF16, "decoded %d UTF-16 files")
	say(r.OtherFiles, "left out %d files of other kinds")
	say(r.ArchiveLinks, "left out %d links in archives")
	say(r.Repeated, "left out %d further names of the same file")
	say(r.Empty, "left out %d empty documents")
	say(r.Duplicates, "left out %d documents with the text of an earlier one")
	say(r.NearDuplicates, "left out %d documents that are nearly the same as an earlier one")
	say(r.CutDocuments, "cut %d long documents into parts")
	say(r.ReplacedBytes, "replaced %d bytes of invalid UTF-8 by U+FFFD")
	say(r.KeptDocs, "kept invalid UTF-8 in %d documents")
	return lines
}

func (r Report) String() string { return strings.Join(r.Lines(), "; ") }
