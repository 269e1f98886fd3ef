package pipeline

import (
	"runtime"
	"slices"
	"sync"
)

// loaders is how many shards a stream reads at a time ahead of their use.
func loaders() int { return min(2, runtime.GOMAXPROCS(0)) }

// cache holds up to size shards and loads more in the background. The shard that
// was wanted longest ago makes room; it is closed when the last who copies from
// it is done.
type cache struct {
	size int
	load func(ShardInfo) (circle, error)

	mu      sync.Mutex
	entries map[string]*entry // by file
	clock   int
	closed  bool
	queue   []ShardInfo // to load in the background, next first
	loading sync.WaitGroup
	running int // background loaders
}

// entry is a shard that is loaded or being loaded.
type entry struct {
	ready  chan struct{} // closed when circle or err are there
	circle circle
	err    error
	used   int // when it was wanted last
	users  int // the cache, while it has the entry, and those who asked for it
}

func newCache(size int, load func(ShardInfo) (circle, error)) *cache {
	return &cache{size: size, load: load, entries: map[string]*entry{}}
}

// get returns a shard, loading it if nobody has begun to. It stays whole until
// it is given back by put. An error is not kept: the next get tries again.
func (c *cache) get(s ShardInfo) (*entry, error) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil, errClosed
	}
	e, mine := c.claim(s)
	c.mu.Unlock()
	if mine {
		c.fill(s, e)
	}
	<-e.ready
	if e.err != nil {
		c.put(e)
		return nil, e.err
	}
	return e, nil
}

// put gives a shard back.
func (c *cache) put(e *entry) {
	c.mu.Lock()
	c.drop(e)
	c.mu.Unlock()
}

// claim returns the entry of a shard, with the caller among its users, and
// whether the caller has to fill it. It is called with the lock held.
func (c *cache) claim(s ShardInfo) (e *entry, mine bool) {
	c.clock++
	e, ok := c.entries[s.File]
	if !ok {
		for len(c.entries) >= c.size {
			c.evict()
		}
		e = &entry{ready: make(chan struct{}), users: 1}
		c.entries[s.File] = e
	}
	e.used = c.clock
	e.users++
	return e, !ok
}

func (c *cache) evict() {
	oldest := ""
	for file, e := range c.entries {
		if oldest == "" || e.used < c.entries[oldest].used {
			oldest = file
		}
	}
	c.forget(oldest, c.entries[oldest])
}

// forget takes an entry out, if it is still there.
func (c *cache) forget(file string, e *entry) {
	if c.entries[file] == e {
		delete(c.entries, file)
		c.drop(e)
	}
}

// drop takes away a user. Who fills an entry is one until it is filled.
func (c *cache) drop(e *entry) {
	if e.users--; e.users == 0 && e.circle != nil {
		e.circle.close()
	}
}

func (c *cache) fill(s ShardInfo, e *entry) {
	e.circle, e.err = c.load(s)
	close(e.ready)
	if e.err != nil {
		c.mu.Lock()
		c.forget(s.File, e)
		c.mu.Unlock()
	}
}

// prefetch has shards loaded in the background, in their order, instead of
// what was asked for before.
func (c *cache) prefetch(shards []ShardInfo) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.queue = slices.Clone(shards)
	for c.running < min(loaders(), len(c.queue)) {
		c.running++
		c.loading.Go(c.work)
	}
}

func (c *cache) work() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.closed && len(c.queue) > 0 {
		s := c.queue[0]
		c.queue = c.queue[1:]
		e, mine := c.claim(s)
		if mine {
			c.mu.Unlock()
			c.fill(s, e)
			c.mu.Lock()
		}
		c.drop(e)
	}
	c.running--
}

// close drops everything and waits for the loaders.
func (c *cache) close() {
	c.mu.Lock()
	c.closed, c.queue = true, nil
	c.mu.Unlock()
	c.loading.Wait()
	c.mu.Lock()
	for file, e := range c.entries {
		c.forget(file, e)
	}
	c.mu.Unlock()
}
