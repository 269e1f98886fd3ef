package pipeline

import (
	"fmt"
	"slices"
	"sync"
)

// cache holds the tokens of up to size shards and loads more in the background.
// The shard that was wanted longest ago makes room.
type cache struct {
	size int
	load func(shard int) (tokens, error)

	mu      sync.Mutex
	entries map[int]*entry
	clock   int
	closed  bool
	queue   []int // shards to load in the background, next first
	loader  sync.WaitGroup
	running bool
}

// entry is a shard that is loaded or being loaded.
type entry struct {
	ready  chan struct{} // closed when tokens or err are there
	tokens tokens
	err    error
	used   int
}

func newCache(size int, load func(int) (tokens, error)) *cache {
	return &cache{size: size, load: load, entries: map[int]*entry{}}
}

// get returns the tokens of a shard, loading it if nobody has begun to. An
// error is not kept: the next get tries again.
func (c *cache) get(shard int) (tokens, error) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return tokens{}, errClosed
	}
	e, mine := c.claim(shard)
	c.mu.Unlock()
	if mine {
		c.fill(shard, e)
	}
	<-e.ready
	return e.tokens, e.err
}

// claim returns the entry of a shard and whether the caller has to fill it. It
// is called with the lock held.
func (c *cache) claim(shard int) (e *entry, mine bool) {
	c.clock++
	e, ok := c.entries[shard]
	if !ok {
		for len(c.entries) >= c.size {
			c.evict()
		}
		e = &entry{ready: make(chan struct{})}
		c.entries[shard] = e
	}
	e.used = c.clock
	return e, !ok
}

func (c *cache) evict() {
	oldest := -1
	for shard, e := range c.entries {
		if oldest < 0 || e.used < c.entries[oldest].used {
			oldest = shard
		}
	}
	delete(c.entries, oldest)
}

func (c *cache) fill(shard int, e *entry) {
	e.tokens, e.err = c.load(shard)
	close(e.ready)
	if e.err != nil {
		c.mu.Lock()
		if c.entries[shard] == e {
			delete(c.entries, shard)
		}
		c.mu.Unlock()
	}
}

// prefetch has shards loaded in the background, in their order, instead of
// what was asked for before.
func (c *cache) prefetch(shards []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.queue = slices.Clone(shards)
	if !c.running {
		c.running = true
		c.loader.Go(c.work)
	}
}

func (c *cache) work() {
	for {
		c.mu.Lock()
		if c.closed || len(c.queue) == 0 {
			c.running = false
			c.mu.Unlock()
			return
		}
		shard := c.queue[0]
		c.queue = c.queue[1:]
		e, mine := c.claim(shard)
		c.mu.Unlock()
		if mine {
			c.fill(shard, e)
		}
	}
}

// close drops everything and waits for the loader.
func (c *cache) close() {
	c.mu.Lock()
	c.closed, c.queue = true, nil
	c.mu.Unlock()
	c.loader.Wait()
	c.mu.Lock()
	c.entries = map[int]*entry{}
	c.mu.Unlock()
}

// tokens is a shard as training reads it, in the width of its file.
type tokens struct {
	narrow []uint16
	wide   []uint32
}

func (t tokens) len() int { return len(t.narrow) + len(t.wide) }

// copy copies the circle from a place on.
func (t tokens) copy(dst []int32, from int) {
	if t.wide != nil {
		copyCircle(dst, t.wide, from)
	} else {
		copyCircle(dst, t.narrow, from)
	}
}

func copyCircle[T uint16 | uint32](dst []int32, circle []T, from int) {
	for i := range dst {
		dst[i] = int32(circle[from])
		if from++; from == len(circle) {
			from = 0
		}
	}
}

// load reads the tokens of a shard, with EOS after each document.
func (d *Dataset) load(s ShardInfo) (t tokens, err error) {
	data, err := readShard(d.dir, s)
	if err != nil {
		return t, err
	}
	if wide(d.manifest.Plan.Tokenizer.Size) {
		t.wide, err = circleOf[uint32](data, s, d.manifest)
	} else {
		t.narrow, err = circleOf[uint16](data, s, d.manifest)
	}
	return t, err
}

func circleOf[T uint16 | uint32](data []byte, s ShardInfo, m *Manifest) ([]T, error) {
	eos := m.Plan.Tokenizer.EOS
	n := m.circle(s)
	// The manifest says how much room it takes, and is believed as far as bytes of
	// a file can go.
	circle := make([]T, 0, min(n, 64*int64(len(data))))
	err := eachRow(data, s, m.Plan, false, func(r *row[T]) error {
		circle = append(circle, r.Tokens...)
		if eos >= 0 {
			circle = append(circle, T(eos))
		}
		if int64(len(circle)) > n {
			return damaged(s, fmt.Errorf("it has more tokens than the %d in the manifest", s.Tokens))
		}
		return nil
	})
	if err == nil && int64(len(circle)) != n {
		err = damaged(s, fmt.Errorf("it has fewer tokens than the %d in the manifest", s.Tokens))
	}
	return slices.Clip(circle), err
}
