package timewarp

import "sort"

// outlierFactor bounds a single loss by this multiple of the typical one. Under
// a converged warp the typical loss is half of the curve's height, so that the
// bound lies at four times the height: no honest sequence reaches it, and one
// absurd value cannot own its neighbourhood.
const outlierFactor = 8

// intake turns what the trainer reports into what a fit can use: it drops
// observations that are not usable, scales the weights to mean 1 over the batch
// and clamps the losses to [0, outlierFactor * typical loss].
type intake struct {
	Typical float64 `json:"typical_loss"` // running mean of the clamped losses
	N       float64 `json:"n"`            // observations so far
	batch   []Observation
	losses  []float64
}

// admit returns the usable part of a batch; the result is valid until the next
// call.
func (in *intake) admit(batch []Observation, tmin, tmax float64) []Observation {
	in.batch, in.losses = in.batch[:0], in.losses[:0]
	heaviest := 0.
	for _, o := range batch {
		if o.usable(tmin, tmax) {
			in.batch = append(in.batch, o)
			in.losses = append(in.losses, max(0, o.Loss))
			heaviest = max(heaviest, o.Weight)
		}
	}
	if len(in.batch) == 0 {
		return nil
	}
	if in.N == 0 { // nothing to compare with yet: the median stands in
		sort.Float64s(in.losses)
		in.Typical = min(in.losses[len(in.losses)/2], 1e6)
	}
	sum := 0.
	for _, o := range in.batch {
		sum += o.Weight / heaviest
	}
	scale := float64(len(in.batch)) / sum / heaviest
	limit, mean := outlierFactor*in.Typical, 0.
	if in.Typical == 0 {
		limit = 1
	}
	for i := range in.batch {
		o := &in.batch[i]
		o.Weight *= scale
		o.Loss = min(max(0, o.Loss), limit)
		mean += o.Weight * o.Loss
	}
	n := float64(len(in.batch))
	in.N += n
	in.Typical += (mean/n - in.Typical) * max(n/in.N, min(1, n/outlierMemory))
	return in.batch
}

// outlierMemory is the number of observations behind the typical loss.
const outlierMemory = 2000
