package tokenize

import (
	"encoding/json"
	"fmt"
	"math"
	"unicode/utf8"
)

// bpe is a byte-pair-encoding model (Sennrich et al. 2016): which token each symbol is
// at first, and which pairs of tokens merge into which, best rank first. The symbols
// are characters or, after a byte-level pre-tokenizer, bytes.
type bpe struct {
	config bpeConfig
	v      *vocabulary
	merges [][2]int32 // in order of rank
	made   []int32    // the token that each merge makes
	table  pairTable
	joints joints

	byteLevel bool
	texts     []string      // what each token spells: bytes if byteLevel, else its form
	words     stringIndex   // of texts, with ignore_merges
	bytes     [256]int32    // the token of each byte: its own, or its fallback; -1 if none
	first     []uint32      // by two bytes: the rank of merging their tokens, plus one; byteLevel
	chars     []*[256]int32 // the token of each character plus one, by its upper bits
	unk       int32         // or -1
}

// bpeConfig is the model's options under the names that files have for them.
type bpeConfig struct {
	Type                    string   `json:"type"`
	Dropout                 *float64 `json:"dropout"`
	UnkToken                *string  `json:"unk_token"`
	ContinuingSubwordPrefix *string  `json:"continuing_subword_prefix"`
	EndOfWordSuffix         *string  `json:"end_of_word_suffix"`
	FuseUnk                 bool     `json:"fuse_unk"`
	ByteFallback            bool     `json:"byte_fallback"`
	IgnoreMerges            bool     `json:"ignore_merges"`
}

// parseBPE reads the model but does not decide on its symbols yet.
func parseBPE(value json.RawMessage) (*bpe, error) {
	m := &bpe{config: bpeConfig{Type: "BPE"}}
	var merges json.RawMessage
	options := []byte{'{'}
	var err error
	j := &jsonScanner{data: value}
	j.members(func(key string) {
		switch key {
		case "vocab":
			if m.v, err = j.vocabulary(); err != nil {
				j.fail("%v", err)
			}
		case "merges":
			merges = j.raw()
		default:
			if len(options) > 1 {
				options = append(options, ',')
			}
			options = append(append(appendJSONString(options, key), ':'), j.raw()...)
		}
	})
	if err := j.end(); err != nil {
		return nil, fmt.Errorf("%w: model: %v", ErrFormat, err)
	}
	if err := strict(append(options, '}'), &m.config); err != nil {
		return nil, fmt.Errorf("%w: model: %v", ErrFormat, err)
	}
	c := &m.config
	for _, option := range []struct {
		name  string
		asked bool
	}{
		{"dropout", c.Dropout != nil && *c.Dropout != 0},
		{"continuing_subword_prefix", c.ContinuingSubwordPrefix != nil && *c.ContinuingSubwordPrefix != ""},
		{"end_of_word_suffix", c.EndOfWordSuffix != nil && *c.EndOfWordSuffix != ""},
	} {
		if option.asked {
			return nil, fmt.Errorf("%w: model: %s is not implemented", ErrFormat, option.name)
		}
	}
	if m.v == nil || merges == nil {
		return nil, fmt.Errorf("%w: model: BPE without vocab or merges", ErrFormat)
	}
	m.unk = -1
	if c.UnkToken != nil {
		if m.unk = m.v.id(*c.UnkToken); m.unk < 0 {
			return nil, fmt.Errorf("%w: model: unk_token %q is not in the vocabulary", ErrFormat, *c.UnkToken)
		}
	}
	if err := m.parseMerges(merges); err != nil {
		return nil, fmt.Errorf("%w: model: %v", ErrFormat, err)
	}
	return m, nil
}

// useChars has the model work on characters.
func (m *bpe) useChars() {
	m.texts = m.v.tokens
	m.chars = make([]*[256]int32, (utf8.MaxRune+1)>>8)
	for id, form := range m.v.tokens {
		r, n := utf8.DecodeRuneInString(form)
		if n == 0 || n < len(form) || !m.v.has(int32(id)) {
			continue
		}
		page := &m.chars[r>>8]
		if *page == nil {
			*page = new([256]int32)
		}
		(*page)[r&0xff] = int32(id) + 1
	}
	for b := range m.bytes {
		m.bytes[b] = -1
		if m.config.ByteFallback {
			m.bytes[b] = m.v.id(fmt.Sprintf("<0x%02X>", b))
		}
	}
	if m.config.IgnoreMerges {
		m.words = m.v.index
	}
	m.joints = jointsOf(m)
}

// useBytes has the model work on bytes, whose tokens are in printable form.
func (m *bpe) useBytes() error {
	if m.config.ByteFallback {
		return fmt.Errorf("%w: model: byte_fallback after a ByteLevel pre_tokenizer is not implemented", ErrFormat)
	}
	m.byteLevel = true
	texts, ok := rawForms(m.v.tokens)
	m.texts = texts
	for b, r := range byteAlphabet() {
		if m.bytes[b] = m.v.id(string(r)); m.bytes[b] >= 0 {
			continue
		}
		if m.bytes[b] = m.unk; m.unk < 0 || m.config.FuseUnk {
			return fmt.Errorf("%w: the vocabulary has no token for byte 0x%02x, so not every text could be encoded", ErrFormat, b)
		}
	}
	byteOf := map[int32]int{}
	for b, id := range m.bytes {
		byteOf[id] = b
	}
	m.first = make([]uint32, 1<<16)
	for rank, pair := range m.merges {
		a, isA := byteOf[pair[0]]
		b, isB := byteOf[pair[1]]
		if isA && isB {
			m.first[a<<8|b] = uint32(rank) + 1
		}
	}
	if m.config.IgnoreMerges {
		m.words = newStringIndex(texts, m.v.n)
		for id := range texts {
			if ok[id] && m.v.has(int32(id)) {
				m.words.add(int32(id))
			}
		}
	}
	m.joints = jointsOf(m)
	return nil
}

func (m *bpe) vocab() *vocabulary { return m.v }

func (m *bpe) cached() bool { return len(m.merges) > 0 }

// shortWord is the length in symbols up to which looking for the best pair anew after
// each merge beats keeping a heap.
const shortWord = 40

// encodeWord appends the tokens of one word to dst: its symbols, joined pair by pair,
// always the pair of lowest rank and of these the leftmost.
func (m *bpe) encodeWord(dst []int32, ends *[]int32, word string) []int32 {
	if m.config.IgnoreMerges {
		if id := m.words.find(word); id >= 0 {
			if ends != nil {
				*ends = append(*ends, int32(len(word)))
			}
			return append(dst, id)
		}
	}
	if ends != nil {
		return m.mergeLong(dst, ends, word)
	}
	if len(word) <= shortWord || m.joints.none {
		return m.merge(dst, word)
	}
	for len(word) > 0 {
		n := m.joints.cut(word)
		dst = m.merge(dst, word[:n])
		word = word[n:]
	}
	return dst
}

// merge is encodeWord for a word that is not to be cut.
func (m *bpe) merge(dst []int32, word string) []int32 {
	var ids [shortWord]int32
	var ranks [shortWord]uint32 // ranks[i] is the rank of the pair ids[i], ids[i+1]
	n := len(word)
	if m.byteLevel {
		if n > shortWord {
			return m.mergeLong(dst, nil, word)
		}
		for i := range n {
			ids[i] = m.bytes[word[i]]
		}
		for i := 1; i < n; i++ {
			ranks[i-1] = m.first[int(word[i-1])<<8|int(word[i])] - 1
		}
	} else {
		if n > 4*shortWord {
			return m.mergeLong(dst, nil, word)
		}
		start := len(dst)
		dst = m.symbols(dst, nil, word)
		symbols := dst[start:]
		dst = dst[:start]
		if len(symbols) > shortWord {
			return m.mergeLong(dst, nil, word)
		}
		n = copy(ids[:], symbols)
		for i := 1; i < n; i++ {
			ranks[i-1] = m.table.find(ids[i-1], ids[i])
		}
	}
	for n > 1 {
		best, rank := 0, ranks[0]
		for i := 1; i < n-1; i++ {
			if ranks[i] < rank {
				best, rank = i, ranks[i]
			}
		}
		if rank == noRank {
			break
		}
		ids[best] = m.made[rank]
		n--
		copy(ids[best+1:n], ids[best+2:n+1])
		if best < n-1 {
			copy(ranks[best+1:n-1], ranks[best+2:n])
			ranks[best] = m.table.find(ids[best], ids[best+1])
		}
		if best > 0 {
			ranks[best-1] = m.table.find(ids[best-1], ids[best])
		}
	}
	return append(dst, ids[:n]...)
}

// symbols appends the tokens of the characters of a word to dst and, if lens is not
// nil, how many bytes of the word each stands for. A character that has none is its
// bytes with byte_fallback, else the unknown token, else nothing. Unknown ones wait
// for the next known character, whatever is put out as bytes in between.
func (m *bpe) symbols(dst []int32, lens *[]int32, word string) []int32 {
	unknown := 0 // bytes that wait
	put := func(id int32, n int) {
		dst = append(dst, id)
		if lens != nil {
			*lens = append(*lens, int32(n))
		}
	}
	for i := 0; i < len(word); {
		r, n := utf8.DecodeRuneInString(word[i:])
		id := int32(0)
		if page := m.chars[r>>8]; page != nil && (r != utf8.RuneError || n > 1) {
			id = page[r&0xff]
		}
		switch {
		case id > 0:
			if unknown > 0 {
				put(m.unk, unknown)
				unknown = 0
			}
			put(id-1, n)
		case m.hasBytes(word[i : i+n]):
			for k := range n {
				put(m.bytes[word[i+k]], 1)
			}
		case m.unk >= 0:
			if unknown > 0 && !m.config.FuseUnk {
				put(m.unk, unknown)
				unknown = 0
			}
			unknown += n
		}
		i += n
	}
	if unknown > 0 {
		put(m.unk, unknown)
	}
	return dst
}

func (m *bpe) hasBytes(s string) bool {
	for i := range len(s) {
		if m.bytes[s[i]] < 0 {
			return false
		}
	}
	return true
}

// link is one token of a long word in a doubly linked list.
type link struct {
	id         int32 // -1 once merged into the symbol before it
	len        int32 // in bytes
	prev, next int32 // -1 at the ends
}

// candidate is a pair that could merge: its rank, above the position of its left
// symbol, so that the order of numbers is the order of merging.
type candidate uint64

func (a candidate) Before(b candidate) bool { return a < b }

// mergeLong is for words of any length n, in O(n log n) time: a heap of candidates,
// where those that other merges overtook are dropped when they come up.
func (m *bpe) mergeLong(dst []int32, ends *[]int32, word string) []int32 {
	var list []link
	if m.byteLevel {
		list = make([]link, len(word))
		for i := range list {
			list[i] = link{id: m.bytes[word[i]], len: 1}
		}
	} else {
		var lens []int32
		ids := m.symbols(nil, &lens, word)
		list = make([]link, len(ids))
		for i := range list {
			list[i] = link{id: ids[i], len: lens[i]}
		}
	}
	if len(list) == 0 {
		return dst
	}
	for i := range list {
		list[i].prev, list[i].next = int32(i-1), int32(i+1)
	}
	list[len(list)-1].next = -1
	// rankAt is the rank of the symbol at pos and the one after it.
	rankAt := func(pos int32) uint32 {
		s := &list[pos]
		if s.id < 0 || s.next < 0 {
			return noRank
		}
		return m.table.find(s.id, list[s.next].id)
	}
	var queue heap[candidate]
	offer := func(pos int32) {
		if rank := rankAt(pos); rank != noRank {
			queue.push(candidate(rank)<<32 | candidate(pos))
		}
	}
	for i := range list {
		offer(int32(i))
	}
	for len(queue) > 0 {
		c := queue.pop()
		pos := int32(c & math.MaxUint32)
		rank := rankAt(pos)
		if rank != uint32(c>>32) {
			continue
		}
		s := &list[pos]
		right := &list[s.next]
		s.id, s.len = m.made[rank], s.len+right.len
		right.id, s.next = -1, right.next
		if s.next >= 0 {
			list[s.next].prev = pos
		}
		if s.prev >= 0 {
			offer(s.prev)
		}
		offer(pos)
	}
	end := int32(0)
	for i := int32(0); i >= 0; i = list[i].next {
		dst = append(dst, list[i].id)
		if end += list[i].len; ends != nil {
			*ends = append(*ends, end)
		}
	}
	return dst
}
