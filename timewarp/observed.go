package timewarp

import (
	"fmt"
	"math"
)

// observedBins is the number of log-spaced intervals of a histogram.
const observedBins = 32

// observedMemory is the number of observations a histogram looks back on: long
// enough for small standard errors, short enough to show the network of now.
const observedMemory = 16000

// histogram keeps what was observed lately, by noise level. It plays no part in
// any fit; it is there so that the fit can be looked at beside its data.
type histogram struct {
	W  []float64 `json:"w"`   // sum of weights
	W2 []float64 `json:"w2"`  // of squared weights
	WS []float64 `json:"ws"`  // of weight * ln t
	WY []float64 `json:"wy"`  // of weight * loss
	WQ []float64 `json:"wyy"` // of weight * loss^2
	N  float64   `json:"n"`   // observations so far
}

func newHistogram() histogram {
	line := make([]float64, 5*observedBins)
	cut := func(i int) []float64 { return line[i*observedBins : (i+1)*observedBins : (i+1)*observedBins] }
	return histogram{W: cut(0), W2: cut(1), WS: cut(2), WY: cut(3), WQ: cut(4)}
}

// age makes room for n new observations: the memory is half of the run so far,
// at most observedMemory.
func (h *histogram) age(n int) {
	h.N += float64(n)
	keep := 1 - min(1, max(float64(n)/h.N, float64(n)/observedMemory))
	for i := range h.W {
		h.W[i] *= keep
		h.W2[i] *= keep * keep
		h.WS[i] *= keep
		h.WY[i] *= keep
		h.WQ[i] *= keep
	}
}

// add records a loss at noise level t; s = ln t, and [s0, s1] is the range.
func (h *histogram) add(s, s0, s1, loss, weight float64) {
	i := min(max(int(observedBins*(s-s0)/(s1-s0)), 0), observedBins-1)
	h.W[i] += weight
	h.W2[i] += weight * weight
	h.WS[i] += weight * s
	h.WY[i] += weight * loss
	h.WQ[i] += weight * loss * loss
}

// bins lists the intervals that hold anything.
func (h *histogram) bins(s0, s1 float64) []Bin {
	edge := func(i int) float64 { return math.Exp(s0 + (s1-s0)*float64(i)/observedBins) }
	out := []Bin{}
	for i, w := range h.W {
		if !(w > 0 && h.W2[i] > 0) { // nothing seen, or faded below the smallest number
			continue
		}
		n := w / h.W2[i] * w
		mean := h.WY[i] / w
		b := Bin{Lo: edge(i), Hi: edge(i + 1), T: math.Exp(h.WS[i] / w), Mean: mean, Count: n}
		if n > 1 {
			b.StdErr = math.Sqrt(max(0, h.WQ[i]/w-mean*mean) / (n - 1))
		}
		out = append(out, b)
	}
	return out
}

func (h *histogram) check() error {
	for _, sums := range [][]float64{h.W, h.W2, h.WS, h.WY, h.WQ} {
		if err := checkSums("observed", sums, observedBins); err != nil {
			return err
		}
	}
	return nil
}

// checkSums refuses restored sums of the wrong number or value.
func checkSums(name string, sums []float64, n int) error {
	if len(sums) != n {
		return fmt.Errorf("%s: %d values, want %d", name, len(sums), n)
	}
	for i, v := range sums {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%s: value %d is not finite", name, i)
		}
	}
	return nil
}
