package kernels

import "math"

// AdamOptions are the settings of one AdamW step.
type AdamOptions struct {
	LR, Beta1, Beta2, Eps float32
	Decay                 float32 // decoupled weight decay: w -= LR * Decay * w
	ClipScale             float32 // the gradient is multiplied by this first; 1 changes nothing
	EMA                   float32 // share of the old average that is kept, such as 0.999
	Step                  int     // counts from 1, for the bias correction
}

// AdamW makes one step of AdamW (Loshchilov and Hutter, 2019, algorithm 2) in a
// single pass over the weights w with their gradient g and moments m and v, and
// then moves the average: ema = EMA*ema + (1-EMA)*w. A nil ema is left out. All
// slices have the same length.
func (p *Pool) AdamW(w, g, m, v, ema []float32, o AdamOptions) {
	same("adamw", len(w), len(g), len(m), len(v))
	if ema != nil {
		same("adamw average", len(w), len(ema))
	}
	c1 := 1 - math.Pow(float64(o.Beta1), float64(o.Step))
	c2 := 1 - math.Pow(float64(o.Beta2), float64(o.Step))
	p.mu.Lock()
	p.adamw = adamwJob{w: w, g: g, m: m, v: v, ema: ema, c: adamFactors{
		clip:  o.ClipScale,
		b1:    o.Beta1,
		a1:    1 - o.Beta1,
		b2:    o.Beta2,
		a2:    1 - o.Beta2,
		rate:  float32(float64(o.LR) / c1),
		root:  float32(1 / math.Sqrt(c2)),
		eps:   o.Eps,
		keep:  1 - o.LR*o.Decay,
		decay: o.EMA,
		fresh: 1 - o.EMA,
	}}
	p.call(shape{kernel: "adamw"}, 16*len(w), 9*len(w), ceilDiv(len(w), chunk), &p.adamw)
	p.adamw = adamwJob{}
	p.mu.Unlock()
}

// adamFactors are the numbers that an AdamW step multiplies by. The assembly
// reads them by their place in this struct.
type adamFactors struct {
	clip, b1, a1, b2, a2  float32
	rate, root, eps, keep float32
	decay, fresh          float32
}

type adamwJob struct {
	w, g, m, v, ema []float32
	c               adamFactors
}

func (j *adamwJob) do(w *worker, i int) {
	from, to := i*chunk, min((i+1)*chunk, len(j.w))
	var ema []float32
	if j.ema != nil {
		ema = j.ema[from:to]
	}
	w.isa.adamw(j.w[from:to], j.g[from:to], j.m[from:to], j.v[from:to], ema, &j.c)
}

// SumSquares returns the sum of the squares of x, in float64. The order of the
// sum depends on len(x) alone.
func (p *Pool) SumSquares(x []float32) float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	j := &p.squares
	j.x, j.size = x, roundUp(ceilDiv(len(x), len(j.parts)), chunk)
	clear(j.parts[:])
	if len(x) > 0 {
		p.call(shape{kernel: "sum of squares"}, 2*len(x), len(x), ceilDiv(len(x), j.size), j)
	}
	j.x = nil
	sum := 0.0
	for _, s := range j.parts {
		sum += s
	}
	return sum
}

type squaresJob struct {
	x     []float32
	size  int
	parts [256]float64
}

func (j *squaresJob) do(w *worker, i int) {
	j.parts[i] = w.isa.sumSquares(j.x[i*j.size : min((i+1)*j.size, len(j.x))])
}
