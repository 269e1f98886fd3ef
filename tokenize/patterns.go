package tokenize

import (
	"strings"
	"unicode/utf8"
)

// A matcher returns the end of the match of a pattern that begins at s[i], or i if
// none does. What is before i does not matter to any of the patterns.
type matcher func(c *classes, s string, i int) int

// A wordPattern is what a text is split by: a regular expression as files have it,
// compiled by hand, or a string.
type wordPattern struct {
	match matcher
	whole bool // whether there is a match wherever there is a character
	// skip, if not nil, returns the first place in s at i or after it where a match may
	// begin: what match need not look at.
	skip matcher
}

// wordPatterns are the expressions that are known, by their text.
var wordPatterns = map[string]wordPattern{
	`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`: {match: matchGPT2, whole: true},

	`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`:                              {match: matchLlama3, whole: true},
	`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`:                                   {match: matchQwen, whole: true},
	`(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`: {match: matchLlama3ASCII, whole: true},

	`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`: {match: matchO200k, whole: true},

	"[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+":       {match: matchDeepSeek},
	"[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+": {match: matchDeepSeek},
	`[一-龥぀-ゟ゠-ヿ]+`: {match: matchKanaHan, skip: skipToKana},

	`\p{N}{1,3}`: {match: matchNumbers3, skip: skipToNumber},
	`\p{N}`:      {match: matchNumber, skip: skipToNumber},
	`\s+`:        {match: matchSpace, skip: matchNoSpace},
	`\S+`:        {match: matchNoSpace, skip: matchSpace},
	anyCharacter: {match: matchAny, whole: true},
}

// anyCharacter is the pattern that puts each character by itself.
const anyCharacter = `[\s\S]`

// literal is the pattern that is a string.
func literal(text string) wordPattern {
	return wordPattern{
		match: func(_ *classes, s string, i int) int {
			if strings.HasPrefix(s[i:], text) {
				return i + len(text)
			}
			return i
		},
		skip: func(_ *classes, s string, i int) int {
			if k := strings.Index(s[i:], text); k >= 0 {
				return i + k
			}
			return len(s)
		},
	}
}

func matchSpace(c *classes, s string, i int) int { return c.run(s, i, space) }

func matchNoSpace(c *classes, s string, i int) int { return c.runNot(s, i, space) }

// matchAny is a character. A byte that is not UTF-8 counts as one.
func matchAny(_ *classes, s string, i int) int {
	if s[i] < utf8.RuneSelf {
		return i + 1
	}
	_, n := utf8.DecodeRuneInString(s[i:])
	return i + n
}

func matchNumber(c *classes, s string, i int) int { return c.numbers(s, i, 1) }

func matchNumbers3(c *classes, s string, i int) int { return c.numbers(s, i, 3) }

func skipToNumber(c *classes, s string, i int) int { return c.runNot(s, i, number) }

// numbers is \p{N}{1,most}.
func (c *classes) numbers(s string, i, most int) int {
	for ; most > 0 && i < len(s); most-- {
		k, n := c.at(s, i)
		if k&number == 0 {
			break
		}
		i += n
	}
	return i
}

// matchGPT2 is Radford et al. 2019, encoder.py.
func matchGPT2(c *classes, s string, i int) int {
	if s[i] == '\'' {
		if n := contraction(s, i, false); n > 0 {
			return i + n
		}
	}
	first := i
	k, n := c.at(s, i)
	if s[i] == ' ' && i+1 < len(s) {
		if next, m := c.at(s, i+1); next&space == 0 {
			k, n, first = next, m, i+1
		}
	}
	switch {
	case k&letter != 0:
		return c.run(s, first+n, letter)
	case k&number != 0:
		return c.run(s, first+n, number)
	case k&space == 0:
		return c.runNot(s, first+n, letter|number|space)
	}
	return c.blank(s, i, false)
}

func matchLlama3(c *classes, s string, i int) int { return c.llama3(s, i, 3, contraction(s, i, true)) }

func matchQwen(c *classes, s string, i int) int { return c.llama3(s, i, 1, contraction(s, i, true)) }

// matchLlama3ASCII has the contractions spelled out, without U+017F.
func matchLlama3ASCII(c *classes, s string, i int) int {
	n := contraction(s, i, true)
	if n == 3 && s[i+1] >= utf8.RuneSelf {
		n = 0
	}
	return c.llama3(s, i, 3, n)
}

// llama3 is the pattern of cl100k_base and Llama 3 but for the contraction, whose
// length it is given, and with at most so many digits in a number.
func (c *classes) llama3(s string, i, digits, contraction int) int {
	if contraction > 0 {
		return i + contraction
	}
	k, n := c.at(s, i)
	switch {
	case k&letter != 0:
		return c.run(s, i+n, letter)
	case k&number != 0:
		return c.numbers(s, i, digits)
	}
	next, m := class(space), 0 // of the character after the first
	if i+n < len(s) {
		next, m = c.at(s, i+n)
	}
	if next&letter != 0 && s[i] != '\r' && s[i] != '\n' {
		return c.run(s, i+n+m, letter)
	}
	if end := c.symbols(s, i, k, n, next, m); end > i {
		return lineEnds(s, end)
	}
	return c.blank(s, i, true)
}

// symbols is ` ?[^\s\p{L}\p{N}]+` at s[i], where k and n are of the first character,
// next and m of the second.
func (c *classes) symbols(s string, i int, k class, n int, next class, m int) int {
	const not = letter | number | space
	if k&not == 0 {
		return c.runNot(s, i+n, not)
	}
	if s[i] == ' ' && next&not == 0 {
		return c.runNot(s, i+n+m, not)
	}
	return i
}

// matchO200k is the pattern of o200k_base, GPT-4o's: words change at the step from
// lower to upper case, and contractions belong to the word before them.
func matchO200k(c *classes, s string, i int) int {
	k, n := c.at(s, i)
	if k&number != 0 {
		return c.numbers(s, i, 3)
	}
	end := i
	if k&letter != 0 {
		if end = c.lowerWord(s, i); end == i {
			end = c.run(s, i, upper|mark)
		}
	} else {
		// A first character that is no letter may be a mark, which can be part of a word.
		prefixed := i + n
		if s[i] == '\r' || s[i] == '\n' {
			prefixed = len(s)
		}
		if e := c.lowerWord(s, prefixed); e > prefixed {
			end = e
		} else if e := c.lowerWord(s, i); e > i {
			end = e
		} else if e := c.run(s, prefixed, upper|mark); e > prefixed {
			end = e
		} else {
			end = c.run(s, i, upper|mark)
		}
	}
	if end > i {
		return end + contraction(s, end, true)
	}
	next, m := class(space), 0
	if i+n < len(s) {
		next, m = c.at(s, i+n)
	}
	if end := c.symbols(s, i, k, n, next, m); end > i {
		for end < len(s) && (s[end] == '\n' || s[end] == '\r' || s[end] == '/') {
			end++
		}
		return end
	}
	return c.blank(s, i, true)
}

// lowerWord is [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+ at s[i].
func (c *classes) lowerWord(s string, i int) int {
	last := i // the end of the last character that both sets have
	for i < len(s) {
		k, n := c.at(s, i)
		if k&(upper|mark) == 0 {
			break
		}
		i += n
		if k&(lower|mark) != 0 {
			last = i
		}
	}
	if end := c.run(s, i, lower|mark); end > i {
		return end
	}
	return last
}

// matchDeepSeek is the last of DeepSeek-V3's patterns, for what the ones before it
// left: it has no number.
func matchDeepSeek(c *classes, s string, i int) int {
	k, n := c.at(s, i)
	if isASCIIPunct(s[i]) {
		if end := asciiLetters(s, i+1); end > i+1 {
			return end
		}
	}
	if k&(letter|mark) != 0 {
		return c.run(s, i+n, letter|mark)
	}
	next, m := class(0), 0
	if i+n < len(s) {
		next, m = c.at(s, i+n)
	}
	if k&(punct|symbol) == 0 && next&(letter|mark) != 0 && s[i] != '\r' && s[i] != '\n' {
		return c.run(s, i+n+m, letter|mark)
	}
	if k&(punct|symbol) != 0 {
		return lineEnds(s, c.run(s, i+n, punct|symbol))
	}
	if s[i] == ' ' && next&(punct|symbol) != 0 {
		return lineEnds(s, c.run(s, i+n+m, punct|symbol))
	}
	if k&space != 0 {
		return c.blank(s, i, true)
	}
	return i
}

func isASCIIPunct(b byte) bool {
	return '!' <= b && b <= '/' || ':' <= b && b <= '@' || '[' <= b && b <= '`' || '{' <= b && b <= '~'
}

func asciiLetters(s string, i int) int {
	for i < len(s) && 'a' <= s[i]|0x20 && s[i]|0x20 <= 'z' {
		i++
	}
	return i
}

// skipToKana skips what begins with a byte below that of U+3000.
func skipToKana(_ *classes, s string, i int) int {
	for i < len(s) && s[i] < 0xe3 {
		i++
	}
	return i
}

// matchKanaHan is a run of Hiragana, Katakana and the first block of Han.
func matchKanaHan(_ *classes, s string, i int) int {
	for i < len(s) && s[i] >= utf8.RuneSelf {
		r, n := utf8.DecodeRuneInString(s[i:])
		if !(0x4e00 <= r && r <= 0x9fa5 || 0x3040 <= r && r <= 0x30ff) {
			break
		}
		i += n
	}
	return i
}

// word returns the length of the first of GPT-2's words in s, which is not empty. The
// words of a text, one after the other, are the whole text.
func (c *classes) word(s string) int { return matchGPT2(c, s, 0) }
