package pipeline

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deep values may nest, as in encoding/json.
const maxDepth = 10000

// jsonLine finds one member of a JSON object in a single pass that checks all of
// it and copies only a string with escapes. It accepts what encoding/json does,
// but for bytes of strings that are not UTF-8, which it hands on.
type jsonLine struct {
	b       []byte
	i       int
	nest    []byte // the brackets that are open
	scratch []byte // of the value
	key     []byte // scratch of names
}

// member returns the string under a name; of several, the last. The value is
// valid until the next call.
func (j *jsonLine) member(line []byte, name string) (value []byte, l loss) {
	j.b, j.i, j.nest = line, 0, j.nest[:0]
	j.space()
	if !j.byte('{') {
		return nil, lossMalformed
	}
	l = lossNoText
	for first := true; ; first = false {
		j.space()
		if j.byte('}') {
			if !first {
				return nil, lossMalformed // a comma stood before it
			}
			break
		}
		key, ok := j.str(&j.key)
		j.space()
		if !ok || !j.byte(':') {
			return nil, lossMalformed
		}
		j.space()
		if string(key) != name {
			ok = j.value()
		} else if j.i < len(j.b) && j.b[j.i] == '"' {
			l = lossNone
			value, ok = j.str(&j.scratch)
		} else {
			value, l = nil, lossNoText
			ok = j.value()
		}
		j.space()
		if !ok {
			return nil, lossMalformed
		}
		if j.byte('}') {
			break
		}
		if !j.byte(',') {
			return nil, lossMalformed
		}
	}
	if j.space(); j.i != len(j.b) {
		return nil, lossMalformed
	}
	return value, l
}

func (j *jsonLine) space() {
	for j.i < len(j.b) {
		switch j.b[j.i] {
		case ' ', '\t', '\n', '\r':
			j.i++
		default:
			return
		}
	}
}

func (j *jsonLine) byte(c byte) bool {
	if j.i < len(j.b) && j.b[j.i] == c {
		j.i++
		return true
	}
	return false
}

// value passes over a value of any kind. Its brackets are on a stack of bytes,
// so depth costs a byte a level.
func (j *jsonLine) value() bool {
	j.nest = j.nest[:0]
	for {
		// A value is expected.
		j.space()
		if j.i == len(j.b) {
			return false
		}
		opened := false
		switch c := j.b[j.i]; c {
		case '{', '[':
			if len(j.nest) >= maxDepth-1 { // the line's object is the first level
				return false
			}
			j.i++
			j.nest = append(j.nest, c+2) // the bracket that closes it
			opened = true
		case '"':
			if !j.skipString() {
				return false
			}
		default:
			if !j.literal() {
				return false
			}
		}
		// What may follow it: the end of the values it is in, or another one.
		for more := false; !more; {
			if len(j.nest) == 0 {
				return true
			}
			j.space()
			closing := j.nest[len(j.nest)-1]
			switch {
			case j.byte(closing):
				j.nest = j.nest[:len(j.nest)-1]
				opened = false
				continue
			case !opened && !j.byte(','):
				return false
			}
			opened, more = false, true
			if closing == '}' {
				j.space()
				if !j.skipString() {
					return false
				}
				j.space()
				if !j.byte(':') {
					return false
				}
			}
		}
	}
}

// skipString passes over a string.
func (j *jsonLine) skipString() bool {
	if !j.byte('"') {
		return false
	}
	for j.i < len(j.b) {
		switch c := j.b[j.i]; {
		case c == '"':
			j.i++
			return true
		case c == '\\':
			if n, ok := escape(j.b[j.i:]); !ok {
				return false
			} else {
				j.i += n
			}
		case c < ' ':
			return false
		default:
			j.i++
		}
	}
	return false
}

// escape is the length of the escape that b begins with, and whether it is one.
func escape(b []byte) (int, bool) {
	if len(b) < 2 {
		return 0, false
	}
	if b[1] == 'u' {
		_, ok := hex4(b)
		return 6, ok
	}
	return 2, bytes.IndexByte([]byte(`"\/bfnrt`), b[1]) >= 0
}

// hex4 is the number of the \uXXXX that b begins with.
func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	for _, c := range b[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

var unescaped = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// str reads a string: a part of the line, or, with its escapes resolved, of
// scratch. Halves of surrogate pairs are U+FFFD.
func (j *jsonLine) str(scratch *[]byte) ([]byte, bool) {
	from := j.i + 1
	if !j.skipString() {
		return nil, false
	}
	raw := j.b[from : j.i-1]
	n := bytes.IndexByte(raw, '\\')
	if n < 0 {
		return raw, true
	}
	out := (*scratch)[:0]
	if cap(out) < len(raw) {
		out = make([]byte, 0, len(raw))
	}
	for n >= 0 {
		out, raw = append(out, raw[:n]...), raw[n:]
		if r, ok := hex4(raw); !ok {
			out, raw = append(out, unescaped[raw[1]]), raw[2:]
		} else {
			raw = raw[6:]
			if utf16.IsSurrogate(r) {
				low, ok := hex4(raw)
				if r = utf16.DecodeRune(r, low); ok && r != utf8.RuneError {
					raw = raw[6:]
				}
			}
			out = utf8.AppendRune(out, r)
		}
		n = bytes.IndexByte(raw, '\\')
	}
	*scratch = append(out, raw...)
	return *scratch, true
}

// literal passes over a number, true, false or null.
func (j *jsonLine) literal() bool {
	for _, word := range []string{"true", "false", "null"} {
		if bytes.HasPrefix(j.b[j.i:], []byte(word)) {
			j.i += len(word)
			return true
		}
	}
	j.byte('-')
	if !j.byte('0') && j.digits() == 0 {
		return false
	}
	if j.byte('.') && j.digits() == 0 {
		return false
	}
	if j.byte('e') || j.byte('E') {
		if !j.byte('+') {
			j.byte('-')
		}
		return j.digits() > 0
	}
	return true
}

func (j *jsonLine) digits() (n int) {
	for j.i < len(j.b) && '0' <= j.b[j.i] && j.b[j.i] <= '9' {
		j.i++
		n++
	}
	return n
}
