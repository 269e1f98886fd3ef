package timewarp

import (
	"math"
)

const nodes = 128

// memory holds exponentially or power-law decayed sums at the nodes.
type memory struct {
	P           float64
	Max         float64
	W, W2, Y, Q []float64
}

type estimator struct {
	s      []float64 // nodes
	z      []float64
	mem    []memory
	n      float64
	level  []float64
	se     []float64
	cdf    []float64
	train  []float64
	mixing float64
	// scratch
	m, se2 [][]float64
	wgt    []float64
	pos    []float64
	K      Knobs
}

// Knobs are for experiments.
type Knobs struct {
	Ps     []float64
	Maxs   []float64
	Min    float64
	H      []float64
	Prec   float64
	Kappa  float64
	Corner float64 // quantile of t0
	Mode   string
	End    float64
}

// DefaultKnobs are the ones in use.
var DefaultKnobs = Knobs{
	Ps: []float64{1, 3, 7, 15}, Maxs: []float64{64000, 32000, 16000, 8000}, Min: 500,
	H: []float64{.08, .128, .205, .328}, Prec: .012, Kappa: 1.5, Corner: .5, Mode: "lepski",
}

func (e *estimator) init(s0, s1 float64) {
	e.K = DefaultKnobs
	e.s = make([]float64, nodes)
	for i := range e.s {
		e.s[i] = s0 + (s1-s0)*float64(i)/(nodes-1)
	}
	mk := func() []float64 { return make([]float64, nodes) }
	e.z, e.level, e.se, e.cdf, e.train, e.wgt, e.pos = mk(), mk(), mk(), mk(), mk(), mk(), mk()
	for i := range e.cdf {
		e.cdf[i] = float64(i) / (nodes - 1)
		e.train[i] = e.cdf[i]
	}
	for i, p := range e.K.Ps {
		e.mem = append(e.mem, memory{P: p, Max: e.K.Maxs[i], W: mk(), W2: mk(), Y: mk(), Q: mk()})
		e.m, e.se2 = append(e.m, mk()), append(e.se2, mk())
	}
	e.mixing = .05
}

func (e *estimator) warp() polyline      { return polyline{e.s, e.cdf} }
func (e *estimator) trainWarp() polyline { return polyline{e.s, e.train} }

func (e *estimator) learn(batch []Observation) {
	b := float64(len(batch))
	e.n += b
	delta := e.s[1] - e.s[0]
	for k := range e.mem {
		m := &e.mem[k]
		rate := min(m.P*b/e.n, b/e.K.Min)
		rate = max(rate, b/m.Max*2)
		keep := math.Max(0, 1-rate)
		for i := range m.W {
			m.W[i] *= keep
			m.W2[i] *= keep * keep
			m.Y[i] *= keep
			m.Q[i] *= keep
		}
		for _, o := range batch {
			f := (math.Log(o.T) - e.s[0]) / delta
			g := min(max(int(f), 0), nodes-2)
			f -= float64(g)
			for c, share := range [2]float64{1 - f, f} {
				w := o.Weight * share
				m.W[g+c] += w
				m.W2[g+c] += w * o.Weight
				m.Y[g+c] += w * o.Loss
				m.Q[g+c] += w * o.Loss * o.Loss
			}
		}
	}
	e.fit()
}

// place computes the straightened axis.
func (e *estimator) place() {
	t0 := e.warp().inverse().at(e.K.Corner)
	for i, s := range e.s {
		e.z[i] = -.5 * math.Log1p(math.Exp(-2*(s-t0)))
	}
}

func (e *estimator) fit() {
	e.place()
	mean := 0.
	{
		w, y := 0., 0.
		m := &e.mem[0]
		for i := range m.W {
			w += m.W[i]
			y += m.Y[i]
		}
		mean = y / w
	}
	R := max(e.level[nodes-1]-e.level[0], .2*mean)
	for k := range e.mem {
		e.regress(k, R)
	}
	// combine
	last := len(e.mem) - 1
	for j := range e.s {
		m, v := e.m[0][j], e.se2[0][j]
		for k := 1; k <= last; k++ {
			mk, vk := e.m[k][j], e.se2[k][j]
			d := mk - m
			switch e.K.Mode {
			case "lepski":
				if d*d > e.K.Kappa*e.K.Kappa*vk {
					m, v = mk, vk
				}
			case "soft":
				bias := max(0, d*d/(e.K.Kappa*e.K.Kappa)-vk)
				a := bias / (bias + vk)
				m += a * d
				v += a * (vk - v)
			case "none":
			}
		}
		e.level[j], e.se[j] = m, math.Sqrt(v)
		e.wgt[j] = 1 / (v + 1e-12*R*R)
	}
	e.isotonic()
	if e.K.End > 0 {
		e.ends()
	}
	lo, hi := e.level[0], e.level[nodes-1]
	if hi <= 0 {
		return
	}
	eps := 1e-4 + .02*max(0, 1-(hi-lo)/(.2*hi))
	for g := range e.cdf {
		x := float64(g) / (nodes - 1)
		e.cdf[g] = (e.level[g] - lo) + eps*hi*x
	}
	top := e.cdf[nodes-1]
	for g := range e.cdf {
		x := float64(g) / (nodes - 1)
		e.cdf[g] /= top
		e.train[g] = (1-e.mixing)*e.cdf[g] + e.mixing*x
	}
}

func (e *estimator) ends() {
	m := &e.mem[0]
	tot := 0.
	for _, w := range m.W {
		tot += w
	}
	want := e.K.End * tot
	var w, y float64
	for j := 0; j < nodes; j++ {
		w += m.W[j]
		y += m.W[j] * e.level[j]
		if w >= want {
			break
		}
	}
	lo := y / w
	w, y = 0, 0
	for j := nodes - 1; j >= 0; j-- {
		w += m.W[j]
		y += m.W[j] * e.level[j]
		if w >= want {
			break
		}
	}
	hi := y / w
	for j := range e.level {
		e.level[j] = min(max(e.level[j], lo), hi)
	}
}

func (e *estimator) regress(k int, R float64) {
	m := &e.mem[k]
	out, se2 := e.m[k], e.se2[k]
	for j := range e.s {
		for hi, h := range e.K.H {
			var s0, s1, s2, t0, t1, q float64
			lo, up := j, j
			for lo > 0 && e.z[j]-e.z[lo-1] < 3*h {
				lo--
			}
			for up < nodes-1 && e.z[up+1]-e.z[j] < 3*h {
				up++
			}
			for i := lo; i <= up; i++ {
				if m.W[i] == 0 {
					continue
				}
				d := e.z[i] - e.z[j]
				kk := math.Exp(-d * d / (2 * h * h))
				s0 += kk * m.W[i]
				s1 += kk * d * m.W[i]
				s2 += kk * d * d * m.W[i]
				t0 += kk * m.Y[i]
				t1 += kk * d * m.Y[i]
				q += kk * m.Q[i]
			}
			if s0 < 1e-9 {
				out[j], se2[j] = 0, R*R*1e6
				continue
			}
			s2 += .05 * s0 * h * h
			det := s0*s2 - s1*s1
			a := (s2*t0 - s1*t1) / det
			bb := (s0*t1 - s1*t0) / det
			res := max(0, (q-a*t0-bb*t1)/s0)
			res = max(res, 1e-8*R*R)
			var v float64
			for i := lo; i <= up; i++ {
				if m.W[i] == 0 {
					continue
				}
				d := e.z[i] - e.z[j]
				kk := math.Exp(-d * d / (2 * h * h))
				l := kk * (s2 - d*s1) / det
				v += l * l * m.W2[i]
			}
			v *= res
			neff := s0
			out[j], se2[j] = a, v
			if neff < 12 {
				se2[j] = v + R*R/(1+neff)
			}
			if neff >= 12 && v <= e.K.Prec*e.K.Prec*R*R {
				break
			}
			_ = hi
		}
	}
}

// isotonic is the pool-adjacent-violators algorithm.
func (e *estimator) isotonic() {
	type block struct {
		y, w float64
		n    int
	}
	var st []block
	for j := range e.level {
		b := block{e.level[j], e.wgt[j], 1}
		for len(st) > 0 && st[len(st)-1].y >= b.y {
			p := st[len(st)-1]
			st = st[:len(st)-1]
			b = block{(p.y*p.w + b.y*b.w) / (p.w + b.w), p.w + b.w, p.n + b.n}
		}
		st = append(st, b)
	}
	i := 0
	for _, b := range st {
		for range b.n {
			e.level[i] = max(0, b.y)
			i++
		}
	}
}
