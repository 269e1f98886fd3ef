package tokenize

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// replaceNormalizer replaces every match of a pattern by a string.
type replaceNormalizer struct {
	Type    string         `json:"type"`
	Pattern replacePattern `json:"pattern"`
	Content string         `json:"content"`
	run     *repeated      // of a Regex
}

type replacePattern struct {
	String *string `json:"String,omitempty"`
	Regex  *string `json:"Regex,omitempty"`
}

func (r *replaceNormalizer) compile() error {
	p := r.Pattern
	switch {
	case (p.String == nil) == (p.Regex == nil):
		return fmt.Errorf("%w: normalizer: Replace must have a pattern that is a String or a Regex", ErrFormat)
	case p.String != nil && *p.String == "":
		return fmt.Errorf("%w: normalizer: Replace of an empty String is not implemented", ErrFormat)
	case p.Regex != nil:
		if strings.Contains(r.Content, "$") {
			return fmt.Errorf("%w: normalizer: Replace by %q, which may name a group, is not implemented", ErrFormat, r.Content)
		}
		var err error
		if r.run, err = parseRepeated(*p.Regex); err != nil {
			return fmt.Errorf("%w: normalizer: Replace: pattern %q is not implemented: %w", ErrFormat, *p.Regex, err)
		}
	}
	return nil
}

func (r *replaceNormalizer) normalize(dst []byte, text string, from *[]span) []byte {
	i := 0
	for i < len(text) {
		start, end := r.match(text, i)
		dst = verbatim(dst, text, i, start, from)
		if start == end {
			break
		}
		// What is inserted stems from the last character that was there.
		_, n := utf8.DecodeLastRuneInString(text[start:end])
		before := len(dst)
		dst = append(dst, r.Content...)
		trace(from, dst, before, span{int32(end - n), int32(end)})
		i = end
	}
	return dst
}

// match returns the first match at text[i] or after it, which is not empty unless there
// is none.
func (r *replaceNormalizer) match(text string, i int) (start, end int) {
	if r.run != nil {
		return r.run.match(text, i)
	}
	if n := strings.Index(text[i:], *r.Pattern.String); n >= 0 {
		return i + n, i + n + len(*r.Pattern.String)
	}
	return len(text), len(text)
}

// repeated is the regular expression of one character or set of them: alone, or at least
// so many times and as often as they follow one another. "[\n\r]", " {2,}", "\s+".
type repeated struct {
	ascii [utf8.RuneSelf]bool
	wide  func(rune) bool
	least int
	most  int
}

func (p *repeated) match(text string, i int) (start, end int) {
	for i < len(text) {
		start, n := i, 0
		for i < len(text) && n < p.most {
			size := p.at(text, i)
			if size == 0 {
				break
			}
			i, n = i+size, n+1
		}
		if n >= p.least {
			return start, i
		}
		if i < len(text) {
			i += charLen(text, i)
		}
	}
	return len(text), len(text)
}

// at returns the length of the character at text[i] if it is one of the set, else 0.
func (p *repeated) at(text string, i int) int {
	if b := text[i]; b < utf8.RuneSelf {
		if p.ascii[b] {
			return 1
		}
		return 0
	}
	r, n := utf8.DecodeRuneInString(text[i:])
	if r == utf8.RuneError && n == 1 || !p.wide(r) {
		return 0
	}
	return n
}

func parseRepeated(pattern string) (*repeated, error) {
	set, rest, err := parseSet(pattern)
	if err != nil {
		return nil, err
	}
	p := &repeated{least: 1, most: math.MaxInt, wide: set}
	for b := range p.ascii {
		p.ascii[b] = set(rune(b))
	}
	switch {
	case rest == "":
		p.most = 1
	case rest == "+":
	case strings.HasPrefix(rest, "{") && strings.HasSuffix(rest, ",}"):
		if p.least, err = strconv.Atoi(rest[1 : len(rest)-2]); err != nil || p.least < 1 {
			return nil, fmt.Errorf("a count of %q", rest)
		}
	default:
		return nil, fmt.Errorf("%q after a character; known are + and {N,}", rest)
	}
	return p, nil
}

// parseSet reads the set of characters that a pattern begins with: a character, an
// escape or a bracketed list of both.
func parseSet(pattern string) (set func(rune) bool, rest string, err error) {
	if !strings.HasPrefix(pattern, "[") {
		return parseAtom(pattern, `.^$*+?()[]{}|`)
	}
	rest = pattern[1:]
	var all []func(rune) bool
	for !strings.HasPrefix(rest, "]") {
		var one func(rune) bool
		if one, rest, err = parseAtom(rest, `^-[]&`); err != nil {
			return nil, "", err
		}
		all = append(all, one)
	}
	if len(all) == 0 {
		return nil, "", errors.New("an empty set")
	}
	return func(r rune) bool {
		for _, one := range all {
			if one(r) {
				return true
			}
		}
		return false
	}, rest[1:], nil
}

// parseAtom reads a character that is not one of special, or an escape.
func parseAtom(pattern, special string) (set func(rune) bool, rest string, err error) {
	r, n := utf8.DecodeRuneInString(pattern)
	if n == 0 {
		return nil, "", errors.New("it ends where a character is wanted")
	}
	rest = pattern[n:]
	switch {
	case r != '\\' && strings.ContainsRune(special, r):
		return nil, "", fmt.Errorf("%q", r)
	case r != '\\':
	case rest == "":
		return nil, "", errors.New("it ends with a backslash")
	default:
		switch e := rest[0]; e {
		case 's':
			return isSpace, rest[1:], nil
		case 'p':
			if after, ok := strings.CutPrefix(rest, "p{Zs}"); ok {
				return isSeparator, after, nil
			}
			return nil, "", errors.New(`the escape \p of another class than Zs`)
		case 'u':
			if len(rest) < 5 {
				return nil, "", errors.New(`the escape \u`)
			}
			c, err := strconv.ParseUint(rest[1:5], 16, 16)
			if err != nil {
				return nil, "", errors.New(`the escape \u`)
			}
			r, rest = rune(c), rest[4:]
		case 'n':
			r = '\n'
		case 'r':
			r = '\r'
		case 't':
			r = '\t'
		default:
			if e >= utf8.RuneSelf || '0' <= e && e <= '9' || 'a' <= e|0x20 && e|0x20 <= 'z' {
				return nil, "", fmt.Errorf("the escape \\%c", e)
			}
			r = rune(e)
		}
		rest = rest[1:]
	}
	return func(c rune) bool { return c == r }, rest, nil
}

func isSpace(r rune) bool { return unicodeClasses().of(r)&space != 0 }

// isSeparator is \p{Zs}: white space that does not end a line and is no control character.
func isSeparator(r rune) bool {
	return isSpace(r) && (r < '\t' || r > '\r') && r != 0x85 && r != 0x2028 && r != 0x2029
}
