package pipeline

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// What becomes of bytes that are not UTF-8.
const (
	InvalidReplace = "replace" // each is U+FFFD
	InvalidKeep    = "keep"    // they stay; the text column is one of bytes then
	InvalidReject  = "reject"  // the document is skipped
)

// extractor turns pieces into the texts of documents.
type extractor struct {
	field   string // of JSON objects
	invalid string
	json    jsonLine
}

// texts calls do for the texts of a piece, of which a long value has several,
// and counts in report what was lost or changed on the way.
func (x *extractor) texts(p piece, report *Report, do func(text string) error) error {
	b := p.text
	if p.form == formJSON && p.loss == lossNone {
		if b = bytes.TrimSpace(b); len(b) > 0 {
			b, p.loss = x.json.member(b, x.field)
		}
	}
	switch {
	case p.loss == lossLong:
		report.LongLines++
	case p.loss == lossMalformed:
		report.Malformed++
	case p.loss == lossNoText:
		report.NoText++
	case len(b) == 0:
		if p.offset == p.start || p.form != formText { // else only the line end of a document that was cut
			report.Empty++
		}
	case x.invalid == InvalidReject && !utf8.Valid(b):
		report.Rejected++
	default:
		if p.cut || p.form != formText && len(b) > PartSize {
			report.CutDocuments++
		}
		for p.form != formText && len(b) > PartSize {
			end := PartSize - cutSearch
			end += cutPoint(b[end:PartSize], cutSearch)
			if err := do(x.decode(b[:end], report)); err != nil {
				return err
			}
			b = b[end:]
		}
		return do(x.decode(b, report))
	}
	return nil
}

// decode returns the text of b, in which there may be anything.
func (x *extractor) decode(b []byte, report *Report) string {
	switch {
	case utf8.Valid(b):
		return string(b)
	case x.invalid == InvalidKeep:
		report.KeptDocs++
		return string(b)
	}
	return repair(b, report)
}

// repair returns b with every byte that is not part of valid UTF-8 replaced by
// U+FFFD, as decoding it rune by rune does.
func repair(b []byte, report *Report) string {
	report.ReplacedDocs++
	var s strings.Builder
	s.Grow(len(b) + len(b)/8)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			report.ReplacedBytes++
			s.WriteRune(utf8.RuneError)
		} else {
			s.Write(b[:n])
		}
		b = b[n:]
	}
	return s.String()
}
