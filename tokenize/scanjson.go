package tokenize

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// jsonScanner reads JSON from the front. It is for the parts of a file that are
// large, vocabularies and merges, where encoding/json would take seconds; the rest
// it hands on. The first error stays and makes all that follows empty.
type jsonScanner struct {
	data []byte
	pos  int
	err  error
	key  []byte // buffer of strings with escapes
}

func (j *jsonScanner) fail(format string, args ...any) {
	if j.err == nil {
		j.err = fmt.Errorf("at byte %d: %w", j.pos, fmt.Errorf(format, args...))
	}
	j.pos = len(j.data)
}

// peek returns the next byte that is not white space, 0 at the end.
func (j *jsonScanner) peek() byte {
	for ; j.pos < len(j.data); j.pos++ {
		switch b := j.data[j.pos]; b {
		case ' ', '\n', '\r', '\t':
		default:
			return b
		}
	}
	return 0
}

// take consumes the byte b.
func (j *jsonScanner) take(b byte) bool {
	if got := j.peek(); got != b {
		if got == 0 {
			j.fail("unexpected end of the file")
		} else {
			j.fail("%q instead of %q", got, b)
		}
		return false
	}
	j.pos++
	return true
}

// members calls each for every member of an object; it must read the value.
func (j *jsonScanner) members(each func(key string)) {
	j.list('{', '}', func() {
		if key, ok := j.text(); ok && j.take(':') {
			each(string(key))
		}
	})
}

// list calls each for every element between two brackets; it must read the element.
func (j *jsonScanner) list(open, end byte, each func()) {
	if !j.take(open) {
		return
	}
	if j.peek() == end {
		j.pos++
		return
	}
	for j.err == nil {
		each()
		if j.err != nil {
			return
		}
		if j.peek() == end {
			j.pos++
			return
		}
		j.take(',')
	}
}

// text reads a string. The bytes are good until the next call.
func (j *jsonScanner) text() ([]byte, bool) {
	if !j.take('"') {
		return nil, false
	}
	start := j.pos
	for i := start; i < len(j.data); i++ {
		switch b := j.data[i]; {
		case b == '"':
			j.pos = i + 1
			if s := j.data[start:i]; utf8.Valid(s) {
				return s, true
			}
			j.fail("a string is not UTF-8")
			return nil, false
		case b == '\\':
			return j.escaped(start, i)
		case b < ' ':
			j.pos = i
			j.fail("a control character in a string")
			return nil, false
		}
	}
	j.fail("unexpected end of the file")
	return nil, false
}

// escaped finishes a string that has a backslash at i.
func (j *jsonScanner) escaped(start, i int) ([]byte, bool) {
	for i < len(j.data) && j.data[i] != '"' {
		if j.data[i] == '\\' {
			i++
		}
		i++
	}
	if i >= len(j.data) {
		j.fail("unexpected end of the file")
		return nil, false
	}
	j.pos = i + 1
	var s string
	if err := json.Unmarshal(j.data[start-1:j.pos], &s); err != nil {
		j.fail("%v", err)
		return nil, false
	}
	j.key = append(j.key[:0], s...)
	return j.key, true
}

// id reads a token id: a number from 0 to below maxVocab.
func (j *jsonScanner) id() int32 {
	j.peek()
	start, n := j.pos, 0
	for ; j.pos < len(j.data) && '0' <= j.data[j.pos] && j.data[j.pos] <= '9'; j.pos++ {
		if n = 10*n + int(j.data[j.pos]-'0'); n >= maxVocab {
			break
		}
	}
	if n >= maxVocab || j.pos == start {
		end := min(start+20, len(j.data))
		j.fail("%q is not a token id from 0 to %d", j.data[start:end], maxVocab-1)
	}
	return int32(n)
}

// maxDepth bounds how deep values may be nested: parts within parts are read once for
// each level.
const maxDepth = 64

// raw reads a value of any kind and returns its bytes. They are checked only as far
// as brackets and strings go.
func (j *jsonScanner) raw() json.RawMessage {
	j.peek()
	start, depth := j.pos, 0
	for j.err == nil && j.pos < len(j.data) {
		switch j.data[j.pos] {
		case '"':
			j.skipText()
			if depth == 0 {
				return j.data[start:j.pos]
			}
			continue
		case '{', '[':
			if depth++; depth > maxDepth {
				j.fail("more than %d brackets within one another", maxDepth)
				return nil
			}
		case '}', ']':
			if depth == 0 {
				return j.data[start:j.pos]
			}
			if depth--; depth == 0 {
				j.pos++
				return j.data[start:j.pos]
			}
		case ',', ' ', '\n', '\r', '\t':
			if depth == 0 {
				return j.data[start:j.pos]
			}
		}
		j.pos++
	}
	j.fail("unexpected end of the file")
	return nil
}

// skipText passes over a string.
func (j *jsonScanner) skipText() {
	i := j.pos + 1
	for i < len(j.data) {
		n := bytes.IndexByte(j.data[i:], '"')
		if n < 0 {
			break
		}
		i += n + 1
		slashes := 0
		for j.data[i-2-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			j.pos = i
			return
		}
	}
	j.fail("unexpected end of the file")
}

// end checks that nothing follows and returns the first error.
func (j *jsonScanner) end() error {
	if j.err == nil && j.peek() != 0 {
		j.err = errors.New("something follows the end of the file")
	}
	return j.err
}
