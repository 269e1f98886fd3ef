package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/optimize"
	"gonum.org/v1/gonum/stat"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

// law is what loss is expected to follow (Hoffmann et al. 2022, arXiv 2203.15556,
// equation 2):
//
//	L(N, D) = E + A (N/N0)^-α + B (D/D0)^-β
//
// for N parameters and D tokens; N0 and D0, the geometric means of what was
// trained, only keep A and B readable.
type law struct {
	e, a, alpha, b, beta float64
}

// trained is one point that a law is fitted to.
type trained struct{ parameters, tokens, loss float64 }

// guesses are where a fit begins if nothing is known.
func guesses() (all []law) {
	for _, e := range []float64{.5, 1, 1.5} {
		for _, slope := range []float64{.2, .6} {
			all = append(all, law{e, .5, slope, .5, slope})
		}
	}
	return all
}

// fitLaw minimises the Huber loss of the logarithms, from some beginnings.
func fitLaw(points []trained, n0, d0 float64, from ...law) law {
	of := func(x []float64) law {
		return law{math.Exp(x[0]), math.Exp(x[1]), math.Exp(x[2]), math.Exp(x[3]), math.Exp(x[4])}
	}
	problem := optimize.Problem{Func: func(x []float64) (sum float64) {
		w := of(x)
		for _, p := range points {
			sum += huber(math.Log(p.loss / w.at(p.parameters/n0, p.tokens/d0)))
		}
		return sum
	}}
	best, least := law{}, math.Inf(1)
	for _, w := range from {
		x := []float64{math.Log(w.e), math.Log(w.a), math.Log(w.alpha), math.Log(w.b), math.Log(w.beta)}
		// Stopping at the limit of iterations is no failure: the best point stands.
		r, err := optimize.Minimize(problem, x, &optimize.Settings{MajorIterations: 2000}, &optimize.NelderMead{})
		if r != nil && (err == nil || r.Status == optimize.IterationLimit) && r.F < least {
			best, least = of(r.X), r.F
		}
	}
	return best
}

// at is the loss for N/N0 and D/D0.
func (w law) at(n, d float64) float64 {
	return w.e + w.a*math.Pow(n, -w.alpha) + w.b*math.Pow(d, -w.beta)
}

// huber is quadratic up to a thousandth, as in Hoffmann et al., and linear beyond.
func huber(x float64) float64 {
	const knee = 1e-3
	if x = math.Abs(x); x <= knee {
		return x * x / 2
	}
	return knee * (x - knee/2)
}

// lawDraws is the number of bootstrap samples behind an interval.
const lawDraws = 200

// scalingTable fits a law to each group and gives 90 % bootstrap intervals: the
// points are drawn anew with repetition.
func scalingTable(l *ledger, all []row) string {
	var b strings.Builder
	b.WriteString("| | points | E | α (parameters) | β (tokens) | share of work for parameters, β/(α+β) | residual |\n|---|---|---|---|---|---|---|\n")
	var groups []string
	points := map[string][]trained{}
	for _, r := range all {
		n, d, loss := l.estimate(r, "size.parameters"), l.estimate(r, "size.tokens"), l.estimate(r, "held-out.bound")
		if n.n == 0 || loss.n == 0 {
			continue
		}
		if !slices.Contains(groups, r.group) {
			groups = append(groups, r.group)
		}
		points[r.group] = append(points[r.group], trained{n.mean, d.mean, loss.mean})
	}
	for _, g := range groups {
		b.WriteString(lawRow(g, points[g]))
	}
	return b.String()
}

// leastPoints are those below which five numbers cannot be fitted.
const leastPoints = 8

func lawRow(group string, points []trained) string {
	if len(points) < leastPoints {
		return fmt.Sprintf("| %s | %d | – | – | – | – | – |\n", group, len(points))
	}
	var n0, d0 float64
	for _, p := range points {
		n0 += math.Log(p.parameters) / float64(len(points))
		d0 += math.Log(p.tokens) / float64(len(points))
	}
	n0, d0 = math.Exp(n0), math.Exp(d0)
	w := fitLaw(points, n0, d0, guesses()...)
	var residual float64
	for _, p := range points {
		r := math.Log(p.loss / w.at(p.parameters/n0, p.tokens/d0))
		residual += r * r / float64(len(points))
	}
	s := rng.New(1, "science.bootstrap", 0, 0)
	var e, alpha, beta, share []float64
	for range lawDraws {
		again := make([]trained, len(points))
		for i := range again {
			again[i] = points[s.IntN(len(points))]
		}
		v := fitLaw(again, n0, d0, w)
		e, alpha, beta, share = append(e, v.e), append(alpha, v.alpha), append(beta, v.beta), append(share, v.beta/(v.alpha+v.beta))
	}
	return fmt.Sprintf("| %s | %d | %s | %s | %s | %s | %.1f %% |\n", group, len(points),
		bracket(w.e, e), bracket(w.alpha, alpha), bracket(w.beta, beta), bracket(w.beta/(w.alpha+w.beta), share), 100*math.Sqrt(residual))
}

// bracket writes a value and the middle 90 % of its bootstrap.
func bracket(value float64, draws []float64) string {
	slices.Sort(draws)
	return fmt.Sprintf("%.2f (%.2f to %.2f)", value,
		stat.Quantile(.05, stat.Empirical, draws, nil), stat.Quantile(.95, stat.Empirical, draws, nil))
}
