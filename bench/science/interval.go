package main

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// estimate is a mean over seeds.
type estimate struct {
	mean   float64
	stderr float64 // of the mean
	half   float64 // half of the 95 % interval of Student's t; NaN for fewer than leastSeeds
	n      int
}

// leastSeeds is the number of seeds from which an interval means something.
const leastSeeds = 3

func newEstimate(v []float64) estimate {
	e := estimate{mean: stat.Mean(v, nil), half: math.NaN(), n: len(v)}
	if e.n < leastSeeds {
		return e
	}
	e.stderr = stat.StdDev(v, nil) / math.Sqrt(float64(e.n))
	e.half = e.stderr * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(e.n - 1)}.Quantile(.975)
	return e
}

// format writes mean ± half interval.
func (e estimate) format(digits int, signed bool) string {
	mean := fmt.Sprintf("%.*f", digits, e.mean)
	if signed && e.mean >= 0 {
		mean = "+" + mean
	}
	switch {
	case e.n == 0:
		return "–"
	case e.n < leastSeeds:
		return mean
	}
	return fmt.Sprintf("%s ± %.*f", mean, digits, e.half)
}
