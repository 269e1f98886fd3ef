package generate

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/tokenize"
)

// Constraints are what a text is asked for, in words.
type Constraints struct {
	Contain, Avoid []string // whole words, or texts that begin and end with whole words
	Starts, Ends   string   // the text itself, to the letter
}

// Constraint is one of them.
type Constraint struct {
	Kind string `json:"kind"` // contain, avoid, starts or ends
	Text string `json:"text"`
}

// List is all of them, one by one.
func (c Constraints) List() []Constraint {
	var out []Constraint
	for _, w := range c.Contain {
		out = append(out, Constraint{"contain", w})
	}
	for _, w := range c.Avoid {
		out = append(out, Constraint{"avoid", w})
	}
	if c.Starts != "" {
		out = append(out, Constraint{"starts", c.Starts})
	}
	if c.Ends != "" {
		out = append(out, Constraint{"ends", c.Ends})
	}
	return out
}

// Met tells whether a text does what is asked, as its reader sees it and not by
// its tokens.
func (c Constraint) Met(text string) bool {
	switch c.Kind {
	case "contain":
		return contains(text, c.Text)
	case "avoid":
		return !contains(text, c.Text)
	case "starts":
		return strings.HasPrefix(text, c.Text)
	default:
		return strings.HasSuffix(text, c.Text)
	}
}

// Met tells whether a text does all that is asked.
func (c Constraints) Met(text string) bool {
	return !slices.ContainsFunc(c.List(), func(k Constraint) bool { return !k.Met(text) })
}

// Defaults of [Constraints.Control], chosen by bench/control.
const (
	ControlStrength = 1
	ControlSettle   = .5
)

// Control is what makes a sampler keep to the constraints, on a canvas that has
// the start and the end (see [Between]); nil if that alone does.
func (c Constraints) Control(tok *tokenize.Tokenizer, strength, settle float64) (*diffusion.Control, error) {
	if len(c.Contain)+len(c.Avoid) == 0 {
		return nil, nil
	}
	control := &diffusion.Control{Strength: strength, Settle: settle}
	l := newLexicon(tok)
	for i, w := range slices.Concat(c.Contain, c.Avoid) {
		phrases, err := l.phrases(w)
		if err != nil {
			return nil, err
		}
		control.Wishes = append(control.Wishes, diffusion.Wish{Phrases: phrases, Not: i >= len(c.Contain)})
	}
	return control, control.Validate()
}

// contains tells whether a word stands in a text with no letter or digit beside
// it that would make it another word.
func contains(text, word string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return false
		}
		before, after := text[:from+i], text[from+i+len(word):]
		if !(endsInWord(before) && beginsInWord(word)) && !(beginsInWord(after) && endsInWord(word)) {
			return true
		}
		_, size := utf8.DecodeRuneInString(text[from+i:])
		from += i + size
	}
}

func beginsInWord(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

func endsInWord(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

// lexicon knows which tokens would make a word beside them another one.
type lexicon struct {
	tok            *tokenize.Tokenizer
	begins, ending []int32 // tokens that begin, and that end, with a letter
}

func newLexicon(tok *tokenize.Tokenizer) *lexicon {
	l := &lexicon{tok: tok}
	for id := range int32(tok.VocabSize()) {
		if id == tok.EOS() {
			continue // ends whatever stands before it
		}
		// What reads as nothing may have a letter behind it.
		text := string(tok.Decode(nil, []int32{id}))
		if text == "" || beginsInWord(text) {
			l.begins = append(l.begins, id)
		}
		if text == "" || endsInWord(text) {
			l.ending = append(l.ending, id)
		}
	}
	return l
}

// phrases are the token sequences that read as a word: as it is tokenised at the
// beginning of a line, and behind a space.
func (l *lexicon) phrases(word string) ([]diffusion.Phrase, error) {
	if strings.TrimSpace(word) == "" {
		return nil, fmt.Errorf("look up word: %q is blank", word)
	}
	bare := diffusion.Phrase{Tokens: l.tok.Encode(nil, word)}
	if slices.Contains(bare.Tokens, l.tok.UNK()) {
		return nil, fmt.Errorf("look up word: %q has a character that this model's vocabulary lacks", word)
	}
	if beginsInWord(word) {
		bare.NotBefore = l.ending
	}
	if endsInWord(word) {
		bare.NotAfter = l.begins
	}
	phrases := []diffusion.Phrase{bare}
	spaced := diffusion.Phrase{Tokens: l.tok.Encode(nil, " "+word), NotAfter: bare.NotAfter}
	apart := slices.Concat(l.tok.Encode(nil, " "), bare.Tokens)
	if !slices.Equal(spaced.Tokens, bare.Tokens) && !slices.Equal(spaced.Tokens, apart) {
		phrases = append(phrases, spaced)
	}
	return phrases, nil
}
