package tokenize

import (
	"sync"
	"unicode/utf8"
)

// byteAlphabet returns the printable character that stands for each byte in a
// byte-level tokenizer.json: itself where it is a printable Latin-1 character, else
// the next of U+0100, U+0101, ... (Radford et al. 2019, bytes_to_unicode).
var byteAlphabet = sync.OnceValue(func() *[256]rune {
	var a [256]rune
	next := rune(256)
	for b := range a {
		if '!' <= b && b <= '~' || '¡' <= b && b <= '¬' || '®' <= b && b <= 'ÿ' {
			a[b] = rune(b)
		} else {
			a[b] = next
			next++
		}
	}
	return &a
})

// alphabetEnd is one more than the last character of the alphabet.
const alphabetEnd = 0x144

// alphabetBytes inverts byteAlphabet; characters outside it are -1.
var alphabetBytes = sync.OnceValue(func() *[alphabetEnd]int16 {
	var m [alphabetEnd]int16
	for i := range m {
		m[i] = -1
	}
	for b, r := range byteAlphabet() {
		m[r] = int16(b)
	}
	return &m
})

// appendPrintable appends the form that a token's bytes have in the file.
func appendPrintable(dst []byte, token string) []byte {
	alphabet := byteAlphabet()
	for i := range len(token) {
		dst = utf8.AppendRune(dst, alphabet[token[i]])
	}
	return dst
}

// appendRaw appends the bytes that a token's printable form stands for. A token with
// another character stands for its own bytes, and ok is false.
func appendRaw(dst []byte, form string) (_ []byte, ok bool) {
	bytes, start := alphabetBytes(), len(dst)
	for _, r := range form {
		if r >= alphabetEnd || bytes[r] < 0 {
			return append(dst[:start], form...), false
		}
		dst = append(dst, byte(bytes[r]))
	}
	return dst, true
}

// rawForms returns appendRaw of each token; ok has those that are of the alphabet.
func rawForms(forms []string) (texts []string, ok []bool) {
	var all []byte
	ends := make([]int, len(forms))
	ok = make([]bool, len(forms))
	for id, form := range forms {
		all, ok[id] = appendRaw(all, form)
		ends[id] = len(all)
	}
	texts = make([]string, len(forms))
	joined, start := string(all), 0
	for id, end := range ends {
		texts[id], start = joined[start:end], end
	}
	return texts, ok
}
