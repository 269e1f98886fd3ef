package tokenize

import "slices"

// minPairCount is how often a pair must occur to become a token: one seen once
// teaches nothing. Hugging Face's ByteLevelBPETokenizer has the same default.
const minPairCount = 2

// learner finds the merges of a vocabulary: again and again the most frequent pair
// of neighbours becomes a token. It holds the words as they stand after the merges
// so far, the count of every pair, and a queue of pairs with the places where each
// came up.
//
//	queue ──best pair──▶ its blocks: join, note the new pairs on either side
//	  ▲                      │
//	  └──── new pairs ◀──────┘
//
// The order is that of Hugging Face's BpeTrainer: the highest count first, and of
// equals the lower left id, then the lower right id.
//
// A string of characters always merges in the same way as long as nothing merges
// across its ends. So no token is made of two different pairs, and a pair comes up
// when the younger of its tokens is made, and never again: it has one entry in the
// queue, which can be dropped when its count is zero.
type learner struct {
	tokens  []string
	concat  func(left, right string) string // the token that two make
	merges  [][2]int32
	symbols []int32
	blocks  []wordBlock
	pairs   *pairCounts
	queue   heap[pairPlace]
	where   []uint32  // the blocks of all places
	before  tokenSide // of the token made in this step
	after   tokenSide
}

// wordBlock is a part of a word, short enough to be looked through for a pair. What it
// holds shrinks; an empty one is as if it were not there.
type wordBlock struct {
	count int64 // of the word
	start uint32
	n     uint8
	inner bool // goes on with the word of the block before
}

const wordBlockSymbols = 64

// pairPlace is an entry of the queue: a pair, and blocks that have it or had it. Its
// count may have changed since.
type pairPlace struct {
	count int64
	pair  tokenPair
	from  uint32 // where[from:][:n]
	n     uint32
}

func (a pairPlace) Before(b pairPlace) bool {
	if a.count != b.count {
		return a.count > b.count
	}
	return a.pair < b.pair
}

// newLearner begins with tokens. symbolize appends the tokens of one word to dst;
// words of fewer than two tokens have no pair and are left out.
func newLearner(tokens []string, w *words, symbolize func(dst []int32, word []byte) []int32, concat func(left, right string) string) *learner {
	l := &learner{tokens: tokens, concat: concat, pairs: newPairCounts(), symbols: make([]int32, 0, len(w.text))}
	for i, count := range w.counts {
		start := len(l.symbols)
		l.symbols = symbolize(l.symbols, w.at(i))
		if len(l.symbols) < start+2 {
			l.symbols = l.symbols[:start]
			continue
		}
		for at := start; at < len(l.symbols); at += wordBlockSymbols {
			n := min(wordBlockSymbols, len(l.symbols)-at)
			l.blocks = append(l.blocks, wordBlock{count, uint32(at), uint8(n), at > start})
		}
	}
	l.index()
	return l
}

// index counts the pairs of all blocks and makes their first places.
func (l *learner) index() {
	numbers := newPairCounts() // of the pairs, from one
	var places []pairPlace
	last := []uint32{0} // by number: the last block that has the pair, plus one
	for round := range 2 {
		for b := range l.blocks {
			l.eachPair(uint32(b), func(pair tokenPair) {
				i := numbers.get(pair)
				if i == 0 {
					i = int64(len(places)) + 1
					numbers.add(pair, i)
					places = append(places, pairPlace{pair: pair})
					last = append(last, 0)
				}
				p := &places[i-1]
				if round == 0 {
					p.count += l.blocks[b].count
				}
				if last[i] == uint32(b)+1 {
					return
				}
				last[i] = uint32(b) + 1
				if round == 1 {
					l.where[p.from+p.n] = uint32(b)
				}
				p.n++
			})
		}
		if round == 1 {
			break
		}
		total := uint32(0)
		for i := range places {
			places[i].from, total, places[i].n = total, total+places[i].n, 0
		}
		l.where = make([]uint32, total, roomFor(int(total)))
		clear(last)
	}
	for _, p := range places {
		l.pairs.add(p.pair, p.count)
	}
	l.queue = places
	l.queue.order()
}

// eachPair calls do for the pairs whose left token is in block b.
func (l *learner) eachPair(b uint32, do func(tokenPair)) {
	s := l.held(b)
	for i := 1; i < len(s); i++ {
		do(pairOf(s[i-1], s[i]))
	}
	if next, ok := l.next(b); ok && len(s) > 0 {
		do(pairOf(s[len(s)-1], l.held(next)[0]))
	}
}

// held are the tokens of block b.
func (l *learner) held(b uint32) []int32 {
	return l.symbols[l.blocks[b].start:][:l.blocks[b].n]
}

// next returns the block after b in the same word that is not empty.
func (l *learner) next(b uint32) (uint32, bool) {
	for b++; int(b) < len(l.blocks) && l.blocks[b].inner; b++ {
		if l.blocks[b].n > 0 {
			return b, true
		}
	}
	return 0, false
}

// prev returns the block before b in the same word that is not empty.
func (l *learner) prev(b uint32) (uint32, bool) {
	for l.blocks[b].inner {
		if b--; l.blocks[b].n > 0 {
			return b, true
		}
	}
	return 0, false
}

// learn merges until there are vocab tokens or no pair is frequent enough.
func (l *learner) learn(vocab int) {
	l.before, l.after = newSide(vocab), newSide(vocab)
	for len(l.tokens) < vocab && len(l.queue) > 0 {
		top := &l.queue[0]
		if n := l.pairs.get(top.pair); n != top.count {
			top.count = n
			l.queue.sink(0)
			continue
		}
		if top.count < minPairCount {
			return
		}
		l.merge(l.queue.pop())
	}
}

// merge makes the pair of a place a token, in the blocks of that place.
func (l *learner) merge(p pairPlace) {
	left, right := p.pair.left(), p.pair.right()
	made := int32(len(l.tokens))
	l.tokens = append(l.tokens, l.concat(l.tokens[left], l.tokens[right]))
	l.merges = append(l.merges, [2]int32{left, right})
	for _, b := range l.where[p.from:][:p.n] {
		l.join(b, left, right, made)
	}
	for _, t := range l.before.touched {
		n := l.before.counts[t]
		l.pairs.add(pairOf(t, left), -n)
		l.pairs.add(pairOf(t, made), n)
	}
	for _, t := range l.after.touched {
		n := l.after.counts[t]
		l.pairs.add(pairOf(right, t), -n)
		l.pairs.add(pairOf(made, t), n)
	}
	l.offer(&l.before, func(t int32) tokenPair { return pairOf(t, made) })
	l.offer(&l.after, func(t int32) tokenPair { return pairOf(made, t) })
}

// join merges a pair in one block, from left to right, and notes what stands on
// either side. The right token may be the first of a later block, which loses it.
func (l *learner) join(b uint32, left, right, made int32) {
	s, count := l.held(b), l.blocks[b].count
	out := 0
	for i := 0; i < len(s); i++ {
		s[out] = s[i]
		out++
		if s[i] != left {
			continue
		}
		if i+1 < len(s) {
			if s[i+1] != right {
				continue
			}
			i++
		} else {
			next, ok := l.next(b)
			if !ok || l.held(next)[0] != right {
				continue
			}
			l.blocks[next].start++
			l.blocks[next].n--
		}
		s[out-1] = made
		if out > 1 {
			l.noteBefore(s[out-2], made, b, count)
		} else if p, ok := l.prev(b); ok {
			held := l.held(p)
			l.noteBefore(held[len(held)-1], made, p, count)
		}
		if i+1 < len(s) {
			l.noteAfter(s[i+1], b, count)
		} else if next, ok := l.next(b); ok {
			l.noteAfter(l.held(next)[0], b, count)
		}
	}
	l.blocks[b].n = uint8(out)
}

// noteBefore notes that token t, of block b, now stands before the one made.
func (l *learner) noteBefore(t, made int32, b uint32, count int64) {
	l.before.add(t, count)
	if t == made {
		l.after.note(made, b) // the same pair as that of the one made with itself after it
	} else {
		l.before.note(t, b)
	}
}

// noteAfter notes that token t stands after the one made, which is in block b.
func (l *learner) noteAfter(t int32, b uint32, count int64) {
	l.after.add(t, count)
	l.after.note(t, b)
}

// offer puts the pairs of one side into the queue and clears the side.
func (l *learner) offer(s *tokenSide, pairWith func(t int32) tokenPair) {
	if len(l.where)+len(s.notes) > cap(l.where) {
		l.tidy()
	}
	from := uint32(len(l.where))
	l.where = append(l.where, make([]uint32, len(s.notes))...)
	for _, t := range s.touched {
		pair := pairWith(t)
		if n := l.pairs.get(pair); n > 0 && s.sizes[t] > 0 {
			l.queue.push(pairPlace{n, pair, from, s.sizes[t]})
		}
		from, s.sizes[t] = from+s.sizes[t], from
	}
	for _, note := range s.notes {
		l.where[s.sizes[note.token]] = note.block
		s.sizes[note.token]++
	}
	s.clear()
}

// roomFor is how many blocks there is room for when n are in use: tidying up is due
// when half as many have been added, so that it takes a share of the time only.
func roomFor(n int) int { return max(n+n/2, 1<<20) }

// tidy drops what is in the queue of pairs that are gone, and their blocks.
func (l *learner) tidy() {
	l.queue = slices.DeleteFunc(l.queue, func(p pairPlace) bool { return l.pairs.get(p.pair) == 0 })
	total := 0
	for _, p := range l.queue {
		total += int(p.n)
	}
	where := make([]uint32, 0, roomFor(total))
	for i := range l.queue {
		p := &l.queue[i]
		from := uint32(len(where))
		where = append(where, l.where[p.from:][:p.n]...)
		p.from = from
	}
	l.where = where
	l.queue.order()
}

// tokenSide gathers, during one merge, what stands on one side of the new token.
type tokenSide struct {
	touched []int32  // the tokens that do
	counts  []int64  // by token: how often
	sizes   []uint32 // by token: its notes
	last    []uint32 // by token: the last block noted, plus one
	notes   []pairNote
}

type pairNote struct {
	token int32
	block uint32
}

func newSide(vocab int) tokenSide {
	return tokenSide{counts: make([]int64, vocab), sizes: make([]uint32, vocab), last: make([]uint32, vocab)}
}

func (s *tokenSide) touch(t int32) {
	if s.counts[t] == 0 && s.last[t] == 0 {
		s.touched = append(s.touched, t)
	}
}

func (s *tokenSide) add(t int32, count int64) {
	s.touch(t)
	s.counts[t] += count
}

// note notes a block for t. Blocks come in their order.
func (s *tokenSide) note(t int32, b uint32) {
	s.touch(t)
	if s.last[t] == b+1 {
		return
	}
	s.last[t] = b + 1
	s.sizes[t]++
	s.notes = append(s.notes, pairNote{t, b})
}

func (s *tokenSide) clear() {
	for _, t := range s.touched {
		s.counts[t], s.sizes[t], s.last[t] = 0, 0, 0
	}
	s.touched, s.notes = s.touched[:0], s.notes[:0]
}
