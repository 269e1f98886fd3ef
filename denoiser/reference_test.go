package denoiser

import (
	"math"
	"slices"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

// reference is the network once more, in float64, written for reading: no
// matrices but loops, one sequence at a time, tensors by name.
type reference struct {
	c Config
	p map[string][]float64

	thin     float64 // share that is dropped
	sequence int     // present one
}

// drop thins x [l][n] by the masks of the pass, which TestThinning looks at.
func (r *reference) drop(x [][]float64, block, place int) {
	if r.thin == 0 {
		return
	}
	n := len(x[0])
	var p Pass
	p.Thin(r.thin, 8, 9, 0)
	t := p.next
	t.x, t.n, t.place = make([]float32, (r.sequence+1)*len(x)*n), len(x)*n, uint64(block*numPlaces+place)
	mask := t.x[r.sequence*t.n:]
	for i := range mask {
		mask[i] = 1
	}
	t.Do(r.sequence)
	for i := range x {
		for k := range x[i] {
			x[i][k] *= float64(mask[i*n+k])
		}
	}
}

func newReference(c Config, params []float32) *reference {
	r := &reference{c: c, p: map[string][]float64{}}
	for _, p := range c.Params() {
		r.p[p.Name] = widen(params[p.Offset : p.Offset+p.Len()])
	}
	return r
}

func widen(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// linear is x W + b for one row.
func (r *reference) linear(name string, x []float64) []float64 {
	w, y := r.p[name+".weight"], slices.Clone(r.p[name+".bias"])
	for i, x := range x {
		for j := range y {
			y[j] += x * w[i*len(y)+j]
		}
	}
	return y
}

func gelu(x []float64) []float64 {
	y := make([]float64, len(x))
	for i, x := range x {
		y[i] = x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
	}
	return y
}

func (r *reference) time(t float64) []float64 {
	waves := make([]float64, timeWidth)
	for k, f := range r.p["time.frequencies"] {
		waves[k], waves[timeFrequencies+k] = math.Sin(f*math.Log(t)), math.Cos(f*math.Log(t))
	}
	return gelu(r.linear("time.out", gelu(r.linear("time.in", waves))))
}

func norm(x, scale, shift []float64) []float64 {
	var mean, variance float64
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / float64(len(x))
	}
	y := make([]float64, len(x))
	for k, x := range x {
		y[k] = (x-mean)/math.Sqrt(variance+1e-5)*(1+scale[k]) + shift[k]
	}
	return y
}

func (r *reference) rotate(x []float64, position int) []float64 {
	hd := r.c.headDim()
	y := slices.Clone(x)
	for j := range hd / 2 {
		sin, cos := math.Sincos(float64(position) * frequency(j, hd))
		y[j], y[j+hd/2] = x[j]*cos-x[j+hd/2]*sin, x[j]*sin+x[j+hd/2]*cos
	}
	return y
}

func (r *reference) attention(qkv [][]float64) [][]float64 {
	hd, w := r.c.headDim(), r.c.Width
	out := make([][]float64, len(qkv))
	for i := range qkv {
		out[i] = make([]float64, w)
		seen := len(qkv)
		if r.c.Causal {
			seen = i + 1
		}
		for h := range r.c.Heads {
			at := h * hd
			q := r.rotate(qkv[i][at:at+hd], i)
			score, sum := make([]float64, seen), 0.
			for j := range score {
				k := r.rotate(qkv[j][w+at:w+at+hd], j)
				for m := range q {
					score[j] += q[m] * k[m] / math.Sqrt(float64(hd))
				}
				score[j] = math.Exp(score[j])
				sum += score[j]
			}
			for j := range score {
				for m := range hd {
					out[i][at+m] += score[j] / sum * qkv[j][2*w+at+m]
				}
			}
		}
	}
	return out
}

// block is one layer for a sequence x [l][W] and its time features.
func (r *reference) block(index int, x [][]float64, time []float64) [][]float64 {
	w, name := r.c.Width, "blocks."+string(rune('0'+index))+"."
	mod := r.linear(name+"modulation", time)
	in, qkv, y := make([][]float64, len(x)), make([][]float64, len(x)), make([][]float64, len(x))
	for i := range x {
		in[i] = norm(x[i], mod[:w], mod[w:2*w])
	}
	r.drop(in, index, attentionInput)
	for i := range x {
		qkv[i] = r.linear(name+"attention.qkv", in[i])
	}
	mid, hidden := make([][]float64, len(x)), make([][]float64, len(x))
	for i, a := range r.attention(qkv) {
		mid[i] = plus(x[i], r.linear(name+"attention.out", a))
		hidden[i] = gelu(r.linear(name+"mlp.up", norm(mid[i], mod[2*w:3*w], mod[3*w:])))
	}
	r.drop(hidden, index, hiddenUnits)
	for i := range x {
		y[i] = plus(mid[i], r.linear(name+"mlp.down", hidden[i]))
	}
	return y
}

func plus(a, b []float64) []float64 {
	c := slices.Clone(a)
	for i := range c {
		c[i] += b[i]
	}
	return c
}

// logits of one sequence.
func (r *reference) logits(features [][]float64, t float64) [][]float64 {
	w, time := r.c.Width, r.time(t)
	x := make([][]float64, len(features))
	for i := range x {
		x[i] = r.linear("input", features[i])
	}
	for i := range r.c.Layers {
		x = r.block(i, x, time)
	}
	mod := r.linear("final.modulation", time)
	for i := range x {
		x[i] = r.linear("head", norm(x[i], mod[:w], mod[w:]))
	}
	return x
}

// problem is a small batch with everything that a step needs.
type problem struct {
	b, l     int
	features []float32
	t        []float64
	targets  []int32
	weight   []float32
	thin     float64 // dropout
}

func newProblem(c Config, b, l int) problem {
	s := rng.New(5, "problem", 0, 0)
	p := problem{
		b: b, l: l, features: make([]float32, b*l*c.Features()), t: make([]float64, b),
		targets: make([]int32, b*l), weight: make([]float32, b*l),
	}
	s.FillNormal(p.features)
	for i := range p.t {
		p.t[i] = math.Exp(3 * s.Float64())
	}
	for i := range p.targets {
		p.targets[i] = int32(s.IntN(c.Vocab))
		p.weight[i] = float32(s.Float64())
	}
	p.weight[1] = 0 // a given position
	return p
}

// losses are the cross-entropies of all positions.
func (r *reference) losses(p problem, features []float64) []float64 {
	var ce []float64
	size := r.c.Features()
	for s := range p.b {
		var rows [][]float64
		for i := s * p.l; i < (s+1)*p.l; i++ {
			rows = append(rows, features[i*size:(i+1)*size])
		}
		r.sequence = s
		for i, z := range r.logits(rows, p.t[s]) {
			var sum float64
			for _, z := range z {
				sum += math.Exp(z)
			}
			ce = append(ce, math.Log(sum)-z[p.targets[s*p.l+i]])
		}
	}
	return ce
}

// loss is Σ weight·ce.
func (r *reference) loss(p problem, features []float64) float64 {
	var sum float64
	for i, ce := range r.losses(p, features) {
		sum += float64(p.weight[i]) * ce
	}
	return sum
}

// small has every kind of part, twice over, and sizes that divide nothing.
var small = Config{Vocab: 11, EmbedDim: 3, Width: 12, Layers: 2, Heads: 3, MLP: 20}

// lively initialises and then disturbs every tensor but the frequencies, so that
// no gradient is zero for want of a value: modulations and head start at zero.
func lively(c Config) []float32 {
	params := make([]float32, c.NumParams())
	n, err := New(c, params, nil, nil)
	if err != nil {
		panic(err)
	}
	n.Init(1)
	s := rng.New(2, "disturb", 0, 0)
	for i := timeFrequencies; i < len(params); i++ {
		params[i] += float32(.15 * s.Normal())
	}
	return params
}

// learn runs one explicit step over a problem.
func learn(t testing.TB, c Config, p problem) (params, grads, dFeatures, ce []float32) {
	t.Helper()
	params, grads = lively(c), make([]float32, c.NumParams())
	pool := kernels.NewPool(2)
	t.Cleanup(pool.Close)
	n, err := New(c, params, grads, pool)
	if err != nil {
		t.Fatal(err)
	}
	pass := n.NewPass(p.b, p.l, true)
	dFeatures, ce = make([]float32, len(p.features)), make([]float32, p.b*p.l)
	pass.Thin(p.thin, 8, 9, 0)
	pass.Forward(p.b, p.l, p.features, p.t)
	pass.Loss(ce, p.targets, p.weight)
	pass.Backward(dFeatures)
	return params, grads, dFeatures, ce
}

// distance is ‖a-b‖/‖b‖.
func distance(a, b []float64) float64 {
	var diff, size float64
	for i := range a {
		diff += (a[i] - b[i]) * (a[i] - b[i])
		size += b[i] * b[i]
	}
	return math.Sqrt(diff / size)
}
