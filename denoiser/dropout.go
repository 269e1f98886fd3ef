package denoiser

import "github.com/seed-4c77ef92/textwarp/internal/rng"

// thinning zeroes a share of what goes into a block's attention and of its MLP's
// hidden units, and scales up the rest: dropout (Srivastava et al., JMLR 15,
// 2014). It is linear, so that the gradient takes the same way.
type thinning struct {
	keep                 uint32 // of 65536; none is dropped at 0
	seed, step, sequence uint64

	x     []float32 // [b, n] what is thinned now
	n     int
	place uint64 // in the network
}

// The places of a block at which it is thinned.
const (
	attentionInput = iota
	hiddenUnits
	numPlaces
)

// Thin drops a share, from 0 to below 1, in the next Forward and the Backward
// after it: of every sequence by random numbers that seed, step and its number
// name, the first of the pass being number sequence. So it depends on neither
// cores nor micro-batches. The share is rounded to 1/65536.
func (p *Pass) Thin(share float64, seed, step, sequence uint64) {
	p.next = thinning{keep: uint32((1 - share) * (1 << 16)), seed: seed, step: step, sequence: sequence}
	if share == 0 {
		p.next.keep = 0
	}
}

// drop thins x [rows, n] at a place of block i, always the same way.
func (p *Pass) drop(x []float32, n, i, place int) {
	if p.thin.keep == 0 {
		return
	}
	p.thin.x, p.thin.n, p.thin.place = x, p.l*n, uint64(i*numPlaces+place)
	p.net.pool.Run(p.b, &p.thin)
}

// Do implements [kernels.Task]: it thins sequence i.
func (t *thinning) Do(i int) {
	s := rng.New(t.seed, "dropout", t.step, (t.sequence+uint64(i))<<16|t.place)
	scale := (1 << 16) / float32(t.keep)
	x := t.x[i*t.n : (i+1)*t.n]
	for k := 0; k < len(x); k += 4 {
		bits := s.Uint64()
		for j := k; j < min(k+4, len(x)); j++ {
			if uint32(bits&0xffff) < t.keep {
				x[j] *= scale
			} else {
				x[j] = 0
			}
			bits >>= 16
		}
	}
}
