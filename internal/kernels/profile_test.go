package kernels

import (
	"testing"
	"time"
)

func TestProfileCountsCalls(t *testing.T) {
	p := NewPool(2)
	defer p.Close()
	r := newRand(1)
	a, b, c := random(r, 12), random(r, 20), make([]float32, 15)
	p.MatMul(c, a, b, 3, 5, 4, Op{}) // before: not counted
	stop := p.Profile()
	for range 3 {
		p.MatMul(c, a, b, 3, 5, 4, Op{})
	}
	p.MatMul(c, a, b, 3, 5, 4, Op{TransA: true})
	p.Gelu(c, c)
	stats := stop()
	p.Gelu(c, c) // after: not counted

	got := map[string]Stat{}
	for _, s := range stats {
		got[s.Kernel] = s
	}
	if n := got["matmul NN"]; n.Calls != 3 || n.FLOPs != 3*2*3*5*4 || n.Bytes != 3*4*(12+20+15) || n.M != 3 || n.N != 5 || n.K != 4 {
		t.Errorf("matmul NN: %+v", n)
	}
	if len(stats) != 3 || got["matmul TN"].Calls != 1 || got["gelu"].Calls != 1 {
		t.Errorf("stats: %+v", stats)
	}
	for i := range stats[1:] {
		if stats[i].Time < stats[i+1].Time {
			t.Error("not in order of time")
		}
	}
}

func TestLimitsAreMeasured(t *testing.T) {
	p := NewPool(2)
	defer p.Close()
	if got := p.Bandwidth(time.Millisecond); got <= 0 {
		t.Errorf("bandwidth %g", got)
	}
	if got := p.Peak(time.Millisecond); (got > 0) != (p.isa != generic) {
		t.Errorf("peak %g at level %s", got, p.Level())
	}
}
