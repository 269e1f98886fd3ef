package timewarp

import "sort"

const (
	// outlierFactor bounds a single loss by this multiple of the typical one.
	// Under a converged warp the typical loss is half of the height of the
	// curve, so that the bound lies at four times the height: no honest
	// sequence reaches it, and no absurd one can own its neighbourhood.
	outlierFactor = 8
	// outlierMemory is the number of observations behind the typical loss.
	outlierMemory = 2000
	// leastWeight is the least weight beside the heaviest of a batch.
	leastWeight = 1e-6
	// maxLoss is a cross-entropy, in nats, that no network has: the probability
	// of the right token would be exp(-maxLoss).
	maxLoss = 1e6
)

// intake turns what the trainer reports into what a fit can use: it drops
// observations that are not usable, scales the weights to mean 1 over the batch
// and clamps the losses to [0, outlierFactor * typical loss].
type intake struct {
	Typical float64 `json:"typical_loss"` // running mean of the clamped losses
	N       float64 `json:"observations"` // usable ones so far

	batch  []Observation
	losses []float64
}

// reserve makes room for batches of n.
func (in *intake) reserve(n int) {
	in.batch, in.losses = make([]Observation, 0, n), make([]float64, 0, n)
}

// admit returns the usable part of a batch, valid until the next call.
func (in *intake) admit(batch []Observation, tmin, tmax float64) []Observation {
	in.batch = in.batch[:0]
	heaviest := 0.
	for _, o := range batch {
		if o.usable(tmin, tmax) {
			o.Loss = min(max(0, o.Loss), maxLoss)
			in.batch = append(in.batch, o)
			heaviest = max(heaviest, o.Weight)
		}
	}
	if len(in.batch) == 0 {
		return nil
	}
	n, sum := float64(len(in.batch)), 0.
	for i := range in.batch {
		o := &in.batch[i]
		o.Weight = max(o.Weight/heaviest, leastWeight)
		sum += o.Weight
	}
	if in.Typical == 0 { // nothing to compare with yet: the median stands in
		in.Typical = in.median()
	}
	mean, limit := 0., outlierFactor*in.Typical
	for i := range in.batch {
		o := &in.batch[i]
		o.Weight *= n / sum
		o.Loss = min(o.Loss, limit)
		mean += o.Weight * o.Loss / n
	}
	in.N += n
	in.Typical += (mean - in.Typical) * min(1, max(n/in.N, n/outlierMemory))
	return in.batch
}

// median is the upper median of the losses of the batch.
func (in *intake) median() float64 {
	in.losses = in.losses[:0]
	for _, o := range in.batch {
		in.losses = append(in.losses, o.Loss)
	}
	sort.Float64s(in.losses)
	return in.losses[len(in.losses)/2]
}
