package diffusion

import (
	"math"
	"sort"
	"testing"

	"github.com/seed-4c77ef92/textwarp/embeddings"
	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

// toy is the perfect denoiser of a source whose tokens are independent and
// follow Zipf's law: it computes the posterior
//
//	p_i ∝ π_i exp(-‖x - e_i‖²/2t²)
//
// over random embeddings. What a sampler does wrong with it is the sampler's
// fault alone.
type toy struct {
	v, d  int
	e     []float32 // [V, D]
	prior []float64 // π
	logPi []float32
	p     []float32 // [V] scratch
}

func newToy(v, d int, seed uint64) *toy {
	z := &toy{v: v, d: d, prior: zipf(v), logPi: make([]float32, v), p: make([]float32, v)}
	table, err := embeddings.New(v, d, make([]float32, v*d), nil)
	if err != nil {
		panic(err)
	}
	table.Init(seed)
	z.e = table.E
	for i, p := range z.prior {
		z.logPi[i] = float32(math.Log(p))
	}
	return z
}

// zipf is π_i ∝ 1/(i+1).
func zipf(v int) []float64 {
	p := make([]float64, v)
	var sum float64
	for i := range p {
		p[i] = 1 / float64(i+1)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

// posterior fills p with the distribution of the token at a position that holds
// x, and returns the logarithm of its normaliser.
func (z *toy) posterior(x []float32, t float64) float64 {
	scale := float32(1 / (t * t))
	top := float32(math.Inf(-1))
	for i := range z.p {
		// All embeddings have one norm, so only x·e_i depends on i.
		a := z.logPi[i] + scale*inner(x, z.e[i*z.d:(i+1)*z.d])
		z.p[i] = a
		top = max(top, a)
	}
	var sum float64
	for i, a := range z.p {
		if a-top < -15 { // too little to matter, and exp is dear
			z.p[i] = 0
			continue
		}
		w := math.Exp(float64(a - top))
		z.p[i] = float32(w)
		sum += w
	}
	for i := range z.p {
		z.p[i] = float32(float64(z.p[i]) / sum)
	}
	return float64(top) + math.Log(sum)
}

func inner(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	k := 0
	for ; k+4 <= len(a); k += 4 {
		s0 += a[k] * b[k]
		s1 += a[k+1] * b[k+1]
		s2 += a[k+2] * b[k+2]
		s3 += a[k+3] * b[k+3]
	}
	for ; k < len(a); k++ {
		s0 += a[k] * b[k]
	}
	return s0 + s1 + s2 + s3
}

// interpolate writes x̂0 = Σ p_i e_i.
func (z *toy) interpolate(x0 []float32) {
	clear(x0)
	for i, p := range z.p {
		if p == 0 {
			continue
		}
		for k, e := range z.e[i*z.d : (i+1)*z.d] {
			x0[k] += p * e
		}
	}
}

func (z *toy) Denoise(s *State, x0 []float32) {
	for r := range s.M {
		z.posterior(s.X[r*z.d:(r+1)*z.d], s.T[r/s.L])
		z.interpolate(x0[r*z.d : (r+1)*z.d])
	}
}

func (z *toy) Decode(s *State, ids []int32, prob []float32) {
	for r := range s.M {
		z.posterior(s.X[r*z.d:(r+1)*z.d], s.T[r/s.L])
		ids[r], prob[r] = 0, 0
		for i, p := range z.p {
			if p > prob[r] {
				ids[r], prob[r] = int32(i), p
			}
		}
	}
}

// CrossEntropy and SquaredError make the toy an Evaluator.
func (z *toy) CrossEntropy(ce []float32, ids []int32, m []float32, t float64, draw, sequence uint64) {
	x := make([]float32, z.d)
	for r, id := range ids {
		z.corrupt(x, id, t, draw, sequence+uint64(r))
		log := z.posterior(x, t)
		a := float64(z.logPi[id]) + float64(inner(x, z.row(id)))/(t*t)
		ce[r] = float32(log - a)
	}
}

func (z *toy) SquaredError(se []float32, ids []int32, m []float32, t []float64, draw, sequence uint64) {
	x, x0 := make([]float32, z.d), make([]float32, z.d)
	l := len(ids) / len(t)
	for r, id := range ids {
		z.corrupt(x, id, t[r/l], draw, sequence*uint64(l)+uint64(r)) // token number of the whole text
		z.posterior(x, t[r/l])
		z.interpolate(x0)
		se[r] = 0
		for k, e := range z.row(id) {
			se[r] += (e - x0[k]) * (e - x0[k])
		}
	}
}

func (z *toy) row(id int32) []float32 { return z.e[int(id)*z.d : (int(id)+1)*z.d] }

func (z *toy) corrupt(x []float32, id int32, t float64, draw, n uint64) {
	s := rng.New(9, "toy noise", draw, n)
	Corrupt(x, z.row(id), []float32{1}, t, &s)
}

// text draws n tokens, evenly spread over the distribution in random order, so
// that the sampling error of the source itself is small.
func (z *toy) text(n int, seed uint64) []int32 {
	ids := make([]int32, n)
	s := rng.New(seed, "toy text", 0, 0)
	shift := s.Float64()
	i, cdf := 0, z.prior[0]
	for k := range ids {
		for i+1 < z.v && (float64(k)+shift)/float64(n) > cdf {
			i++
			cdf += z.prior[i]
		}
		ids[k] = int32(i)
	}
	s.Shuffle(n, func(a, b int) { ids[a], ids[b] = ids[b], ids[a] })
	return ids
}

// ce is the cross-entropy at level t over n tokens.
func (z *toy) ce(t float64, n int, seed uint64) float64 {
	ids, out := z.text(n, seed), make([]float32, n)
	z.CrossEntropy(out, ids, nil, t, seed, 0)
	return mean(out)
}

// curve is the schedule that the toy's own cross-entropy defines: F ∝ CE(t), by
// straight lines in ln t between nodes. It is the warp that a fit converges to.
type curve struct {
	s, f []float64 // ln t and F(t)
}

func newCurve(z *toy, tmin, tmax float64) curve {
	const nodes = 60
	var c curve
	top := 0.0
	for i := range nodes {
		s := math.Log(tmin) + math.Log(tmax/tmin)*float64(i)/(nodes-1)
		// A strictly growing floor keeps the quantile unique where CE is zero.
		top = max(top+1e-6, z.ce(math.Exp(s), 4000, 77))
		c.s, c.f = append(c.s, s), append(c.f, top)
	}
	low, height := c.f[0], top-c.f[0]
	for i := range c.f {
		c.f[i] = (c.f[i] - low) / height
	}
	return c
}

func (c curve) Quantile(u float64) float64 {
	k := min(max(sort.SearchFloat64s(c.f, u), 1), len(c.f)-1)
	w := (u - c.f[k-1]) / (c.f[k] - c.f[k-1])
	return math.Exp(c.s[k-1] + w*(c.s[k]-c.s[k-1]))
}

func (c curve) Density(t float64) float64 {
	k := min(max(sort.SearchFloat64s(c.s, math.Log(t)), 1), len(c.s)-1)
	return (c.f[k] - c.f[k-1]) / (c.s[k] - c.s[k-1]) / t
}

// entropy in nats of a distribution.
func entropy(p []float64) (h float64) {
	for _, v := range p {
		if v > 0 {
			h -= v * math.Log(v)
		}
	}
	return h
}

// frequencies of v tokens among ids.
func frequencies(ids []int32, v int) []float64 {
	p := make([]float64, v)
	for _, id := range ids {
		p[id] += 1 / float64(len(ids))
	}
	return p
}

// variation is the total variation distance ½ Σ |p_i - q_i|.
func variation(p, q []float64) (tv float64) {
	for i := range p {
		tv += math.Abs(p[i]-q[i]) / 2
	}
	return tv
}

// draw samples n positions from the toy.
func draw(t testing.TB, s Sampler, z *toy, n int) []float64 {
	t.Helper()
	const length = 500
	st := NewState(n/length, length, z.d)
	ids, prob := make([]int32, n), make([]float32, n)
	if err := s.Run(t.Context(), z, st, ids, prob, nil); err != nil {
		t.Fatal(err)
	}
	return frequencies(ids, z.v)
}
