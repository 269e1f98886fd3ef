package kernels

import (
	"fmt"
	"math"
	"testing"
)

func TestAttentionCachedAgainstFloat64(t *testing.T) {
	for _, c := range []struct{ b, l, heads, hd int }{
		{1, 1, 1, 1},
		{2, 3, 2, 2},
		{1, 17, 3, 7},
		{3, 70, 2, 32},
		{1, 300, 1, 64},
	} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			r := newRand(uint64(c.l))
			width := c.heads * c.hd
			qkv := random(r, c.b*c.l*3*width)
			want, _, _ := refAttention(qkv, make([]float32, c.b*c.l*width), c.b, c.l, c.heads, c.hd, true)
			forEachLevel(t, func(t *testing.T, p *Pool) {
				cache := NewCache(c.b, c.l, c.heads, c.hd)
				row, got := make([]float32, c.b*3*width), make([]float32, c.b*width)
				for at := range c.l {
					var expected []float64
					for s := range c.b {
						copy(row[s*3*width:(s+1)*3*width], qkv[(s*c.l+at)*3*width:])
						expected = append(expected, want[(s*c.l+at)*width:(s*c.l+at+1)*width]...)
					}
					p.AttentionCached(got, row, cache, c.b, at)
					// as in TestAttentionAgainstFloat64
					expectClose(t, "o", got, expected, constant(len(got), 8+math.Sqrt(float64(c.hd))), 1e-6)
				}
			})
		})
	}
}

// A cache may be used again, by fewer sequences, without a trace of the others.
func TestAttentionCachedBeginsAnew(t *testing.T) {
	p := NewPool(2)
	defer p.Close()
	r := newRand(1)
	const b, l, heads, hd, width = 3, 9, 2, 8, 16
	qkv := random(r, l*3*width)
	used, fresh := NewCache(b, l, heads, hd), NewCache(1, l, heads, hd)
	got, want := make([]float32, b*width), make([]float32, width)
	for at := range l {
		p.AttentionCached(got, random(r, b*3*width), used, b, at)
	}
	for at := range l {
		p.AttentionCached(got, qkv[at*3*width:], used, 1, at)
		p.AttentionCached(want, qkv[at*3*width:], fresh, 1, at)
		for i, v := range want {
			if got[i] != v {
				t.Fatalf("position %d: number %d is %g, from a fresh cache %g", at, i, got[i], v)
			}
		}
	}
}

func BenchmarkAttentionCached(b *testing.B) {
	for _, l := range []int{64, 256, 1024} {
		b.Run(fmt.Sprintf("l=%d", l), func(b *testing.B) {
			const batch, heads, hd = 8, 4, 32
			p := NewPool(1)
			defer p.Close()
			c, qkv := NewCache(batch, l, heads, hd), random(newRand(1), batch*3*heads*hd)
			o := make([]float32, batch*heads*hd)
			measure(b, float64(4*batch*l*heads*hd), func() { p.AttentionCached(o, qkv, c, batch, l-1) })
		})
	}
}
