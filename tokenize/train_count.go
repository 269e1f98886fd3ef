package tokenize

import (
	"iter"
	"maps"
	"runtime"
	"slices"
	"sync"
	"unsafe"
)

// Bounds on the memory of training. Words are counted exactly whatever they are;
// trainedBytes is where the least frequent ones begin to be left out.
const (
	tableBytes   = 128 << 20 // of words while they are counted; more goes to disk
	trainedBytes = 16 << 20  // of distinct words that a vocabulary is learnt from
	longestWord  = 1 << 20   // bytes; longer words are cut
	countBatch   = 256 << 10 // bytes of text that a worker takes at a time
)

// splitter calls word for every word of a text.
type splitter func(text string, word func(string))

// countWords counts the distinct words of docs. If they have more than trainedBytes
// together, only the most frequent are returned; see [pick].
func countWords(docs iter.Seq[string], split splitter) (*words, error) {
	c := counter{split: split, workers: runtime.GOMAXPROCS(0), table: tableBytes, keep: trainedBytes}
	return c.count(docs)
}

// counter counts words on several goroutines, each of which has a table of its own.
// Counts are sums, so it does not matter who counts what.
type counter struct {
	split   splitter
	workers int
	table   int   // bytes of all tables together
	keep    int64 // bytes of words to return
	runs    runs
}

func (c *counter) count(docs iter.Seq[string]) (*words, error) {
	defer c.runs.close()
	tables := make([]*wordTable, max(1, c.workers))
	for i := range tables {
		tables[i] = newWordTable()
	}
	if err := c.fill(tables, docs); err != nil {
		return nil, err
	}
	if c.runs.len() == 0 {
		all := tables[0]
		for i, t := range tables[1:] {
			t.each(func(word []byte, n int64) { all.add(unsafe.String(unsafe.SliceData(word), len(word)), n) })
			tables[i+1] = nil
		}
		if int64(len(all.text)) <= c.keep {
			counted := all.words // without the index
			return &counted, nil
		}
		return pick(all.each, c.keep)
	}
	for i, t := range tables {
		if err := c.runs.write(t); err != nil {
			return nil, err
		}
		tables[i] = nil
	}
	return pick(c.runs.each, c.keep)
}

// fill hands the documents out to a worker for each table.
func (c *counter) fill(tables []*wordTable, docs iter.Seq[string]) error {
	batches := make(chan []string)
	failed := make(chan error, len(tables))
	var wg sync.WaitGroup
	for _, t := range tables {
		wg.Go(func() {
			for batch := range batches {
				if err := c.take(t, batch); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	var err error
	func() {
		defer close(batches)
		var batch []string
		size := 0
		send := func() bool {
			select {
			case batches <- batch:
			case err = <-failed:
				return false
			}
			batch, size = nil, 0
			return true
		}
		for doc := range docs {
			batch = append(batch, doc)
			if size += len(doc); size >= countBatch && !send() {
				return
			}
		}
		send()
	}()
	wg.Wait()
	if err == nil && len(failed) > 0 {
		err = <-failed
	}
	return err
}

// take counts the words of documents in a table, and writes the table out whenever
// it has its share of the memory.
func (c *counter) take(t *wordTable, docs []string) (err error) {
	limit := c.table / max(1, c.workers)
	count := func(word string) {
		if t.size() > limit && t.len() > 0 && err == nil {
			err = c.runs.write(t)
		}
		t.add(word, 1)
	}
	for _, doc := range docs {
		c.split(doc, func(word string) {
			for len(word) > longestWord {
				count(word[:longestWord])
				word = word[longestWord:]
			}
			count(word)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// pick returns the most frequent words that each gives, of at most size bytes
// together. Of those that are as rare as the rarest that fit, a share is taken by
// their hash, so that no script or spelling is favoured.
func pick(each func(do func(word []byte, n int64)) error, size int64) (*words, error) {
	lengths := map[int64]int64{} // bytes of all words of each count
	if err := each(func(word []byte, n int64) { lengths[n] += int64(len(word)) }); err != nil {
		return nil, err
	}
	rarest, share := rarestKept(lengths, size)
	kept := new(words)
	err := each(func(word []byte, n int64) {
		if n > rarest || n == rarest && uniform(word) < share {
			kept.append(word, n)
		}
	})
	return kept, err
}

// rarestKept returns the count of the rarest words that fit into size bytes with all
// that are more frequent, and the share of these rarest ones that fits.
func rarestKept(lengths map[int64]int64, size int64) (rarest int64, share float64) {
	for _, n := range slices.Backward(slices.Sorted(maps.Keys(lengths))) {
		if lengths[n] > size {
			return n, float64(size) / float64(lengths[n])
		}
		size -= lengths[n]
	}
	return 0, 0
}

// uniform maps a word to 0 <= u < 1 (FNV-1a, with the finalizer of splitmix64).
func uniform(word []byte) float64 {
	h := uint64(14695981039346656037)
	for _, b := range word {
		h = (h ^ uint64(b)) * 1099511628211
	}
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return float64((h^h>>31)>>11) / (1 << 53)
}
