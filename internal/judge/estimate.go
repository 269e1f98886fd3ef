package judge

import "math"

// Estimate is a figure with its standard error over samples.
type Estimate struct {
	Value  float64 `json:"value"`
	StdErr float64 `json:"std_err"`
}

// part is what one sample adds to the numerator and to the base of a share or
// a mean.
type part struct{ sum, base float64 }

// ratio is Σ sum / Σ base. Samples are the independent units and not the
// characters within them, so its error is that of a ratio estimator (Cochran,
// "Sampling Techniques", 1977, equation 6.13). Without a base it is 0 ± 0.
func ratio(parts []part) Estimate {
	var sum, base float64
	for _, p := range parts {
		sum += p.sum
		base += p.base
	}
	if base == 0 {
		return Estimate{}
	}
	e := Estimate{Value: sum / base}
	var squares float64
	for _, p := range parts {
		r := p.sum - e.Value*p.base
		squares += r * r
	}
	n := float64(len(parts))
	e.StdErr = math.Sqrt(squares*n/max(1, n-1)) / base
	return e
}

// entropy is that of the symbols of all samples together, in nats, and to
// first order in the frequencies the error of a mean surprise under them.
func entropy[T comparable](samples [][]T) Estimate {
	counts := map[T]float64{}
	var total float64
	for _, s := range samples {
		for _, symbol := range s {
			counts[symbol]++
			total++
		}
	}
	parts := make([]part, len(samples))
	for i, s := range samples {
		for _, symbol := range s { // in the order of the text: the sum is the same each time
			parts[i].sum -= math.Log(counts[symbol] / total)
		}
		parts[i].base = float64(len(s))
	}
	return ratio(parts)
}
