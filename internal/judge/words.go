package judge

import (
	"strings"
	"unicode"
)

// splitWords cuts text into its words: runs of letters and apostrophes, in
// lower case, without apostrophes at either end, which are as often quotation
// marks as part of the word.
func splitWords(text string) []string {
	runs := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return r != '\'' && !unicode.IsLetter(r)
	})
	words := runs[:0]
	for _, run := range runs {
		if w := strings.Trim(run, "'"); w != "" {
			words = append(words, w)
		}
	}
	return words
}

// wholeWords is splitWords without the first and the last word, which the ends
// of a sample may have cut.
func wholeWords(sample string) []string {
	w := splitWords(sample)
	if len(w) < 2 {
		return nil
	}
	return w[1 : len(w)-1]
}

// Words is the vocabulary of a text.
type Words map[string]bool

// NewWords collects the words of text.
func NewWords(text string) Words {
	w := Words{}
	for _, word := range splitWords(text) {
		w[word] = true
	}
	return w
}
