package pipeline

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// texts turns a piece into the texts of its documents and counts in report what
// was lost or changed on the way.
func texts(p piece, json bool, field string, report *Report) []string {
	if p.lost {
		report.LongLines++
		return nil
	}
	if p.cut {
		report.CutDocuments++
	}
	if len(p.text) == 0 {
		if p.offset == p.start { // else only the line end of a document that was cut
			report.Empty++
		}
		return nil
	}
	text := repair(p.text, report)
	if !json {
		return []string{text}
	}
	text, ok := member(text, field, report)
	if !ok {
		return nil
	}
	if text == "" {
		report.Empty++
		return nil
	}
	if len(text) > PartSize {
		report.CutDocuments++
	}
	var parts []string
	for len(text) > PartSize {
		end := PartSize - cutSearch
		end += cutPoint([]byte(text[end:PartSize]), cutSearch)
		parts, text = append(parts, text[:end]), text[end:]
	}
	return append(parts, text)
}

// repair returns b with every byte that is not part of valid UTF-8 replaced by
// U+FFFD, as decoding it rune by rune does.
func repair(b []byte, report *Report) string {
	if utf8.Valid(b) {
		return string(b)
	}
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

// member is the string that a JSON object has under a name.
func member(line, name string, report *Report) (string, bool) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal([]byte(line), &object); err != nil || object == nil {
		if strings.TrimSpace(line) == "" {
			report.Empty++
		} else {
			report.Malformed++
		}
		return "", false
	}
	var text *string
	if value, ok := object[name]; !ok || json.Unmarshal(value, &text) != nil || text == nil {
		report.NoText++
		return "", false
	}
	return *text, true
}
