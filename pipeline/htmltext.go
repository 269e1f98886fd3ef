package pipeline

import (
	"bytes"
	"errors"
	"io"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// maxToken is the longest tag, comment, script or run of text between two tags
// of an HTML source, in bytes. What follows a longer one is lost.
const maxToken = 4 << 20

// htmlText is the text that a reader of an HTML page sees, as it is read: what
// stands in scripts, styles, titles and forms' fields is left out, white space
// is one space, a block begins on a new line, and a paragraph, a heading or a
// list behind an empty one. No tree is built, so nesting costs nothing.
type htmlText struct {
	z       *html.Tokenizer
	room    []byte // behind out
	out     []byte // extracted, not given yet
	pending int    // line ends owed before the next text
	space   bool   // so is a space
	begun   bool   // some text was given
	pre     int    // depth of elements whose white space is kept
	opened  bool   // one has just begun
	skip    bool   // the next text is no text for readers
	lost    bool   // a token was too long; nothing follows it
	err     error
}

func newHTMLText(r io.Reader) *htmlText {
	z := html.NewTokenizer(r)
	z.SetMaxBuf(maxToken)
	return &htmlText{z: z}
}

func (h *htmlText) Read(p []byte) (int, error) {
	for len(h.out) == 0 {
		if h.err != nil {
			return 0, h.err
		}
		h.out = h.room[:0]
		h.token()
		h.room = h.out
	}
	n := copy(p, h.out)
	h.out = h.out[n:]
	return n, nil
}

func (h *htmlText) token() {
	switch h.z.Next() {
	case html.ErrorToken:
		h.err = h.z.Err()
		if errors.Is(h.err, html.ErrBufferExceeded) {
			h.lost, h.err = true, io.EOF
		}
	case html.TextToken:
		if !h.skip {
			h.text(h.z.Text())
		}
		h.skip = false
	case html.StartTagToken, html.SelfClosingTagToken:
		h.tag(true)
	case html.EndTagToken:
		h.skip = false
		h.tag(false)
	}
}

// tag is the beginning or the end of an element.
func (h *htmlText) tag(start bool) {
	name, _ := h.z.TagName()
	switch atom.Lookup(name) {
	case atom.Script, atom.Style, atom.Title, atom.Textarea, atom.Noscript, atom.Iframe, atom.Noembed, atom.Noframes:
		h.skip = start // the tokenizer gives their content as one text
	case atom.Pre, atom.Listing, atom.Xmp:
		h.owe(2)
		if start {
			h.pre++
		} else {
			h.pre = max(h.pre-1, 0)
		}
		h.opened = start
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Ul, atom.Ol, atom.Dl, atom.Table,
		atom.Blockquote, atom.Article, atom.Section, atom.Header, atom.Footer, atom.Main, atom.Nav, atom.Aside,
		atom.Figure, atom.Form, atom.Fieldset, atom.Address, atom.Hr, atom.Body, atom.Details:
		h.owe(2)
	case atom.Br:
		if start && h.begun {
			h.pending, h.space = h.pending+1, false
		}
	case atom.Div, atom.Li, atom.Dt, atom.Dd, atom.Tr, atom.Caption, atom.Thead, atom.Tbody, atom.Tfoot,
		atom.Figcaption, atom.Legend, atom.Summary, atom.Option, atom.Center, atom.Dir, atom.Menu:
		h.owe(1)
	case atom.Td, atom.Th:
		h.space = true
	}
}

// owe has n line ends stand before the next text.
func (h *htmlText) owe(n int) {
	h.space = false
	if h.begun {
		h.pending = max(h.pending, n)
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' }

func (h *htmlText) text(b []byte) {
	if h.pre > 0 {
		h.verbatim(b)
		return
	}
	for len(b) > 0 {
		n := 0
		for n < len(b) && isSpace(b[n]) {
			n++
		}
		if n > 0 {
			h.space, b = true, b[n:]
			continue
		}
		for n < len(b) && !isSpace(b[n]) {
			n++
		}
		h.pay()
		h.out, b = append(h.out, b[:n]...), b[n:]
	}
}

// verbatim gives text with its white space; only the line end behind <pre> is
// none, and those before </pre> belong to what follows.
func (h *htmlText) verbatim(b []byte) {
	if h.opened {
		b = bytes.TrimPrefix(b, []byte("\n"))
		h.opened = false
	}
	text := bytes.TrimRight(b, "\n")
	if len(text) > 0 {
		h.pay()
		h.out = append(h.out, text...)
	}
	if h.begun {
		h.pending += len(b) - len(text)
	}
}

// pay writes the line ends or the space that are owed.
func (h *htmlText) pay() {
	switch {
	case !h.begun:
	case h.pending > 0:
		h.out = append(h.out, bytes.Repeat([]byte("\n"), h.pending)...)
	case h.space:
		h.out = append(h.out, ' ')
	}
	h.begun, h.pending, h.space = true, 0, false
}
