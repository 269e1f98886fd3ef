package pipeline

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/transform"
)

// undecodable takes the place of what cannot be decoded from another encoding:
// a byte that is no part of UTF-8, so that the policy for such bytes holds for
// it too.
const undecodable = 0xFF

var utf8Mark = []byte("\xEF\xBB\xBF")

// canonicalEncoding returns the one name of an encoding, of the many that
// browsers know; "" for UTF-8.
func canonicalEncoding(name string) (string, error) {
	e, err := htmlindex.Get(name)
	if err != nil {
		return "", fmt.Errorf("read text as %q: not an encoding (utf-8, utf-16le, latin1, windows-1251, shift_jis, ...)", name)
	}
	canonical, err := htmlindex.Name(e)
	switch {
	case err != nil || canonical == "replacement" || canonical == "x-user-defined":
		return "", fmt.Errorf("read text as %q: not an encoding of text", name)
	case canonical == "utf-8":
		return "", nil
	}
	return canonical, nil
}

// encodingOf says how a text that r stands at the beginning of is encoded. A
// byte order mark goes before everything; then comes the name that was given,
// then, in HTML, what the page says of itself.
func encodingOf(r *bufio.Reader, k kind, given string) string {
	head, _ := r.Peek(1024)
	switch {
	case bytes.HasPrefix(head, utf8Mark):
		return ""
	case bytes.HasPrefix(head, []byte{0xFF, 0xFE, 0, 0}):
		return "utf-32le"
	case bytes.HasPrefix(head, []byte{0, 0, 0xFE, 0xFF}):
		return "utf-32be"
	case bytes.HasPrefix(head, []byte{0xFF, 0xFE}):
		return "utf-16le"
	case bytes.HasPrefix(head, []byte{0xFE, 0xFF}):
		return "utf-16be"
	case given == "" && k == kindHTML:
		if _, name, _ := charset.DetermineEncoding(head, ""); name != "utf-8" {
			return name
		}
	}
	return given
}

// isWide says whether an encoding is UTF-16 or UTF-32.
func isWide(name string) bool {
	return strings.HasPrefix(name, "utf-16") || strings.HasPrefix(name, "utf-32")
}

// decoder returns the text of r in UTF-8.
func decoder(r *bufio.Reader, name string) io.Reader {
	switch name {
	case "":
		return r
	case "utf-16le", "utf-32le":
		return &wideReader{in: r, order: binary.LittleEndian, long: name == "utf-32le"}
	case "utf-16be", "utf-32be":
		return &wideReader{in: r, order: binary.BigEndian, long: name == "utf-32be"}
	}
	e, err := htmlindex.Get(name)
	if err != nil { // cannot be: names come from the same table
		return failed{err}
	}
	return transform.NewReader(r, transform.Chain(encoding.Decoder{Transformer: e.NewDecoder().Transformer}, marking{}))
}

// marking puts undecodable for U+FFFD, which no other encoding but GB 18030
// can spell.
type marking struct{ transform.NopResetter }

func (marking) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for nSrc < len(src) {
		rest := src[nSrc:]
		n := bytes.IndexByte(rest, 0xEF)
		if n < 0 {
			n = len(rest)
		}
		if n > 0 {
			k := copy(dst[nDst:], rest[:n])
			nDst, nSrc = nDst+k, nSrc+k
			if k < n {
				return nDst, nSrc, transform.ErrShortDst
			}
			continue
		}
		if len(rest) < utf8.UTFMax-1 && !atEOF {
			return nDst, nSrc, transform.ErrShortSrc
		}
		if len(dst)-nDst < utf8.UTFMax-1 {
			return nDst, nSrc, transform.ErrShortDst
		}
		if bytes.HasPrefix(rest, []byte("\uFFFD")) {
			dst[nDst] = undecodable
			nDst, nSrc = nDst+1, nSrc+3
			continue
		}
		k := copy(dst[nDst:], rest[:1])
		nDst, nSrc = nDst+k, nSrc+k
	}
	return nDst, nSrc, nil
}

// wideReader decodes UTF-16, or UTF-32, and drops its byte order mark.
type wideReader struct {
	in    *bufio.Reader
	order binary.ByteOrder
	long  bool
	begun bool
	out   []byte // decoded, not given yet
	room  []byte
	err   error
}

func (w *wideReader) Read(p []byte) (int, error) {
	if w.room == nil {
		w.room = make([]byte, 0, 16<<10)
	}
	if len(w.out) == 0 {
		w.out = w.room[:0]
		for w.err == nil && len(w.out) < cap(w.out)-utf8.UTFMax {
			w.decode()
		}
	}
	n := copy(p, w.out)
	w.out = w.out[n:]
	if n == 0 && len(p) > 0 {
		return 0, w.err
	}
	return n, nil
}

// decode appends a character to out.
func (w *wideReader) decode() {
	u, ok := w.unit()
	if !ok {
		return
	}
	r := rune(u)
	if !w.begun {
		w.begun = true
		if r == '\uFEFF' {
			return
		}
	}
	if !w.long && utf16.IsSurrogate(r) {
		r = utf8.RuneError
		if b, err := w.in.Peek(2); err == nil {
			if r = utf16.DecodeRune(rune(u), rune(w.order.Uint16(b))); r != utf8.RuneError {
				w.in.Discard(2)
			}
		}
		if r == utf8.RuneError {
			w.out = append(w.out, undecodable)
			return
		}
	}
	if u > utf8.MaxRune || !utf8.ValidRune(r) {
		w.out = append(w.out, undecodable)
		return
	}
	w.out = utf8.AppendRune(w.out, r)
}

// unit reads 16 or 32 bits. A half one at the end cannot be decoded.
func (w *wideReader) unit() (uint32, bool) {
	n := 2
	if w.long {
		n = 4
	}
	b, err := w.in.Peek(n)
	if len(b) < n {
		if err == io.EOF && len(b) > 0 {
			w.out = append(w.out, undecodable)
			w.in.Discard(len(b))
		}
		w.err = err
		return 0, false
	}
	w.in.Discard(n)
	if w.long {
		return w.order.Uint32(b), true
	}
	return uint32(w.order.Uint16(b)), true
}
