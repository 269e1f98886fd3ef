package tokenize

import (
	"fmt"
	"unicode/utf8"
)

// byteAlphabet returns the printable character that stands for each byte in a
// byte-level tokenizer.json: itself where it is a printable Latin-1 character, else
// the next of U+0100, U+0101, ... (Radford et al. 2019, bytes_to_unicode).
func byteAlphabet() *[256]rune {
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
}

// printable returns the form that a token's bytes have in the file.
func printable(alphabet *[256]rune, token string) string {
	out := make([]byte, 0, 2*len(token))
	for i := range len(token) {
		out = utf8.AppendRune(out, alphabet[token[i]])
	}
	return string(out)
}

// byteOf inverts byteAlphabet.
func byteOf(alphabet *[256]rune) map[rune]byte {
	m := make(map[rune]byte, 256)
	for b, r := range alphabet {
		m[r] = byte(b)
	}
	return m
}

// raw returns the bytes that a token's printable form stands for.
func raw(bytes map[rune]byte, form string) (string, error) {
	out := make([]byte, 0, len(form))
	for _, r := range form {
		b, ok := bytes[r]
		if !ok {
			return "", fmt.Errorf("%w: token %q has %q, which stands for no byte", ErrFormat, form, r)
		}
		out = append(out, b)
	}
	return string(out), nil
}
