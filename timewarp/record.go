package timewarp

import (
	"fmt"
	"math"
)

// record is what all warps have in common: their range, how often they were
// shown something, and what that was.
type record struct {
	TMin     float64   `json:"t_min"`
	TMax     float64   `json:"t_max"`
	Steps    int       `json:"steps"`
	Intake   intake    `json:"intake"`
	Observed histogram `json:"observed"`
}

func newRecord(tmin, tmax float64, batch int) (record, error) {
	if !(tmin > 0 && tmax > tmin && tmax <= math.MaxFloat64) {
		return record{}, fmt.Errorf("invalid noise range [%v, %v]: want 0 < tmin < tmax", tmin, tmax)
	}
	if batch < 0 {
		return record{}, fmt.Errorf("invalid batch of %d sequences", batch)
	}
	r := record{TMin: tmin, TMax: tmax, Observed: newHistogram()}
	r.Intake.reserve(batch)
	return r, nil
}

// admit records a batch and returns its usable part, valid until the next call.
func (r *record) admit(batch []Observation) []Observation {
	usable := r.Intake.admit(batch, r.TMin, r.TMax)
	if len(usable) == 0 {
		return nil
	}
	r.Steps++
	r.Observed.age(len(usable))
	s0, s1 := math.Log(r.TMin), math.Log(r.TMax)
	for _, o := range usable {
		r.Observed.add(math.Log(o.T), s0, s1, o.Loss, o.Weight)
	}
	return usable
}

// snapshot describes a warp of this record at the noise levels t.
func (r *record) snapshot(kind string, w Warp, t []float64) Snapshot {
	s := Snapshot{
		Kind: kind, TMin: r.TMin, TMax: r.TMax, Steps: r.Steps, T: t,
		CDF: make([]float64, len(t)), Density: make([]float64, len(t)),
		Observed: r.Observed.bins(math.Log(r.TMin), math.Log(r.TMax)),
	}
	for i, t := range t {
		s.CDF[i], s.Density[i] = w.CDF(t), w.Density(t)
	}
	for _, u := range snapshotLevels {
		s.Quantiles = append(s.Quantiles, Quantile{U: u, T: w.Quantile(u)})
	}
	return s
}

// check refuses a restored record that could not have been saved.
func (r *record) check() error {
	if _, err := newRecord(r.TMin, r.TMax, 0); err != nil {
		return err
	}
	if r.Steps < 0 {
		return fmt.Errorf("negative step count %d", r.Steps)
	}
	if !(r.Intake.N >= 0 && r.Intake.N <= math.MaxInt64 && r.Intake.Typical >= 0 && r.Intake.Typical <= maxLoss) {
		return fmt.Errorf("impossible intake: %v observations, typical loss %v", r.Intake.N, r.Intake.Typical)
	}
	return r.Observed.check()
}

// quantile evaluates an inverse CDF, exactly at the ends and never outside.
func (r *record) quantile(u float64, inverse func(float64) float64) float64 {
	switch {
	case !(u > 0): // and for NaN
		return r.TMin
	case u >= 1:
		return r.TMax
	}
	return min(max(inverse(u), r.TMin), r.TMax)
}
