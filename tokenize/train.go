package tokenize

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
)

// minPairCount is how often a pair must occur to become a token: one seen once
// teaches nothing. Hugging Face's ByteLevelBPETokenizer has the same default.
const minPairCount = 2

// baseVocab is <eos> and the 256 bytes.
const baseVocab = 257

// TrainBPE returns a byte-level BPE tokenizer of at most vocab tokens: <eos> is 0,
// the bytes follow in the order of their printable forms, then the merges, the most
// frequent pair first and, of equals, the one of lower ids. This is the vocabulary
// that Hugging Face's BpeTrainer makes of the same documents. It has fewer tokens
// than asked for when no pair is left that occurs twice, and fails if docs hold no
// text or if vocab is outside 257..2^20.
func TrainBPE(docs iter.Seq[string], vocab int) (*Tokenizer, error) {
	if vocab < baseVocab || vocab > maxVocab {
		return nil, fmt.Errorf("train BPE tokenizer: the vocabulary must have %d to %d tokens (<eos> and the 256 bytes come first), got %d", baseVocab, maxVocab, vocab)
	}
	counts := countWords(docs)
	if len(counts) == 0 {
		return nil, errors.New("train BPE tokenizer: the documents hold no text")
	}
	tokens := append(make([]string, 0, vocab), eosToken)
	alphabet := byteAlphabet()
	order := make([]int, 256)
	for b := range order {
		order[b] = b
	}
	slices.SortFunc(order, func(a, b int) int { return int(alphabet[a]) - int(alphabet[b]) })
	for _, b := range order {
		tokens = append(tokens, string([]byte{byte(b)}))
	}
	tr := newTrainer(tokens, counts)
	for len(tr.tokens) < vocab && tr.step() {
	}
	special := make([]bool, len(tr.tokens))
	special[0] = true
	return newByteLevel(tr.tokens, special, tr.merges)
}

// countWords counts the distinct words of docs.
func countWords(docs iter.Seq[string]) map[string]int64 {
	c := unicodeClasses()
	counts := map[string]*int64{}
	for doc := range docs {
		for len(doc) > 0 {
			n := c.word(doc)
			if count := counts[doc[:n]]; count != nil {
				*count++
			} else {
				one := int64(1)
				counts[strings.Clone(doc[:n])] = &one
			}
			doc = doc[n:]
		}
	}
	out := make(map[string]int64, len(counts))
	for w, n := range counts {
		out[w] = *n
	}
	return out
}

// trainer holds the words as they stand after the merges so far, with the count of
// every pair and the words that have it.
type trainer struct {
	tokens []string
	ids    map[string]int32
	merges [][2]int32
	words  [][]int32
	counts []int64 // of the words
	pairs  map[[2]int32]*pairStat
	queue  heap[frequent]
}

type pairStat struct {
	count int64   // over all words
	words []int32 // those that have the pair, or had it
}

// frequent is a pair in the queue; its count may have fallen since.
type frequent struct {
	count int64
	pair  [2]int32
}

func (a frequent) Before(b frequent) bool {
	if a.count != b.count {
		return a.count > b.count
	}
	return slices.Compare(a.pair[:], b.pair[:]) < 0
}

func newTrainer(tokens []string, counts map[string]int64) *trainer {
	tr := &trainer{tokens: tokens, ids: map[string]int32{}, pairs: map[[2]int32]*pairStat{}}
	var bytes [256]int32
	for id, token := range tokens {
		if token != eosToken {
			tr.ids[token] = int32(id)
			bytes[token[0]] = int32(id)
		}
	}
	for _, word := range slices.Sorted(maps.Keys(counts)) {
		if len(word) < 2 {
			continue
		}
		w := int32(len(tr.words))
		symbols := make([]int32, len(word))
		for i := range symbols {
			symbols[i] = bytes[word[i]]
			if i > 0 {
				tr.add([2]int32{symbols[i-1], symbols[i]}, w, counts[word])
			}
		}
		tr.words = append(tr.words, symbols)
		tr.counts = append(tr.counts, counts[word])
	}
	for pair, stat := range tr.pairs {
		tr.queue.push(frequent{stat.count, pair})
	}
	return tr
}

// add counts n more of a pair, which word w has.
func (tr *trainer) add(pair [2]int32, w int32, n int64) {
	stat := tr.pairs[pair]
	if stat == nil {
		stat = new(pairStat)
		tr.pairs[pair] = stat
	}
	stat.count += n
	if k := len(stat.words); k == 0 || stat.words[k-1] != w {
		stat.words = append(stat.words, w)
	}
}

// step makes the most frequent pair a token and reports false if none is frequent
// enough.
func (tr *trainer) step() bool {
	for len(tr.queue) > 0 {
		top := tr.queue.pop()
		stat := tr.pairs[top.pair]
		if stat == nil || stat.count < minPairCount {
			continue
		}
		if stat.count != top.count {
			tr.queue.push(frequent{stat.count, top.pair})
			continue
		}
		tr.join(top.pair, stat.words)
		return true
	}
	return false
}

// join merges a pair in all words that have it.
func (tr *trainer) join(pair [2]int32, words []int32) {
	text := tr.tokens[pair[0]] + tr.tokens[pair[1]]
	made, ok := tr.ids[text]
	if !ok {
		made = int32(len(tr.tokens))
		tr.tokens = append(tr.tokens, text)
		tr.ids[text] = made
	}
	tr.merges = append(tr.merges, pair)
	grown := map[[2]int32]bool{}
	for _, w := range words {
		tr.words[w] = tr.joinWord(tr.words[w], w, pair, made, grown)
	}
	delete(tr.pairs, pair)
	for p := range grown {
		if stat := tr.pairs[p]; stat != nil && stat.count >= minPairCount {
			tr.queue.push(frequent{stat.count, p})
		}
	}
}

// joinWord merges a pair in one word, from left to right, and moves the counts of
// the pairs on either side. Pairs whose count grew are noted in grown.
func (tr *trainer) joinWord(symbols []int32, w int32, pair [2]int32, made int32, grown map[[2]int32]bool) []int32 {
	n := tr.counts[w]
	move := func(from, to [2]int32) {
		if stat := tr.pairs[from]; stat != nil {
			stat.count -= n
		}
		tr.add(to, w, n)
		grown[to] = true
	}
	out := symbols[:0]
	for i := 0; i < len(symbols); i++ {
		if i+1 == len(symbols) || symbols[i] != pair[0] || symbols[i+1] != pair[1] {
			out = append(out, symbols[i])
			continue
		}
		if k := len(out); k > 0 {
			move([2]int32{out[k-1], pair[0]}, [2]int32{out[k-1], made})
		}
		if i+2 < len(symbols) {
			move([2]int32{pair[1], symbols[i+2]}, [2]int32{made, symbols[i+2]})
		}
		out = append(out, made)
		i++
	}
	return out
}
