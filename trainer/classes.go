package trainer

import (
	"cmp"
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/seed-4c77ef92/textwarp/pipeline"
	"github.com/seed-4c77ef92/textwarp/tokenize"
)

// The classes. Each group divides the tokens anew: "frequency" into tenths of
// the held-out text, from the common ones to the rare, "kind" by what they are
// made of, and "place" those with letters by their place in a word.
const (
	frequencyClasses = 10
	kindLetters      = frequencyClasses + iota - 1
	kindDigits
	kindPunctuation
	kindSpace
	kindOther
	placeBegins
	placeWithin
	numClasses
)

// className is a class's group and name.
func className(class int) (group, name string) {
	if class < frequencyClasses {
		return "frequency", fmt.Sprint(class + 1)
	}
	name = [...]string{"letters", "digits", "punctuation", "space", "other", "begins a word", "within a word"}[class-frequencyClasses]
	if class < placeBegins {
		return "kind", name
	}
	return "place", name
}

// Classes tell tokens apart, so that one sees which of them a model still
// confuses. A token is in a class of every group or, where it has no place in
// one, in none of that group.
type Classes struct {
	kind  []tokenKind // of every token
	tenth []int       // of every token
}

// tokenKind is what a token looks like as text.
type tokenKind struct {
	class  int
	inside bool // letters follow something else: a word begins inside it
	begins bool // with a letter
	ends   bool // with a letter
}

// NewClasses counts the tokens of the first windows of a stream, each of length
// tokens, which [Evaluation] looks at: a tenth of the
// text belongs to the fewest, most common tokens, and so on. Where one token
// alone has several tenths, there are fewer classes.
func NewClasses(tok *tokenize.Tokenizer, s *pipeline.Stream, length, windows int) (*Classes, error) {
	c := &Classes{kind: make([]tokenKind, tok.VocabSize()), tenth: make([]int, tok.VocabSize())}
	for id := range c.kind {
		c.kind[id] = kindOf(tok.Decode(nil, []int32{int32(id)}))
	}

	counts := make([]int, tok.VocabSize())
	order := make([]int, tok.VocabSize())
	for id := range order {
		order[id] = id
	}
	ids := make([]int32, length)
	total := 0
	for i := range min(windows, s.Windows()) {
		if err := s.Window(ids, 0, i); err != nil {
			return nil, err
		}
		for _, id := range ids {
			counts[id]++
			total++
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(counts[b], counts[a]) })
	before := 0
	for _, id := range order {
		c.tenth[id] = min(before*frequencyClasses/max(1, total), frequencyClasses-1)
		before += counts[id]
	}
	return c, nil
}

// kindOf looks at the text of a token.
func kindOf(text []byte) tokenKind {
	k := tokenKind{class: kindOther}
	var letters, digits, spaces, marks int
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		letter := unicode.IsLetter(r)
		switch {
		case letter:
			k.begins = k.begins || i == 0
			k.inside = k.inside || i > 0 && letters == 0
			letters++
		case unicode.IsDigit(r):
			digits++
		case unicode.IsSpace(r):
			spaces++
		case r == utf8.RuneError: // a part of a character
		case unicode.IsPunct(r) || unicode.IsSymbol(r):
			marks++
		}
		k.ends = letter
		i += n
	}
	switch {
	case letters > 0:
		k.class = kindLetters
	case digits > 0:
		k.class = kindDigits
	case marks > 0:
		k.class = kindPunctuation
	case spaces > 0:
		k.class = kindSpace
	}
	return k
}

// of lists the classes of the token at position i of a window.
func (c *Classes) of(ids []int32, i int) (in [3]int, n int) {
	k := c.kind[ids[i]]
	in[0], in[1] = c.tenth[ids[i]], k.class
	switch {
	case k.inside:
		in[2] = placeBegins
	case !k.begins || i == 0: // no letters, or nobody knows what was before
		return in, 2
	case c.kind[ids[i-1]].ends:
		in[2] = placeWithin
	default:
		in[2] = placeBegins
	}
	return in, 3
}

// tally collects losses by class at some levels; that of no classes does nothing.
type tally struct {
	*Classes
	windows [][][]mean // by class and level
}

func (c *Classes) tally(levels int) *tally {
	t := &tally{Classes: c, windows: make([][][]mean, numClasses)}
	for k := range t.windows {
		t.windows[k] = make([][]mean, levels)
	}
	return t
}

// add takes in the losses of a window at a level; m says which positions count,
// all of them if it is nil.
func (t *tally) add(level int, ids []int32, losses, m []float32) {
	if t.Classes == nil {
		return
	}
	var sums [numClasses]mean
	for i, v := range losses {
		if m != nil && m[i] == 0 {
			continue
		}
		in, n := t.of(ids, i)
		for _, k := range in[:n] {
			sums[k].add(v)
		}
	}
	for k, s := range sums {
		if s.n > 0 {
			t.windows[k][level] = append(t.windows[k][level], s)
		}
	}
}

// losses are those of all classes that have tokens.
func (t *tally) losses() []ClassLoss {
	if t.Classes == nil {
		return nil
	}
	var out []ClassLoss
	for k, levels := range t.windows {
		if len(levels[0]) == 0 {
			continue
		}
		var l ClassLoss
		l.Group, l.Name = className(k)
		for _, w := range levels[0] {
			l.Tokens += int(w.n)
		}
		for _, windows := range levels {
			ce, se := ratio(windows)
			l.CE, l.SE = append(l.CE, ce), append(l.SE, se)
		}
		out = append(out, l)
	}
	return out
}
