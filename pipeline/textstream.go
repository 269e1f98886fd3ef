package pipeline

import (
	"fmt"
	"io"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// TextStream gives windows of a text that can only be read once, such as a
// pipe, in the order of their arrival. Documents are the blocks of lines between
// empty lines, each followed by EOS; the last tokens that do not fill a window
// are dropped. It holds a document at a time.
type TextStream struct {
	scan   *scanner
	enc    Encoder
	length int
	tokens []int32 // of the documents read
	used   int     // of them given in windows
	cursor Cursor
	report Report
	extractor
}

// NewTextStream reads UTF-8 text from r and gives windows of length tokens.
func NewTextStream(r io.Reader, enc Encoder, length int) (*TextStream, error) {
	if length < 1 {
		return nil, fmt.Errorf("stream text: windows of %d tokens", length)
	}
	c, err := newScanner(r, layout{mode: SplitBlank, limit: PartSize, search: cutSearch}, 0)
	if err != nil {
		return nil, fmt.Errorf("stream text: %w", err)
	}
	return &TextStream{scan: c, enc: enc, length: length}, nil
}

// Next copies the next window to dst; io.EOF when the text has ended.
func (s *TextStream) Next(dst []int32) error {
	if len(dst) != s.length {
		return fmt.Errorf("stream text: a window of %d tokens into %d", s.length, len(dst))
	}
	for len(s.tokens)-s.used < s.length {
		s.tokens = append(s.tokens[:0], s.tokens[s.used:]...)
		s.used = 0
		p, err := s.scan.next()
		if err == io.EOF {
			return io.EOF
		}
		if err != nil {
			return fmt.Errorf("stream text: %w", bare(err))
		}
		s.texts(p, &s.report, func(text string) error {
			s.tokens = s.enc.Encode(s.tokens, text)
			if eos := s.enc.EOS(); eos >= 0 {
				s.tokens = append(s.tokens, eos)
			}
			return nil
		})
	}
	s.used += copy(dst, s.tokens[s.used:])
	s.cursor.Index++
	return nil
}

// Cursor counts the windows given so far.
func (s *TextStream) Cursor() Cursor { return s.cursor }

// Seek reads and drops windows until the cursor is c, so that a run that was
// interrupted continues exactly where it was if it is given the same text
// again. It cannot go back.
func (s *TextStream) Seek(c Cursor) error {
	if c.Epoch != 0 || c.Seed != 0 || c.Index < s.cursor.Index {
		return fmt.Errorf("continue the text: %w: window %d of epoch %d with seed %d; a text is read once, and stands at window %d", safeio.ErrMismatch, c.Index, c.Epoch, c.Seed, s.cursor.Index)
	}
	window := make([]int32, s.length)
	for s.cursor.Index < c.Index {
		if err := s.Next(window); err == io.EOF {
			return fmt.Errorf("continue the text: %w: it ends after %d windows, before window %d (give the same text again)", safeio.ErrMismatch, s.cursor.Index, c.Index)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// Report counts what was replaced or cut so far.
func (s *TextStream) Report() Report { return s.report }

// Close is there for the sake of sources that hold something; the text is its
// owner's to close.
func (s *TextStream) Close() error { return nil }
