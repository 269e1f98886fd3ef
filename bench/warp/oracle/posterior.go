// Package oracle is a language model that needs no training: tokens are drawn
// independently from a Zipf law and corrupted with Gaussian noise, so that the
// best possible denoiser is Bayes' rule itself and its cross-entropy CE(t) can
// be computed to any precision. It drives the estimators of package timewarp
// through scenarios whose true answer is known.
package oracle

import (
	"math"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

// Posterior is the exact denoiser of independent Zipf(1) tokens whose
// embeddings are random directions of norm sqrt(D).
type Posterior struct {
	V, D  int
	Prior []float64 // [V], proportional to 1/rank
	E     []float64 // [V, D]

	seed      uint64
	x, logits []float64 // working space: a Posterior is not safe for concurrent use
	logPrior  []float64
}

// NewPosterior draws the embeddings of a vocabulary of v tokens in d dimensions.
func NewPosterior(v, d int, seed uint64) *Posterior {
	p := &Posterior{
		V: v, D: d, Prior: make([]float64, v), E: make([]float64, v*d),
		seed: seed, x: make([]float64, d), logits: make([]float64, v), logPrior: make([]float64, v),
	}
	sum := 0.
	for i := range p.Prior {
		p.Prior[i] = 1 / float64(i+1)
		sum += p.Prior[i]
	}
	s := rng.New(seed, "oracle.embeddings", uint64(v), uint64(d))
	for i := range p.Prior {
		p.Prior[i] /= sum
		p.logPrior[i] = math.Log(p.Prior[i])
		row, norm := p.E[i*d:(i+1)*d], 0.
		for k := range row {
			row[k] = s.Normal()
			norm += row[k] * row[k]
		}
		for k := range row {
			row[k] *= math.Sqrt(float64(d) / norm)
		}
	}
	return p
}

// Entropy is that of the tokens in nats, the ceiling of CE.
func (p *Posterior) Entropy() float64 {
	h := 0.
	for _, q := range p.Prior {
		h -= q * math.Log(q)
	}
	return h
}

// Surprise draws a token and a noise vector and returns -log p(token | x) in
// nats at noise level t. The draw depends on the stream only, not on t.
func (p *Posterior) Surprise(s *rng.Stream, t float64) float64 {
	u, token := s.Float64(), 0
	for token < p.V-1 && u >= p.Prior[token] {
		u -= p.Prior[token]
		token++
	}
	for k := range p.x {
		p.x[k] = p.E[token*p.D+k] + t*s.Normal()
	}
	// log p_i = log prior_i - |x - e_i|^2 / 2t^2 + const, and all |e_i| are equal.
	top, sum := math.Inf(-1), 0.
	for i := range p.logits {
		dot := 0.
		for k, e := range p.E[i*p.D : (i+1)*p.D] {
			dot += e * p.x[k]
		}
		p.logits[i] = p.logPrior[i] + dot/(t*t)
		top = max(top, p.logits[i])
	}
	for _, l := range p.logits {
		sum += math.Exp(l - top)
	}
	return math.Log(sum) + top - p.logits[token]
}

// CE is the cross-entropy of the exact posterior at noise level t, in nats, by
// Monte Carlo over n draws that are the same for every t.
func (p *Posterior) CE(t float64, n int) float64 {
	sum := 0.
	s := rng.New(p.seed, "oracle.ce", 0, 0)
	for range n {
		sum += p.Surprise(&s, t)
	}
	return sum / float64(n)
}

// Curve tabulates CE over [lo, hi] and returns it as a smooth increasing
// function, linear in ln t between nodes.
func (p *Posterior) Curve(lo, hi float64, draws int) func(t float64) float64 {
	const n = 121
	ce := make([]float64, n)
	a, b := math.Log(lo), math.Log(hi)
	for i := range ce {
		ce[i] = p.CE(math.Exp(a+(b-a)*float64(i)/(n-1)), draws)
		if i > 0 {
			ce[i] = max(ce[i], ce[i-1]+1e-9)
		}
	}
	return func(t float64) float64 {
		f := (math.Log(t) - a) / (b - a) * (n - 1)
		i := min(max(int(f), 0), n-2)
		f = min(max(f-float64(i), 0), 1)
		return ce[i] + f*(ce[i+1]-ce[i])
	}
}
