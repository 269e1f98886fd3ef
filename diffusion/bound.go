package diffusion

import (
	"context"
	"fmt"
	"math"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
	"github.com/seed-4c77ef92/textwarp/timewarp"
)

// Evaluator scores held-out text. Both methods corrupt b sequences of ids
// [b, L] at the noisy positions of m [b, L], with noise from streams that draw
// and the number of the first sequence name, and write a value for every
// position; the values at given positions mean nothing.
type Evaluator interface {
	// CrossEntropy writes -ln p(token | x) in nats, all sequences at level t.
	CrossEntropy(ce []float32, ids []int32, m []float32, t float64, draw, sequence uint64)
	// SquaredError writes ‖x0 - x̂0‖², each sequence at its own level t [b].
	SquaredError(se []float32, ids []int32, m []float32, t []float64, draw, sequence uint64)
}

var _ Evaluator = (*CDCD)(nil)

// SquaredError implements [Evaluator], with self-conditioning where the model
// was trained with it and with the noise that CrossEntropy uses.
func (c *CDCD) SquaredError(se []float32, ids []int32, m []float32, t []float64, draw, sequence uint64) {
	b, d := len(t), c.Table.D
	st := c.resize(b, len(ids)/b)
	copy(st.M, m)
	copy(st.T, t)
	c.corrupt(ids, "held out", draw, sequence)
	if c.o.SelfConditioning > 0 {
		c.selfCondition(b)
	}
	x0 := c.x0[:len(ids)*d]
	c.Denoise(st, x0)
	for r, id := range ids {
		var sum float64
		for k, e := range c.Table.Row(id) {
			diff := float64(e) - float64(x0[r*d+k])
			sum += diff * diff
		}
		se[r] = float32(sum)
	}
}

// Density is a schedule whose quantiles are drawn with a known density: any
// timewarp.Warp.
type Density interface {
	Schedule
	Density(t float64) float64
}

// Above is a warp from a noise level on, below which nothing is drawn. A [Bound]
// holds from any level: what is decided below it is left to the cross-entropy
// there, which takes every position for itself. A higher level gives the least
// bound of a model that is too sure of itself at low noise; [Slopes.Lowest] finds
// it.
func Above(w timewarp.Warp, level float64) Density {
	return above{w, level, w.CDF(level)}
}

type above struct {
	timewarp.Warp
	level, cut float64 // and F there
}

func (a above) Quantile(u float64) float64 {
	return max(a.level, a.Warp.Quantile(a.cut+(1-a.cut)*u))
}

func (a above) Density(t float64) float64 {
	if t < a.level {
		return 0
	}
	return a.Warp.Density(t) / (1 - a.cut)
}

// Bound is an upper bound on the negative log-likelihood of text, in nats a
// token, the sum of its three terms.
type Bound struct {
	Nats           float64 `json:"nats"`
	StdErr         float64 `json:"std_err"`        // of Nats, over sequences
	From           float64 `json:"from"`           // the lowest noise level
	Reconstruction float64 `json:"reconstruction"` // cross-entropy there
	Diffusion      float64 `json:"diffusion"`      // integral over the noise levels
	Prior          float64 `json:"prior"`          // of x at t_max from pure noise
	Sequences      int     `json:"sequences"`
	Tokens         int     `json:"tokens"`

	Each []float64 `json:"-"` // nats a token of every sequence
}

// BoundOptions say how the bound is estimated.
type BoundOptions struct {
	Length int    // L, tokens a sequence
	Dim    int    // D of the embeddings, which have norm √D
	Batch  int    // sequences that the evaluator takes at a time
	Draws  int    // noise levels a sequence
	Seed   uint64 // of the levels
}

// logUniformShare is the share of levels that EvaluateBound does not leave to
// the density it is given. It caps every weight, so that a level where a learned
// density is wrong, or all but zero, cannot ruin the estimate (defensive
// importance sampling, Hesterberg, Technometrics 37, 1995).
const logUniformShare = 0.1

// EvaluateBound estimates the bound on ids [n, L], every position noisy, by
// Monte Carlo. In the variance-exploding process, whose signal-to-noise ratio is
// 1/t², the bound of continuous time (Kingma et al. 2021, arXiv 2107.00630,
// equation 15) reads
//
//	-log p(x0) ≤ CE(t_min) + ∫ E‖x0 - x̂0‖² t⁻³ dt + D/(2 t_max²)
//
// a token, the integral from t_min to t_max, the ends of w. It holds for any x̂0 that is a function of x and t, so one that a
// first pass on the same x conditions itself is admitted. Since the integrand of
// a good model is the slope of CE(t), a warp is nearly the best density to draw
// levels from. Levels are spread evenly over all draws; the standard error
// treats them as independent, which overstates it.
func EvaluateBound(ctx context.Context, e Evaluator, w Density, ids []int32, o BoundOptions) (Bound, error) {
	switch {
	case o.Length < 1 || o.Dim < 1 || o.Batch < 1 || o.Draws < 1:
		return Bound{}, fmt.Errorf("evaluate bound: length %d, dimension %d, batch %d, draws %d: all must be positive",
			o.Length, o.Dim, o.Batch, o.Draws)
	case len(ids)%o.Length != 0 || len(ids) < 2*o.Length:
		return Bound{}, fmt.Errorf("evaluate bound: %d tokens are not two or more sequences of %d", len(ids), o.Length)
	}
	n := len(ids) / o.Length
	tmin, tmax := w.Quantile(0), w.Quantile(1)
	if !(tmin > 0 && tmax > tmin) || math.IsInf(tmax, 0) {
		return Bound{}, fmt.Errorf("evaluate bound: noise levels from %v to %v", tmin, tmax)
	}
	levels := defensive{w, tmin, math.Log(tmax / tmin)}
	s := rng.New(o.Seed, "bound", 0, 0)
	offset := s.Float64()

	values := make([]float32, o.Batch*o.Length)
	mask := make([]float32, o.Batch*o.Length)
	fill(mask, 1)
	t := make([]float64, o.Batch)
	nats := make([]float64, n)
	var reconstruction, diffusion float64
	for first := 0; first < n; first += o.Batch {
		b := min(o.Batch, n-first)
		batch := ids[first*o.Length : (first+b)*o.Length]
		out, m, each := values[:len(batch)], mask[:len(batch)], nats[first:first+b]

		e.CrossEntropy(out, batch, m, tmin, 0, uint64(first))
		for i := range b {
			each[i] = mean(out[i*o.Length : (i+1)*o.Length])
			reconstruction += each[i]
		}
		for k := range o.Draws {
			if err := ctx.Err(); err != nil {
				return Bound{}, err
			}
			for i := range b {
				t[i] = levels.quantile(stratum(k, o.Draws, first+i, offset))
			}
			e.SquaredError(out, batch, m, t[:b], uint64(k+1), uint64(first))
			for i := range b {
				v := mean(out[i*o.Length:(i+1)*o.Length]) / (t[i] * t[i] * t[i] * levels.density(t[i]) * float64(o.Draws))
				each[i] += v
				diffusion += v
			}
		}
	}
	count := float64(n)
	prior := float64(o.Dim) / (2 * tmax * tmax)
	var total moments
	for i := range nats {
		nats[i] += prior
		total.add(nats[i])
	}
	r := Bound{
		From:           tmin,
		Reconstruction: reconstruction / count,
		Diffusion:      diffusion / count,
		Prior:          prior,
		Sequences:      n, Tokens: len(ids), Each: nats,
	}
	_, r.StdErr = total.mean()
	r.Nats = r.Reconstruction + r.Diffusion + r.Prior
	return r, nil
}

// stratum is the k-th of draws numbers u in [0, 1) of a sequence: evenly spread
// over its draws, and shifted from one sequence to the next by the golden ratio,
// which spreads all of them evenly too.
func stratum(k, draws, sequence int, offset float64) float64 {
	_, shift := math.Modf(offset + float64(sequence)/math.Phi)
	return (float64(k) + shift) / float64(draws)
}

// defensive mixes a density with a log-uniform one from tmin over a range.
type defensive struct {
	Density
	tmin, logRange float64
}

// quantile gives the lower share of u to the log-uniform part.
func (d defensive) quantile(u float64) float64 {
	if u < logUniformShare {
		return d.tmin * math.Exp(d.logRange*u/logUniformShare)
	}
	return d.Quantile((u - logUniformShare) / (1 - logUniformShare))
}

// density of what quantile gives, a unit of t.
func (d defensive) density(t float64) float64 {
	return (1-logUniformShare)*d.Density.Density(t) + logUniformShare/(t*d.logRange)
}

func mean(values []float32) (m float64) {
	for _, v := range values {
		m += float64(v)
	}
	return m / float64(len(values))
}
