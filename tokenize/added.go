package tokenize

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// addedToken is a token that is found in the text before anything else is done to it.
type addedToken struct {
	ID         int32  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
}

// added are the added tokens of a file.
type added struct {
	list   []addedToken     // by id
	byID   map[int32]string // what each is when decoded: its content, normalized if so asked
	byName map[string]int32
	raw    finder // of those to be found in the text as it is
	normal finder // of those to be found in the normalized text
}

// newAdded checks that the tokens have the ids that Hugging Face tokenizers would give
// them: those of the vocabulary or, if it has none, the next after its end.
func newAdded(list []addedToken, v *vocabulary, n normalizer) (*added, error) {
	a := &added{byID: map[int32]string{}, byName: map[string]int32{}}
	next := int32(v.n)
	for _, t := range list {
		want := v.id(t.Content)
		if want < 0 {
			want = next
			next++
		}
		switch _, again := a.byName[t.Content]; {
		case t.Content == "":
			return nil, fmt.Errorf("%w: added token %d is empty", ErrFormat, t.ID)
		case again:
			return nil, fmt.Errorf("%w: added token %q is there twice", ErrFormat, t.Content)
		case !utf8.ValidString(t.Content):
			return nil, fmt.Errorf("%w: added token %d is not UTF-8", ErrFormat, t.ID)
		case t.ID != want:
			return nil, fmt.Errorf("%w: added token %q has id %d, but the vocabulary makes it %d", ErrFormat, t.Content, t.ID, want)
		case t.ID >= maxVocab:
			return nil, fmt.Errorf("%w: added token %q has id %d, more than %d", ErrFormat, t.Content, t.ID, maxVocab-1)
		}
		a.byName[t.Content] = t.ID
		a.byID[t.ID] = t.Content
		a.list = append(a.list, t)
	}
	slices.SortFunc(a.list, func(a, b addedToken) int { return cmp.Compare(a.ID, b.ID) })
	for i := range a.list {
		t := &a.list[i]
		text := t.Content
		if t.Normalized && n != nil {
			text = string(n.normalize(nil, text, nil))
			a.byID[t.ID] = text
		}
		if f := a.finder(t.Normalized); text != "" {
			f.add(text, t)
		}
	}
	a.raw.build()
	a.normal.build()
	return a, nil
}

func (a *added) finder(normalized bool) *finder {
	if normalized {
		return &a.normal
	}
	return &a.raw
}

// special reports whether a token's text is that of a special token.
func (a *added) special(text string) bool {
	id, ok := a.byName[text]
	if !ok {
		return false
	}
	i, _ := slices.BinarySearchFunc(a.list, id, func(t addedToken, id int32) int { return cmp.Compare(t.ID, id) })
	return a.list[i].Special
}

// finder finds the leftmost of some strings in a text and, of those that begin there,
// the longest.
type finder struct {
	texts   []string // sorted
	tokens  []*addedToken
	pairs   [1 << 16 / 64]uint64 // the first two bytes that there are
	begin   [256]bool            // the first bytes
	only    int                  // the only first byte, or -1
	regular bool                 // whether some token is not special
}

func (f *finder) add(text string, t *addedToken) {
	f.texts = append(f.texts, text)
	f.tokens = append(f.tokens, t)
}

// Len, Less and Swap sort the texts with their tokens.
func (f *finder) Len() int           { return len(f.texts) }
func (f *finder) Less(i, k int) bool { return f.texts[i] < f.texts[k] }
func (f *finder) Swap(i, k int) {
	f.texts[i], f.texts[k] = f.texts[k], f.texts[i]
	f.tokens[i], f.tokens[k] = f.tokens[k], f.tokens[i]
}

// build prepares the search. Of two tokens with one text the first counts.
func (f *finder) build() {
	sort.Stable(f)
	f.only = -1
	for i, text := range f.texts {
		b := text[0]
		if i == 0 {
			f.only = int(b)
		} else if f.only != int(b) {
			f.only = -1
		}
		f.begin[b] = true
		f.regular = f.regular || !f.tokens[i].Special
		if len(text) > 1 {
			f.mark(b, text[1])
			continue
		}
		for c := range 256 {
			f.mark(b, byte(c))
		}
	}
}

func (f *finder) mark(a, b byte) {
	k := uint(a)<<8 | uint(b)
	f.pairs[k/64] |= 1 << (k % 64)
}

// find returns the first match in s at i or after it; t is nil if there is none.
func (f *finder) find(s string, i int) (start, end int, t *addedToken) {
	for i < len(s) {
		if f.only >= 0 {
			k := strings.IndexByte(s[i:], byte(f.only))
			if k < 0 {
				break
			}
			i += k
		} else {
			for i < len(s) && !f.begin[s[i]] {
				i++
			}
			if i == len(s) {
				break
			}
		}
		if i+1 < len(s) {
			if k := uint(s[i])<<8 | uint(s[i+1]); f.pairs[k/64]>>(k%64)&1 == 0 {
				i++
				continue
			}
		}
		if end, t := f.longest(s, i); t != nil {
			return i, end, t
		}
		i++
	}
	return len(s), len(s), nil
}

// longest returns the longest match that begins at s[i]: the texts that agree with s so
// far are a range of the sorted list, the shortest of them first.
func (f *finder) longest(s string, i int) (end int, t *addedToken) {
	low, high := 0, len(f.texts)
	for depth := 0; low < high; depth++ {
		if len(f.texts[low]) == depth {
			end, t = i+depth, f.tokens[low]
			for low < high && len(f.texts[low]) == depth {
				low++
			}
		}
		if low == high || i+depth == len(s) {
			break
		}
		b := s[i+depth]
		rest := f.texts[low:high]
		first, _ := slices.BinarySearchFunc(rest, b, func(x string, b byte) int { return cmp.Compare(x[depth], b) })
		after, _ := slices.BinarySearchFunc(rest, int(b)+1, func(x string, b int) int { return cmp.Compare(int(x[depth]), b) })
		low, high = low+first, low+after
	}
	return end, t
}

// found is an added token in a text.
type found struct {
	*addedToken
	start, end int // with the white space that it takes
	resume     int // where to look for the next
}

// match finds the first added token in s at i or after it; done is the end of the one
// before. The text of special tokens counts only if so asked.
func (f *finder) match(s string, i, done int, special bool) (m found, ok bool) {
	if !special && !f.regular {
		return m, false
	}
	c := unicodeClasses()
	for {
		m.start, m.end, m.addedToken = f.find(s, i)
		if m.addedToken == nil {
			return m, false
		}
		i, m.resume = m.end, m.end
		if m.Special && !special || m.SingleWord && (wordBefore(c, s, m.start) || wordAfter(c, s, m.end)) {
			continue
		}
		if m.LStrip {
			for m.start > done {
				r, n := utf8.DecodeLastRuneInString(s[:m.start])
				if c.of(r)&space == 0 {
					break
				}
				m.start -= n
			}
			m.start = max(m.start, done)
		}
		if m.RStrip {
			m.end = c.run(s, m.end, space)
		}
		return m, true
	}
}

func wordBefore(c *classes, s string, i int) bool {
	r, n := utf8.DecodeLastRuneInString(s[:i])
	return n > 0 && (n > 1 || r != utf8.RuneError) && c.of(r)&wordChar != 0
}

func wordAfter(c *classes, s string, i int) bool {
	if i == len(s) {
		return false
	}
	k, _ := c.at(s, i)
	return k&wordChar != 0
}
