package tokenize

import (
	"slices"
	"strings"
)

// trie finds the tokens that a text begins with. It is a double array (Aoe 1989) whose
// next state is the base of a state, xor the next byte: one memory access for each byte.
type trie struct {
	states []state
}

type state struct {
	base  int32 // the child for byte b is states[base^b]
	check int32 // the state that this one is a child of; -1 if the place is free
	value int32 // what the string that leads here stands for; -1 if nothing
}

const (
	root    int32 = 0
	noState int32 = -1
	block         = 256 // the children of a state lie in one block
	tries         = 64  // free places that are tried for a state's children before a new block
)

// newTrie returns the trie of the tokens of a vocabulary. The empty one is never found.
func newTrie(v *vocabulary) *trie {
	words, order := v.tokens, make([]int32, 0, v.n)
	for id := range words {
		if v.has(int32(id)) {
			order = append(order, int32(id))
		}
	}
	slices.SortFunc(order, func(a, b int32) int { return strings.Compare(words[a], words[b]) })
	b := &trieBuilder{words: words, order: order, trie: new(trie)}
	b.grow()
	b.take(root, -2) // no state is its parent
	b.build()
	return b.trie
}

// step returns the state after s and the byte c, or noState.
func (t *trie) step(s int32, c byte) int32 {
	next := t.states[s].base ^ int32(c)
	if t.states[next].check != s {
		return noState
	}
	return next
}

// walk returns the state that word leads to from s, or noState.
func (t *trie) walk(s int32, word string) int32 {
	for i := 0; i < len(word) && s != noState; i++ {
		s = t.step(s, word[i])
	}
	return s
}

// find returns the value of word, or -1.
func (t *trie) find(word string) int32 {
	if s := t.walk(root, word); s > root {
		return t.states[s].value
	}
	return -1
}

// longest returns the value of the longest string that is a prefix of text and is found
// from s on, and its length; -1 if there is none.
func (t *trie) longest(s int32, text string) (value int32, length int) {
	value = -1
	for i := 0; i < len(text) && s != noState; i++ {
		if s = t.step(s, text[i]); s == noState {
			break
		}
		if v := t.states[s].value; v >= 0 {
			value, length = v, i+1
		}
	}
	return value, length
}

// trieBuilder places the states of a trie, level by level.
type trieBuilder struct {
	*trie
	words []string
	order []int32 // of words, sorted
	next  []int32 // a ring of the free places; place 0, the root's, is its head
	prev  []int32
}

// subtree is a state whose strings are order[lo:hi]; they agree in their first depth bytes.
type subtree struct {
	state, lo, hi, depth int32
}

func (b *trieBuilder) build() {
	queue := []subtree{{root, 0, int32(len(b.order)), 0}}
	var children []subtree
	var labels []byte
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		lo := s.lo
		for lo < s.hi && len(b.words[b.order[lo]]) == int(s.depth) {
			b.states[s.state].value = b.order[lo]
			lo++
		}
		children, labels = children[:0], labels[:0]
		for lo < s.hi {
			label, end := b.words[b.order[lo]][s.depth], lo+1
			for end < s.hi && b.words[b.order[end]][s.depth] == label {
				end++
			}
			children = append(children, subtree{noState, lo, end, s.depth + 1})
			labels = append(labels, label)
			lo = end
		}
		if len(children) == 0 {
			continue
		}
		base := b.place(labels)
		b.states[s.state].base = base
		for i, c := range children {
			c.state = base ^ int32(labels[i])
			b.take(c.state, s.state)
			queue = append(queue, c)
		}
	}
}

// place returns a base for which the places of all labels are free.
func (b *trieBuilder) place(labels []byte) int32 {
	free := b.next[root]
	for n := 0; n < tries && free != root; n++ {
		base := free ^ int32(labels[0])
		if !slices.ContainsFunc(labels, func(l byte) bool { return b.states[base^int32(l)].check != -1 }) {
			return base
		}
		free = b.next[free]
	}
	end := int32(len(b.states))
	b.grow()
	return end ^ int32(labels[0]) // in a new block everything is free
}

// grow adds a block of free places, and the newest are tried first: those that the
// older blocks still have are mostly ones that nothing fits into.
func (b *trieBuilder) grow() {
	start := int32(len(b.states))
	for i := start; i < start+block; i++ {
		b.states = append(b.states, state{check: -1, value: -1})
		b.next, b.prev = append(b.next, i+1), append(b.prev, i-1)
	}
	if start == root {
		b.next[block-1], b.prev[root] = root, block-1
		return
	}
	first := b.next[root]
	b.next[root], b.prev[start] = start, root
	b.next[start+block-1], b.prev[first] = first, start+block-1
}

func (b *trieBuilder) take(place, parent int32) {
	b.states[place].check = parent
	if place != root {
		b.next[b.prev[place]], b.prev[b.next[place]] = b.next[place], b.prev[place]
	}
}
