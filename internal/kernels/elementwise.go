package kernels

import "math"

// chunk is the number of elements of one part of an elementwise call.
const chunk = 8192

// Gelu computes y = GELU(x) in the tanh form of Hendrycks and Gimpel (2016),
//
//	GELU(x) = x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
//
// y and x have the same length and may be the same slice.
func (p *Pool) Gelu(y, x []float32) {
	same("gelu", len(x), len(y))
	p.elementwise(geluJob{y: y, x: x})
}

// GeluBackward computes dx = dy * GELU'(x). All three have the same length; dx
// may be dy.
func (p *Pool) GeluBackward(dx, dy, x []float32) {
	same("gelu gradient", len(x), len(dx), len(dy))
	p.elementwise(geluJob{y: dx, dy: dy, x: x})
}

func (p *Pool) elementwise(j geluJob) {
	p.mu.Lock()
	p.gelu = j
	s, values := shape{kernel: "gelu"}, 2*len(j.x)
	if j.dy != nil {
		s, values = shape{kernel: "gelu backward"}, 3*len(j.x)
	}
	p.call(s, geluFlops*len(j.x), values, ceilDiv(len(j.x), chunk), &p.gelu)
	p.gelu = geluJob{}
	p.mu.Unlock()
}

// geluFlops is about the arithmetic of a GELU or of its gradient, exponential
// included.
const geluFlops = 25

type geluJob struct{ y, dy, x []float32 }

func (g *geluJob) do(w *worker, i int) {
	from, to := i*chunk, min((i+1)*chunk, len(g.x))
	if g.dy == nil {
		w.isa.gelu(g.y[from:to], g.x[from:to])
	} else {
		w.isa.geluGrad(g.y[from:to], g.dy[from:to], g.x[from:to])
	}
}

func same(name string, want int, got ...int) {
	for _, n := range got {
		if n != want {
			panic("kernels: " + name + ": slices of different length")
		}
	}
}

// Rope turns the queries and keys in qkv by their positions (rotary position
// embedding: Su et al., "RoFormer", 2021), in place.
//
// qkv is [b*l, 3*heads*hd]: a row holds the queries of all heads, then the
// keys, then the values. Feature j of a head is paired with feature j + hd/2;
// hd is even. cos and sin are [l, hd/2]. inverse turns the other way, which is
// also what a gradient wants.
func (p *Pool) Rope(qkv, cos, sin []float32, b, l, heads, hd int, inverse bool) {
	need("qkv", qkv, b*l, 3*heads*hd)
	need("cos", cos, l, hd/2)
	need("sin", sin, l, hd/2)
	if hd%2 != 0 {
		panic("kernels: rope: odd head size")
	}
	p.mu.Lock()
	p.rope = ropeJob{qkv: qkv, cos: cos, sin: sin, rows: b * l, l: l, heads: heads, hd: hd, inverse: inverse}
	p.call(shape{"rope", b * l, 2 * heads * hd, 0}, 6*b*l*heads*hd, 4*b*l*heads*hd, ceilDiv(b*l, ropeRows), &p.rope)
	p.rope = ropeJob{}
	p.mu.Unlock()
}

const ropeRows = 32

type ropeJob struct {
	qkv, cos, sin      []float32
	rows, l, heads, hd int
	inverse            bool
}

func (r *ropeJob) do(w *worker, i int) {
	half, width := r.hd/2, 3*r.heads*r.hd
	for row := i * ropeRows; row < min((i+1)*ropeRows, r.rows); row++ {
		pos := row % r.l
		cos, sin := r.cos[pos*half:(pos+1)*half], r.sin[pos*half:(pos+1)*half]
		x := r.qkv[row*width : row*width+2*r.heads*r.hd]
		for h := 0; h < len(x); h += r.hd {
			w.isa.rotate(x[h:h+half], x[h+half:h+r.hd], cos, sin, r.inverse)
		}
	}
}

// RopeTable fills cos and sin [l, hd/2] for Rope with the usual angles
// position * base^(-2j/hd), base 10000, computed in float64.
func RopeTable(cos, sin []float32, l, hd int) {
	need("cos", cos, l, hd/2)
	need("sin", sin, l, hd/2)
	half := hd / 2
	for pos := range l {
		for j := range half {
			s, c := math.Sincos(float64(pos) * math.Pow(10000, -2*float64(j)/float64(hd)))
			cos[pos*half+j], sin[pos*half+j] = float32(c), float32(s)
		}
	}
}
