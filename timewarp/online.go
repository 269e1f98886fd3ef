package timewarp

import (
	"encoding/json"
	"fmt"
	"math"
)

// OnlineOptions configures the closed-form estimator.
type OnlineOptions struct {
	TMin, TMax float64 // range of noise levels, 0 < TMin < TMax
	Batch      int     // sequences of a step; only a hint, may be 0
}

// Online estimates the warp in closed form after every step.
type Online struct {
	o        OnlineOptions
	steps    int
	intake   intake
	observed histogram
	e        estimator
}

// NewOnline makes an estimator that has seen nothing; its warp is log-uniform.
func NewOnline(o OnlineOptions) (*Online, error) {
	if err := checkRange(o.TMin, o.TMax); err != nil {
		return nil, err
	}
	w := &Online{o: o, observed: newHistogram()}
	w.e.init(math.Log(o.TMin), math.Log(o.TMax))
	return w, nil
}

// CDF implements Warp.
func (w *Online) CDF(t float64) float64 {
	if !(t > w.o.TMin) {
		return 0
	}
	return w.e.warp().at(math.Log(t))
}

// Quantile implements Warp.
func (w *Online) Quantile(u float64) float64 { return w.clamp(w.e.warp().inverse().at(unit(u))) }

func (w *Online) trainQuantile(u float64) float64 {
	return w.clamp(w.e.trainWarp().inverse().at(unit(u)))
}

func (w *Online) clamp(s float64) float64 { return min(max(math.Exp(s), w.o.TMin), w.o.TMax) }

// Density implements Warp.
func (w *Online) Density(t float64) float64 {
	if !(t >= w.o.TMin && t <= w.o.TMax) {
		return 0
	}
	return w.e.warp().slope(math.Log(t)) / t
}

// Observe implements Warp.
func (w *Online) Observe(batch []Observation) {
	usable := w.intake.admit(batch, w.o.TMin, w.o.TMax)
	if len(usable) == 0 {
		return
	}
	w.steps++
	w.observed.age(len(usable))
	s0, s1 := w.e.s[0], w.e.s[len(w.e.s)-1]
	for _, o := range usable {
		w.observed.add(math.Log(o.T), s0, s1, o.Loss, o.Weight)
	}
	w.e.learn(usable)
}

// Snapshot implements Warp.
func (w *Online) Snapshot() Snapshot {
	s := Snapshot{Kind: KindOnline, TMin: w.o.TMin, TMax: w.o.TMax, Steps: w.steps}
	s.Observed = w.observed.bins(math.Log(w.o.TMin), math.Log(w.o.TMax))
	describe(w, &s, logNodes(w.o.TMin, w.o.TMax, len(w.e.s)))
	s.Loss = append(s.Loss, w.e.level...)
	s.Height = s.Loss[len(s.Loss)-1]
	return s
}

// MarshalJSON writes the exact state.
func (w *Online) MarshalJSON() ([]byte, error) { return nil, fmt.Errorf("encode warp state") }

// UnmarshalJSON restores what MarshalJSON wrote.
func (w *Online) UnmarshalJSON(data []byte) error {
	var s struct{}
	return json.Unmarshal(data, &s)
}
