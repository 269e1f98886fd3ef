package tokenize

import (
	"math"
	"sync"
	"unicode/utf8"
	"unsafe"
)

// maxSteps bounds how many steps a pre-tokenizer may have.
const maxSteps = 16

// Encode appends the token ids of text to dst and returns the extended slice. The text
// of a special token is text like any other, unless t is from [Tokenizer.WithSpecial];
// that of an added token that is not special is the token. No token is put around the
// text: see [Tokenizer.PostProcess].
func (t *Tokenizer) Encode(dst []int32, text string) []int32 {
	e := encoders.Get().(*encoder)
	e.Tokenizer, e.ids = t, dst
	e.document(text)
	dst = e.ids
	e.release()
	return dst
}

// An Offset is the range of bytes of a text that a token stands for.
type Offset struct{ Start, End int }

// EncodeOffsets is Encode with the bytes of text that each token stands for. They are
// those that Hugging Face tokenizers gives, which counts characters: a token that is part
// of a character has the whole of it, and the file may ask for white space to be left
// out. Text beyond 2 GiB has no offsets.
func (t *Tokenizer) EncodeOffsets(text string) ([]int32, []Offset) {
	if len(text) > math.MaxInt32 {
		return t.Encode(nil, text), nil
	}
	e := encoders.Get().(*encoder)
	e.Tokenizer, e.ids, e.offsets = t, nil, []Offset{}
	e.document(text)
	ids, offsets := e.ids, e.offsets
	e.release()
	if t.post != nil {
		t.post.trim(text, ids, offsets, t)
	}
	return ids, offsets
}

// encoder is the state of encoding one document.
type encoder struct {
	*Tokenizer
	ids     []int32
	text    string   // the document
	offsets []Offset // nil if not asked for
	ends    []int32  // of the tokens of a word
	scratch [maxSteps + 1]scratch
}

// scratch is the text that a step rewrote.
type scratch struct {
	text []byte
	from []span
}

var encoders = sync.Pool{New: func() any { return new(encoder) }}

// keptScratch bounds what an encoder keeps for the next document.
const keptScratch = 1 << 20

func (e *encoder) release() {
	e.Tokenizer, e.ids, e.offsets, e.text = nil, nil, nil, ""
	for i := range e.scratch {
		if s := &e.scratch[i]; cap(s.text) > keptScratch || cap(s.from) > keptScratch {
			*s = scratch{}
		}
	}
	if cap(e.ends) > keptScratch {
		e.ends = nil
	}
	encoders.Put(e)
}

// origin says which bytes of the document those of a text stem from: those at from,
// one by one, or, if from is nil, those from base on.
type origin struct {
	from []span
	base int
}

// slice is the origin of text[start:end].
func (o origin) slice(start, end int) origin {
	if o.from == nil {
		return origin{nil, o.base + start}
	}
	return origin{o.from[start:end], 0}
}

// compose replaces spans of a text by those of the document.
func (o origin) compose(spans []span) {
	for i, s := range spans {
		if o.from != nil {
			spans[i].start = o.from[s.start].start
			spans[i].end = o.from[max(s.start, s.end-1)].end
		} else {
			spans[i] = span{s.start + int32(o.base), s.end + int32(o.base)}
		}
	}
}

// document encodes a whole text: added tokens are taken out of it, what is between them
// is normalized, and others are taken out of that.
func (e *encoder) document(text string) {
	e.text = text
	at := origin{}
	done := 0
	for i := 0; ; {
		m, ok := e.added.raw.match(text, i, done, e.special)
		if !ok {
			break
		}
		if done < m.start {
			e.normalized(text[done:m.start], at.slice(done, m.start), done == 0)
		}
		e.token(m, at)
		i, done = m.resume, m.end
	}
	if done < len(text) {
		e.normalized(text[done:], at.slice(done, len(text)), done == 0)
	}
}

// normalized encodes a text that has no more tokens to be found before normalization.
// First says whether the document begins with it.
func (e *encoder) normalized(text string, at origin, first bool) {
	if e.norm != nil {
		plain := text
		text, at = e.rewrite(&e.scratch[maxSteps], at, first && e.needsFirst, func(dst []byte, from *[]span) []byte {
			return e.norm.normalize(dst, plain, from)
		})
		// The normalizer may have dropped what was first.
		first = first && (at.from == nil || len(at.from) > 0 && at.from[0].start == 0)
		if e.offsets == nil {
			at.from = nil
		}
	}
	done := 0
	for i := 0; ; {
		m, ok := e.added.normal.match(text, i, done, e.special)
		if !ok {
			break
		}
		if done < m.start {
			e.step(0, text[done:m.start], at.slice(done, m.start), first && done == 0)
		}
		e.token(m, at)
		i, done = m.resume, m.end
	}
	if done < len(text) {
		e.step(0, text[done:], at.slice(done, len(text)), first && done == 0)
	}
}

// rewrite has a function rewrite a text into s, and says where its bytes stem from if
// offsets are asked for, or this.
func (e *encoder) rewrite(s *scratch, at origin, origins bool, f func([]byte, *[]span) []byte) (string, origin) {
	if !origins && e.offsets == nil {
		s.text = f(s.text[:0], nil)
	} else {
		s.from = s.from[:0]
		s.text = f(s.text[:0], &s.from)
		at.compose(s.from)
		at = origin{from: s.from}
	}
	return unsafe.String(unsafe.SliceData(s.text), len(s.text)), at
}

// step cuts a text by the steps of the pre-tokenizer from the given one on and encodes
// the words.
func (e *encoder) step(level int, text string, at origin, first bool) {
	if level == len(e.steps) {
		e.word(text, at)
		return
	}
	step := e.steps[level]
	if r, ok := step.(rewriter); ok {
		plain := text
		text, at = e.rewrite(&e.scratch[level], at, false, func(dst []byte, from *[]span) []byte {
			return r.rewrite(dst, plain, first, from)
		})
	}
	last := level+1 == len(e.steps) && e.offsets == nil
	for i := 0; i < len(text); {
		start, end := step.next(text, i)
		if start == len(text) {
			break
		}
		if last {
			e.ids = e.encodeWord(e.ids, text[start:end])
		} else {
			e.step(level+1, text[start:end], at.slice(start, end), first && start == 0)
		}
		i = end
	}
}

// word encodes a word of the last step.
func (e *encoder) word(word string, at origin) {
	if e.offsets == nil {
		e.ids = e.encodeWord(e.ids, word)
		return
	}
	e.ends = e.ends[:0]
	e.ids = e.model.encodeWord(e.ids, &e.ends, word)
	start, last := 0, 0
	for _, end := range e.ends {
		if int(end) > last {
			start, last = last, int(end)
		}
		e.offset(at, start, last)
	}
}

// encodeWord looks a word up before it asks the model.
func (t *Tokenizer) encodeWord(dst []int32, word string) []int32 {
	if t.cache == nil {
		return t.model.encodeWord(dst, nil, word)
	}
	if len(word) == 1 {
		if id := t.single[word[0]]; id >= 0 {
			return append(dst, id)
		}
	}
	table := t.cache.tableFor(len(word))
	if table == nil {
		return t.model.encodeWord(dst, nil, word)
	}
	var key cacheKey
	hash := keyOf(&key, word)
	start := len(dst)
	dst, ok := table.find(dst, &key, hash, len(word))
	if !ok {
		dst = t.model.encodeWord(dst, nil, word)
		table.put(&key, hash, len(word), dst[start:])
	}
	return dst
}

// token puts out an added token.
func (e *encoder) token(m found, at origin) {
	e.ids = append(e.ids, m.ID)
	if e.offsets != nil {
		e.offset(at, m.start, m.end)
	}
}

// offset puts out the offset of a token that is the bytes from start to end of a text.
func (e *encoder) offset(at origin, start, end int) {
	var o Offset
	if at.from != nil {
		end = min(end, len(at.from))
		if start < end {
			o = Offset{int(at.from[start].start), int(at.from[end-1].end)}
		}
	} else {
		o = Offset{at.base + start, at.base + end}
	}
	for o.Start > 0 && o.Start < len(e.text) && !utf8.RuneStart(e.text[o.Start]) {
		o.Start--
	}
	for o.End < len(e.text) && !utf8.RuneStart(e.text[o.End]) {
		o.End++
	}
	e.offsets = append(e.offsets, o)
}
