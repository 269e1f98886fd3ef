package kernels

import "math"

// Cache holds the keys and values of one attention layer for sequences that grow
// by a position at a time. Values lie with their positions side by side, so that
// either product of attention is one of contiguous numbers.
type Cache struct {
	b, l, heads, hd int
	keys            []float32 // [b, heads, l, hd]
	values          []float32 // [b, heads, hd, l]
	scores          []float32 // [b, heads, l]
}

// NewCache takes the memory for b sequences of up to l positions.
func NewCache(b, l, heads, hd int) *Cache {
	n := b * heads * l
	return &Cache{
		b: b, l: l, heads: heads, hd: hd,
		keys: Floats(n * hd), values: Floats(n * hd), scores: Floats(n),
	}
}

// CacheBytes is the memory of a cache.
func CacheBytes(b, l, heads, hd int) int { return 4 * b * heads * l * (2*hd + 1) }

// AttentionCached is what causal Attention gives for position at of b sequences,
// whose earlier positions the cache has seen. qkv [b, 3*heads*hd] holds that
// position's row of every sequence, o [b, heads*hd] receives its result; its keys
// and values are put into the cache.
func (p *Pool) AttentionCached(o, qkv []float32, c *Cache, b, at int) {
	width := c.heads * c.hd
	if b > c.b || at < 0 || at >= c.l {
		panic("kernels: attention: outside of the cache")
	}
	need("o", o, b, width)
	need("qkv", qkv, b, 3*width)
	p.mu.Lock()
	p.cached = cachedJob{cache: c, o: o, qkv: qkv, at: at, scale: float32(1 / math.Sqrt(float64(c.hd)))}
	seen := b * (at + 1) * width
	p.call(shape{"attention cached", 1, c.l, c.hd}, 4*seen, 2*seen, b*c.heads, &p.cached)
	p.cached = cachedJob{}
	p.mu.Unlock()
}

type cachedJob struct {
	cache  *Cache
	o, qkv []float32
	at     int
	scale  float32
}

// do computes one head of one sequence.
func (j *cachedJob) do(w *worker, i int) {
	s, c, hd, n := w.isa, j.cache, j.cache.hd, j.at+1
	width := c.heads * hd
	row := j.qkv[i/c.heads*3*width+i%c.heads*hd:]
	query, key, value := row[:hd], row[width:width+hd], row[2*width:2*width+hd]
	keys, values := c.keys[i*c.l*hd:(i+1)*c.l*hd], c.values[i*c.l*hd:(i+1)*c.l*hd]

	copy(keys[j.at*hd:], key)
	for k, v := range value {
		values[k*c.l+j.at] = v
	}
	scores := c.scores[i*c.l : i*c.l+n]
	for k := range scores {
		scores[k] = s.dot(query, keys[k*hd:(k+1)*hd])
	}
	sum := s.expSum(scores, scores, j.scale, s.max(scores)*j.scale)
	o := j.o[i*hd : (i+1)*hd]
	for k := range o {
		o[k] = s.dot(scores, values[k*c.l:k*c.l+n]) / sum
	}
}
