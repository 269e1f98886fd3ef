package tokenize

import (
	"encoding/json"
	"fmt"
	"sync"
	"unsafe"
)

// trace appends to from, if it is not nil, that the bytes of dst from start on stem
// from s.
func trace(from *[]span, dst []byte, start int, s span) {
	if from != nil {
		for range len(dst) - start {
			*from = append(*from, s)
		}
	}
}

// verbatim appends text[i:end], each byte from its character.
func verbatim(dst []byte, text string, i, end int, from *[]span) []byte {
	if from == nil {
		return append(dst, text[i:end]...)
	}
	for i < end {
		start, n := len(dst), charLen(text, i)
		dst = append(dst, text[i:i+n]...)
		trace(from, dst, start, span{int32(i), int32(i + n)})
		i += n
	}
	return dst
}

// normalizerSequence applies normalizers one after the other.
type normalizerSequence struct {
	Type  string            `json:"type"`
	Raw   []json.RawMessage `json:"normalizers"`
	parts []normalizer
	spare sync.Pool // of *[2][]byte: what all parts but the last make
}

// MarshalJSON writes the parts as they write themselves, however the file had them.
func (s *normalizerSequence) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Type        string       `json:"type"`
		Normalizers []normalizer `json:"normalizers"`
	}{s.Type, s.parts}), nil
}

func (s *normalizerSequence) compile() error {
	s.parts = []normalizer{}

	for i, value := range s.Raw {
		part, err := parseNormalizer(value)
		if err != nil {
			return err
		}
		if part == nil {
			return fmt.Errorf("%w: normalizer: part %d of a Sequence is null", ErrFormat, i)
		}
		s.parts = append(s.parts, part)
	}
	return nil
}

func (s *normalizerSequence) normalize(dst []byte, text string, from *[]span) []byte {
	if len(s.parts) == 0 {
		return verbatim(dst, text, 0, len(text), from)
	}
	buf, ok := s.spare.Get().(*[2][]byte)
	if !ok {
		buf = new([2][]byte)
	}
	defer s.spare.Put(buf)
	var before, here []span // where the part's input stems from, and its output
	for i, part := range s.parts[:len(s.parts)-1] {
		out := &buf[i%2]
		if from == nil {
			*out = part.normalize((*out)[:0], text, nil)
		} else {
			here = here[:0]
			*out = part.normalize((*out)[:0], text, &here)
			through(before, here)
			before, here = here, before
		}
		text = unsafe.String(unsafe.SliceData(*out), len(*out)) // until the part after next
	}
	last := s.parts[len(s.parts)-1]
	if from == nil {
		return last.normalize(dst, text, nil)
	}
	start := len(*from)
	dst = last.normalize(dst, text, from)
	through(before, (*from)[start:])
	return dst
}

// through replaces spans of a text by those of what it was made from, nil if it is the
// original.
func through(before, spans []span) {
	if before == nil {
		return
	}
	for i, s := range spans {
		if s.start < s.end {
			spans[i] = span{before[s.start].start, before[s.end-1].end}
		}
	}
}
