package judge

import "math"

// Estimate is a figure with its standard error over samples.
type Estimate struct {
	Value  float64 `json:"value"`
	StdErr float64 `json:"std_err"`
}

// Part is what one sample adds to the sum and to the base of a share or a mean.
type Part struct{ Sum, Base float64 }

// Ratio is Σ Sum / Σ Base. Samples are the independent units and not the
// characters within them, so its error is that of a ratio estimator (Cochran,
// "Sampling Techniques", 1977, equation 6.13). Without a base it is 0 ± 0.
func Ratio(parts []Part) Estimate {
	var sum, base float64
	for _, p := range parts {
		sum += p.Sum
		base += p.Base
	}
	if base == 0 {
		return Estimate{}
	}
	e := Estimate{Value: sum / base}
	var squares float64
	for _, p := range parts {
		r := p.Sum - e.Value*p.Base
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
	parts := make([]Part, len(samples))
	for i, s := range samples {
		for _, symbol := range s { // in the order of the text: the sum is the same each time
			parts[i].Sum -= math.Log(counts[symbol] / total)
		}
		parts[i].Base = float64(len(s))
	}
	return Ratio(parts)
}
