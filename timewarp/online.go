package timewarp

import (
	"encoding/json"
	"fmt"
	"math"
)

// DefaultExplore is the share of the noise levels that training draws
// log-uniformly when an Online warp is in charge.
const DefaultExplore = .05

const (
	// leastSlope is the share of the height that rises log-uniformly over the
	// range whatever the data say, so that the warp is strictly increasing.
	leastSlope = 1e-4
	// flatSlope is the same for a curve without any shape of its own.
	flatSlope = .05
	// leastRise is a height in nats that cannot be told from zero.
	leastRise = 1e-9
	// flatRise is the rise, as a share of the height, below which a curve
	// begins to count as flat.
	flatRise = .2
)

// OnlineOptions configures Online.
type OnlineOptions struct {
	TMin, TMax float64 // range of noise levels, 0 < TMin < TMax
	Batch      int     // sequences of a step, to make room for; 0 if unknown
	Explore    float64 // log-uniform share of the training density; 0 stands for DefaultExplore
}

// Online is a warp that is computed anew, in closed form, after every step: a
// regression of the losses seen so far on the noise level. It has no learning
// rate and needs no warm-up. The steps of a fit are in fit; docs/timewarp.md
// explains them on one page and compares the result with the paper's.
type Online struct {
	record
	explore float64

	memory [memories]memory
	cdf    []float64 // the warp at the nodes
	loss   []float64 // the loss curve at the nodes, nats
	noise  float64   // residual variance of a loss about the curve

	// What follows is derived from the above or is working space.
	s     []float64 // nodes, ln t
	train []float64 // CDF of the training density at the nodes
	z     []float64 // the nodes on the straightened axis
	x     []float64 // the fit points on it
	curve [memories]estimate
	pools pools
}

// NewOnline makes an estimator that has seen nothing. Its warp is log-uniform.
func NewOnline(o OnlineOptions) (*Online, error) {
	r, err := newRecord(o.TMin, o.TMax, o.Batch)
	if err != nil {
		return nil, err
	}
	if o.Explore == 0 {
		o.Explore = DefaultExplore
	}
	if !(o.Explore > 0 && o.Explore <= 1) {
		return nil, fmt.Errorf("invalid log-uniform share %v: want one in (0, 1]", o.Explore)
	}
	w := &Online{record: r, explore: o.Explore}
	mk := func(n int) []float64 { return make([]float64, n) }
	w.s, w.cdf, w.train, w.loss, w.z = mk(gridNodes), mk(gridNodes), mk(gridNodes), mk(gridNodes), mk(gridNodes)
	w.x = mk(fitPoints)
	for k := range w.memory {
		w.memory[k] = newMemory()
		w.curve[k] = estimate{level: mk(fitPoints), variance: mk(fitPoints)}
	}
	w.pools = pools{level: mk(fitPoints), weight: mk(fitPoints), size: make([]int, fitPoints)}
	s0, s1 := math.Log(o.TMin), math.Log(o.TMax)
	for g := range w.s {
		w.s[g] = s0 + (s1-s0)*evenly(g)
		w.cdf[g] = evenly(g)
	}
	w.mix()
	return w, nil
}

// evenly is the log-uniform CDF at node g.
func evenly(g int) float64 { return float64(g) / (gridNodes - 1) }

// CDF implements Warp.
func (w *Online) CDF(t float64) float64 {
	if !(t > w.TMin) {
		return 0
	}
	if t >= w.TMax {
		return 1
	}
	return polyline{w.s, w.cdf}.at(math.Log(t))
}

// Quantile implements Warp.
func (w *Online) Quantile(u float64) float64 {
	return w.quantile(u, func(u float64) float64 { return math.Exp(polyline{w.cdf, w.s}.at(u)) })
}

// trainQuantile is the quantile function of the density with exploration.
func (w *Online) trainQuantile(u float64) float64 {
	return w.quantile(u, func(u float64) float64 { return math.Exp(polyline{w.train, w.s}.at(u)) })
}

// Density implements Warp.
func (w *Online) Density(t float64) float64 {
	if !(t >= w.TMin && t <= w.TMax) {
		return 0
	}
	return polyline{w.s, w.cdf}.slope(math.Log(t)) / t
}

// Observe implements Warp. It allocates nothing once batches no longer grow,
// and costs the same for any batch that is small against the grid.
func (w *Online) Observe(batch []Observation) {
	usable := w.admit(batch)
	if len(usable) == 0 {
		return
	}
	perNode := (gridNodes - 1) / (w.s[gridNodes-1] - w.s[0])
	for k := range w.memory {
		w.memory[k].age(k, float64(len(usable)), w.Intake.N)
	}
	for _, o := range usable {
		x := (math.Log(o.T) - w.s[0]) * perNode
		for k := range w.memory {
			w.memory[k].add(x, o.Weight, o.Loss)
		}
	}
	w.fit()
}

// fit computes the warp from the memories.
func (w *Online) fit() {
	// 1. The scale of things: the height that the curve has, or at the start a
	// fifth of the mean loss.
	rise := max(w.loss[gridNodes-1]-w.loss[0], flatRise*w.memory[0].mean())
	if !(rise > leastRise) {
		return // every loss is zero: there is nothing to see
	}
	// 2. Straighten the axis by the current warp.
	inverse := polyline{w.cdf, w.s}
	straighten(w.z, w.s, [2]float64{inverse.at(.25), inverse.at(.75)})
	for j := range w.x {
		w.x[j] = w.z[0] + (w.z[gridNodes-1]-w.z[0])*float64(j)/(fitPoints-1)
	}
	// 3. One curve per memory, by local lines of the bandwidth that balances
	// bias against noise.
	h := bandwidth(w.noise/(rise*rise), w.memory[0].effective())
	w.noise = w.memory[0].localLines(w.curve[0], w.x, w.z, h, rise)
	for k := 1; k < memories; k++ {
		w.memory[k].localLines(w.curve[k], w.x, w.z, h, rise)
	}
	// 4. From slow to fast, follow what has drifted.
	for k := 1; k < memories; k++ {
		w.curve[0].follow(w.curve[k])
	}
	// 5. Losses rise with the noise level.
	w.curve[0].isotonic(&w.pools)
	for g, z := range w.z {
		w.loss[g] = polyline{w.x, w.curve[0].level}.at(z)
	}
	w.normalise()
}

// bandwidth is the standard deviation of the kernel for n observations whose
// residual variance is noise times the squared height of the curve. The power
// of a fifth is where the squared bias of a local line, of order h^4, and its
// variance, of order noise/(n h), fall together; on an axis straightened to
// unit length the constant is near 1.
func bandwidth(noise, n float64) float64 {
	if noise == 0 { // the first step, or losses without any noise
		return .1
	}
	return min(max(math.Pow(noise/n, .2), .02), .2)
}

// normalise turns the loss curve into the warp. What lies below the curve's
// start is not uncertainty that noise has added, so it is subtracted: no atom
// of probability sits at TMin while a network has learned nothing. A curve that
// is flat gives way to the log-uniform density.
func (w *Online) normalise() {
	bottom, top := w.loss[0], w.loss[gridNodes-1]
	if !(top > leastRise) {
		return
	}
	slope := top * (leastSlope + flatSlope*max(0, 1-(top-bottom)/(flatRise*top)))
	for g := range w.cdf {
		w.cdf[g] = (w.loss[g] - bottom + slope*evenly(g)) / (top - bottom + slope)
	}
	w.mix()
}

// mix adds the exploring part to the density that training draws from.
func (w *Online) mix() {
	for g := range w.train {
		w.train[g] = (1-w.explore)*w.cdf[g] + w.explore*evenly(g)
	}
}

// Snapshot implements Warp.
func (w *Online) Snapshot() Snapshot {
	s := w.snapshot(KindOnline, w, logNodes(w.TMin, w.TMax, gridNodes))
	s.Loss = append([]float64(nil), w.loss...)
	s.Height = w.loss[gridNodes-1]
	return s
}

// onlineState is the saved form of an Online.
type onlineState struct {
	Kind string `json:"kind"`
	record
	Explore float64          `json:"explore"`
	Memory  [memories]memory `json:"memory"`
	CDF     []float64        `json:"cdf"`
	Loss    []float64        `json:"loss"`
	Noise   float64          `json:"noise"`
}

// MarshalJSON writes the exact state.
func (w *Online) MarshalJSON() ([]byte, error) {
	return json.Marshal(onlineState{
		Kind: KindOnline, record: w.record, Explore: w.explore,
		Memory: w.memory, CDF: w.cdf, Loss: w.loss, Noise: w.noise,
	})
}

// UnmarshalJSON restores what MarshalJSON wrote.
func (w *Online) UnmarshalJSON(data []byte) error {
	var s onlineState
	err := json.Unmarshal(data, &s)
	if err == nil {
		err = s.check()
	}
	if err != nil {
		return fmt.Errorf("read warp state: %w", err)
	}
	n, err := NewOnline(OnlineOptions{TMin: s.TMin, TMax: s.TMax, Explore: s.Explore})
	if err != nil {
		return fmt.Errorf("read warp state: %w", err)
	}
	n.record, n.memory, n.cdf, n.loss, n.noise = s.record, s.Memory, s.CDF, s.Loss, s.Noise
	n.mix()
	*w = *n
	return nil
}

// check refuses a state that no Online can be in.
func (s *onlineState) check() error {
	if s.Kind != KindOnline {
		return fmt.Errorf("kind %q, want %q", s.Kind, KindOnline)
	}
	if err := s.record.check(); err != nil {
		return err
	}
	for k := range s.Memory {
		if err := s.Memory[k].check(k); err != nil {
			return err
		}
	}
	if err := checkCDF("cdf", s.CDF, gridNodes); err != nil {
		return err
	}
	if !(s.Noise >= 0 && s.Noise <= math.MaxFloat64) {
		return fmt.Errorf("impossible noise %v", s.Noise)
	}
	return checkSums("loss", s.Loss, gridNodes)
}

// checkCDF refuses restored values that are not those of a strictly increasing
// distribution function.
func checkCDF(name string, cdf []float64, n int) error {
	if err := checkSums(name, cdf, n); err != nil {
		return err
	}
	if cdf[0] != 0 || cdf[n-1] != 1 {
		return fmt.Errorf("%s: runs from %v to %v, want 0 to 1", name, cdf[0], cdf[n-1])
	}
	for i := 1; i < n; i++ {
		if !(cdf[i] > cdf[i-1]) {
			return fmt.Errorf("%s: value %d does not rise", name, i)
		}
	}
	return nil
}
