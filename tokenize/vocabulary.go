package tokenize

import (
	"encoding/json"
	"fmt"
	"hash/maphash"
	"math/bits"
	"strconv"
)

// vocabulary is a set of tokens with ids, as a model has it. Ids may have holes.
// Tokens are in the form that the file has.
type vocabulary struct {
	tokens []string // by id; "" in a hole
	holes  []bool   // by id; nil if there is none
	n      int      // how many tokens there are
	index  stringIndex
}

// newVocabulary returns the vocabulary where tokens[i] has id i.
func newVocabulary(tokens []string) (*vocabulary, error) {
	v := &vocabulary{tokens: tokens, n: len(tokens)}
	return v, v.build()
}

// build fills the index.
func (v *vocabulary) build() error {
	v.index = newStringIndex(v.tokens, v.n)
	for id := range v.tokens {
		if v.has(int32(id)) && !v.index.add(int32(id)) {
			return fmt.Errorf("%w: token %q has two ids", ErrFormat, v.tokens[id])
		}
	}
	return nil
}

// size is one more than the highest id.
func (v *vocabulary) size() int { return len(v.tokens) }

func (v *vocabulary) has(id int32) bool {
	return uint32(id) < uint32(len(v.tokens)) && (v.holes == nil || !v.holes[id])
}

// id returns the id of token, or -1.
func (v *vocabulary) id(token string) int32 { return v.index.find(token) }

// parseVocabulary reads an object from tokens to ids.
func (j *jsonScanner) vocabulary() (*vocabulary, error) {
	type entry struct{ start, end, id int32 }
	var entries []entry
	var text []byte // of all tokens, so that the file can be freed
	top := int32(-1)
	j.list('{', '}', func() {
		token, ok := j.text()
		if !ok {
			return
		}
		start := int32(len(text))
		text = append(text, token...)
		if !j.take(':') {
			return
		}
		e := entry{start, int32(len(text)), j.id()}
		entries = append(entries, e)
		top = max(top, e.id)
	})
	if j.err != nil {
		return nil, j.err
	}
	v := &vocabulary{tokens: make([]string, top+1), n: len(entries)}
	all := string(text)
	taken := make([]bool, top+1)
	for _, e := range entries {
		if taken[e.id] {
			return nil, fmt.Errorf("vocab gives id %d to both %q and %q", e.id, v.tokens[e.id], all[e.start:e.end])
		}
		v.tokens[e.id], taken[e.id] = all[e.start:e.end], true
	}
	if v.n < len(v.tokens) {
		v.holes = taken
		for id := range v.holes {
			v.holes[id] = !taken[id]
		}
	}
	return v, v.build()
}

// MarshalJSON writes an object from tokens to ids, in the order of ids.
func (v *vocabulary) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for id, token := range v.tokens {
		if !v.has(int32(id)) {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = appendJSONString(out, token)
		out = append(out, ':')
		out = strconv.AppendInt(out, int64(id), 10)
	}
	return append(out, '}'), nil
}

// UnmarshalJSON is for vocabularies inside of parts that encoding/json reads.
func (v *vocabulary) UnmarshalJSON(data []byte) error {
	read, err := (&jsonScanner{data: data}).vocabulary()
	if err == nil {
		*v = *read
	}
	return err
}

// appendJSONString appends a string as marshal writes it.
func appendJSONString(out []byte, s string) []byte {
	for i := range len(s) {
		if b := s[i]; b < ' ' || b == '"' || b == '\\' || b >= 0x7f {
			return append(out, marshal(s)...)
		}
	}
	out = append(out, '"')
	out = append(out, s...)
	return append(out, '"')
}

// stringIndex finds strings in a list: a hash table of positions, open addressing, at
// most half full. The hash is seeded anew in each process, so that no file can be
// made that has it degenerate.
type stringIndex struct {
	list  []string
	slots []int32 // position plus one
	shift uint
}

var hashSeed = maphash.MakeSeed()

// newStringIndex returns an empty index for n of the strings of list.
func newStringIndex(list []string, n int) stringIndex {
	size := max(4, bits.Len(uint(2*n)))
	return stringIndex{list, make([]int32, 1<<size), 64 - uint(size)}
}

// add enters list[i]; it reports false if an equal string is there already.
func (x *stringIndex) add(i int32) bool {
	k := maphash.String(hashSeed, x.list[i]) >> x.shift
	for ; x.slots[k] != 0; k = (k + 1) & uint64(len(x.slots)-1) {
		if x.list[x.slots[k]-1] == x.list[i] {
			return false
		}
	}
	x.slots[k] = i + 1
	return true
}

// find returns the position of s, or -1.
func (x *stringIndex) find(s string) int32 {
	if len(x.slots) == 0 {
		return -1
	}
	k := maphash.String(hashSeed, s) >> x.shift
	for ; x.slots[k] != 0; k = (k + 1) & uint64(len(x.slots)-1) {
		if i := x.slots[k] - 1; x.list[i] == s {
			return i
		}
	}
	return -1
}

var _ json.Marshaler = (*vocabulary)(nil)
