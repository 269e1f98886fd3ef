package tokenize

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"
)

// precompiled is SentencePiece's table of rules for normalization, as Hugging Face
// applies it: where the rules know a prefix of a grapheme cluster shorter than six
// bytes, the whole cluster becomes what the shortest such prefix becomes; otherwise the
// same goes for each of its characters.
type precompiled struct {
	Type     string `json:"type"`
	Charsmap string `json:"precompiled_charsmap"`
	rules    charsmap
	single   *charwise // characters by themselves
	chars    *characters
}

// longCluster is the length in bytes from which a cluster's characters are alone.
const longCluster = 6

func (p *precompiled) compile() error {
	data, err := base64.StdEncoding.DecodeString(p.Charsmap)
	if err == nil {
		p.rules, err = parseCharsmap(data)
	}
	if err != nil {
		return fmt.Errorf("%w: normalizer: precompiled_charsmap: %w", ErrFormat, err)
	}
	p.chars = unicodeCharacters()
	p.single = newCharwise(false, func(dst []rune, r rune) []rune {
		if to, ok := p.rules.lookup(string(r)); ok {
			return append(dst, []rune(to)...)
		}
		return append(dst, r)
	})
	return nil
}

func (p *precompiled) normalize(dst []byte, text string, from *[]span) []byte {
	if from != nil {
		return p.trace(dst, text, from)
	}
	for i := 0; i < len(text); {
		end := i + p.chars.singles(text[i:])
		if end == i {
			if end = i + p.chars.cluster(text[i:]); end-i < longCluster {
				if to, ok := p.rules.lookup(text[i:end]); ok {
					dst = append(dst, to...)
					i = end
					continue
				}
			}
		}
		dst = p.single.normalize(dst, text[i:end], nil)
		i = end
	}
	return dst
}

// trace is normalize with spans.
func (p *precompiled) trace(dst []byte, text string, from *[]span) []byte {
	var list changes
	for i := 0; i < len(text); {
		end := i + p.chars.cluster(text[i:])
		if end-i < longCluster {
			if to, ok := p.rules.lookup(text[i:end]); ok {
				list.replace(text[i:end], to)
				dst = append(dst, to...)
				i = end
				continue
			}
		}
		for i < end {
			n := charLen(text, i)
			if to, ok := p.rules.lookup(text[i : i+n]); ok {
				list.replace(text[i:i+n], to)
				dst = append(dst, to...)
			} else {
				list = append(list, change{size: n})
				dst = append(dst, text[i:i+n]...)
			}
			i += n
		}
	}
	*from = list.spans(*from, text)
	return dst
}

// change is a character of a new text: size bytes for one character of the old text
// and as many more as removed says; or, if removed is negative, for none.
type change struct{ size, removed int }

// changes are how Hugging Face tokenizers counts what a new text stems from.
type changes []change

// replace adds what a part of the old text becomes. Characters that are more stem from
// the one before them; those that are fewer are removed after the last one there is. Where
// there is none, at the beginning of the text, they are not removed, and what follows
// stems from them.
func (c *changes) replace(old, to string) {
	more := utf8.RuneCountInString(to) - utf8.RuneCountInString(old)
	start := len(*c)
	for i := 0; i < len(to); {
		n := charLen(to, i)
		*c = append(*c, change{size: n})
		i += n
	}
	for i := len(*c) - more; i < len(*c) && more > 0; i++ {
		(*c)[max(i, start)].removed = -1
	}
	if more < 0 && len(*c) > 0 {
		(*c)[len(*c)-1].removed -= more
	}
}

func (c changes) spans(from []span, text string) []span {
	var last span
	i := 0
	step := func() {
		if i < len(text) {
			n := charLen(text, i)
			last = span{int32(i), int32(i + n)}
			i += n
		}
	}
	for _, change := range c {
		if change.removed >= 0 {
			step()
		}
		for range change.size {
			from = append(from, last)
		}
		for range change.removed {
			step()
		}
	}
	return from
}

// charsmap is a table of rules: a double array over the bytes of what is replaced, and
// the replacements, each ended by a zero.
type charsmap struct {
	units []uint32
	text  string
}

func parseCharsmap(data []byte) (charsmap, error) {
	if len(data) < 4 {
		return charsmap{}, fmt.Errorf("it has %d bytes, too few for its length", len(data))
	}
	size := binary.LittleEndian.Uint32(data)
	data = data[4:]
	size -= size % 4
	if size == 0 || uint64(size) > uint64(len(data)) {
		return charsmap{}, fmt.Errorf("its trie has %d bytes of the %d that follow", size, len(data))
	}
	c := charsmap{units: make([]uint32, size/4), text: string(data[size:])}
	for i := range c.units {
		c.units[i] = binary.LittleEndian.Uint32(data[4*i:])
	}
	if !utf8.ValidString(c.text) {
		return charsmap{}, fmt.Errorf("its replacements are not UTF-8")
	}
	return c, nil
}

// lookup returns what the shortest prefix of s that has a rule becomes. A unit has the
// byte that leads to it in the low eight bits, whether a rule ends here in the next,
// and the distance to its children in the upper ones, or 31 bits of a position in text.
func (c *charsmap) lookup(s string) (string, bool) {
	at := offset(c.units[0])
	for i := range len(s) {
		if s[i] == 0 {
			break
		}
		at ^= uint32(s[i])
		if int(at) >= len(c.units) {
			break
		}
		unit := c.units[at]
		if unit&(1<<31|0xff) != uint32(s[i]) {
			break
		}
		at ^= offset(unit)
		if unit>>8&1 == 0 {
			continue
		}
		if int(at) >= len(c.units) {
			break
		}
		start := c.units[at] & (1<<31 - 1)
		if int(start) >= len(c.text) || !utf8.RuneStart(c.text[start]) {
			break
		}
		to, _, _ := strings.Cut(c.text[start:], "\x00")
		return to, true
	}
	return "", false
}

// offset is the distance from a unit to its children.
func offset(unit uint32) uint32 { return unit >> 10 << (unit & (1 << 9) >> 6) }
