package timewarp

import (
	"encoding/json"
	"fmt"
	"math"
)

// Defaults of the paper's fit. The paper gives the number of bins; the rest was
// chosen by this project on the exact-posterior oracle (docs/timewarp.md).
const (
	DefaultBins         = 100
	DefaultFloor        = 1e-4
	DefaultLearningRate = 1e-2
	DefaultBeta1        = .9
	DefaultBeta2        = .99
	DefaultMaxWeight    = 30
	DefaultMinBatch     = 64
)

// PaperOptions configures Paper. The zero value of a field stands for the
// default named with it.
type PaperOptions struct {
	TMin float64 `json:"t_min"` // range of noise levels, 0 < TMin < TMax
	TMax float64 `json:"t_max"`

	Bins  int     `json:"bins"`  // N; DefaultBins
	Floor float64 `json:"floor"` // added to every bin width and height; DefaultFloor
	// LogSpaced starts with bins of equal width in ln t in place of t, for runs
	// too short for the fit to find the scale of t by itself.
	LogSpaced bool `json:"log_spaced"`

	LearningRate float64 `json:"learning_rate"` // Adam; DefaultLearningRate
	Beta1        float64 `json:"beta1"`         // DefaultBeta1
	Beta2        float64 `json:"beta2"`         // DefaultBeta2
	// MaxWeight bounds the importance weights, which have mean 1 over a batch;
	// DefaultMaxWeight.
	MaxWeight float64 `json:"max_weight"`
	// MinBatch is the number of observations that a step of Adam waits for;
	// DefaultMinBatch. Small batches make the fit chase noise.
	MinBatch int `json:"min_batch"`

	EMA         float64 `json:"ema"`         // decay of the averaged logits that the warp is made of; 0: none
	Temperature float64 `json:"temperature"` // of the density, above 1 flatter; 1
	Uniform     float64 `json:"uniform"`     // share of a density uniform in t mixed in; 0
	// ShapeA and ShapeB are the parameters of a Beta distribution whose CDF S
	// is the wished-for course of the loss over u; 1 and 1, a straight line.
	ShapeA float64 `json:"shape_a"`
	ShapeB float64 `json:"shape_b"`
}

// withDefaults fills in what was left zero and refuses what cannot be.
func (o PaperOptions) withDefaults() (PaperOptions, error) {
	if o.Bins == 0 {
		o.Bins = DefaultBins
	}
	if o.MinBatch == 0 {
		o.MinBatch = DefaultMinBatch
	}
	for _, d := range []struct {
		field *float64
		value float64
	}{
		{&o.Floor, DefaultFloor},
		{&o.LearningRate, DefaultLearningRate},
		{&o.Beta1, DefaultBeta1},
		{&o.Beta2, DefaultBeta2},
		{&o.MaxWeight, DefaultMaxWeight},
		{&o.Temperature, 1},
		{&o.ShapeA, 1},
		{&o.ShapeB, 1},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	for _, c := range []struct {
		name  string
		value float64
		ok    bool
	}{
		{"bins", float64(o.Bins), o.Bins >= 2 && o.Bins <= 1e5},
		{"min batch", float64(o.MinBatch), o.MinBatch >= 1 && o.MinBatch <= 1e6},
		{"floor", o.Floor, o.Floor > 0 && o.Floor <= 1},
		{"learning rate", o.LearningRate, o.LearningRate > 0 && o.LearningRate <= 1},
		{"beta1", o.Beta1, o.Beta1 > 0 && o.Beta1 < 1},
		{"beta2", o.Beta2, o.Beta2 > 0 && o.Beta2 < 1},
		{"max weight", o.MaxWeight, o.MaxWeight >= 1 && o.MaxWeight <= math.MaxFloat64},
		{"ema", o.EMA, o.EMA >= 0 && o.EMA < 1},
		{"temperature", o.Temperature, o.Temperature > 0 && o.Temperature <= math.MaxFloat64},
		{"uniform share", o.Uniform, o.Uniform >= 0 && o.Uniform <= 1},
		{"shape a", o.ShapeA, o.ShapeA > 0 && o.ShapeA <= 1e3},
		{"shape b", o.ShapeB, o.ShapeB > 0 && o.ShapeB <= 1e3},
	} {
		if !c.ok {
			return o, fmt.Errorf("invalid %s of the warp: %v", c.name, c.value)
		}
	}
	return o, nil
}

// Paper is the time warp of Dieleman et al., Continuous diffusion for
// categorical data, 2022, section 5.2 and appendix A: a monotone, piecewise
// linear function with learned bins is fitted to the losses by stochastic
// gradient steps, and its normalised form is the warp.
type Paper struct {
	record
	o PaperOptions

	fit     bins          // the parameters
	average bins          // their moving average, if wanted
	adam    adam          // moments of the gradient
	pending []Observation // waiting for a step

	// What follows is derived from the above or is working space.
	t, cdf   []float64 // the warp: edges of the bins and F there
	gradient bins
	curve    curve
	omega    []float64
}

// NewPaper makes the paper's warp at its start: the identity in t, or the
// log-uniform density with LogSpaced.
func NewPaper(o PaperOptions) (*Paper, error) {
	r, err := newRecord(o.TMin, o.TMax, 0)
	if err != nil {
		return nil, err
	}
	if o, err = o.withDefaults(); err != nil {
		return nil, err
	}
	n := o.Bins
	p := &Paper{
		record: r, o: o, fit: newBins(n), average: newBins(n), adam: newAdam(2 * n), gradient: newBins(n),
		curve: newCurve(n), t: make([]float64, n+1), cdf: make([]float64, n+1),
	}
	for i := range n {
		p.fit.A[i], p.fit.B[i] = -math.Log(float64(n)), -math.Log(float64(n))
	}
	if o.LogSpaced {
		p.fit.spaceEvenlyInLog(o.TMin, o.TMax, o.Floor)
	}
	p.average.set(p.fit)
	p.rebuild()
	return p, nil
}

// CDF implements Warp.
func (p *Paper) CDF(t float64) float64 {
	if !(t > p.TMin) {
		return 0
	}
	return polyline{p.t, p.cdf}.at(t)
}

// Quantile implements Warp.
func (p *Paper) Quantile(u float64) float64 { return p.quantile(u, polyline{p.cdf, p.t}.at) }

// Density implements Warp.
func (p *Paper) Density(t float64) float64 {
	if !(t >= p.TMin && t <= p.TMax) {
		return 0
	}
	return polyline{p.t, p.cdf}.slope(t)
}

// Observe implements Warp: as soon as MinBatch observations wait, one step of
// Adam on the weighted squared error between the curve and their losses. The
// noise levels are taken to be drawn from this warp, since the importance
// weights are 1/Density.
func (p *Paper) Observe(batch []Observation) {
	p.pending = append(p.pending, p.admit(batch)...)
	if len(p.pending) < p.o.MinBatch {
		return
	}
	p.weigh()
	p.loss(p.pending, p.omega, &p.gradient)
	p.adam.step(p.fit, p.gradient, p.o)
	p.average.approach(p.fit, p.o.EMA)
	p.pending = p.pending[:0]
	p.rebuild()
}

// weigh computes the importance weights of the pending observations: 1/density,
// which makes the fit uniform in t, times their own weights, scaled to mean 1,
// then bounded.
func (p *Paper) weigh() {
	p.omega = p.omega[:0]
	mean := 0.
	for _, o := range p.pending {
		w := o.Weight / (p.Density(o.T) * (p.TMax - p.TMin))
		p.omega = append(p.omega, w)
		mean += w / float64(len(p.pending))
	}
	for i := range p.omega {
		p.omega[i] = min(p.omega[i]/mean, p.o.MaxWeight)
	}
}

// loss is mean omega_i (S(F(t_i)) H - L_i)^2, H = F~(TMax), and its gradient
// with respect to the logits. With a straight S the curve S(F) H is F~ itself.
func (p *Paper) loss(batch []Observation, omega []float64, gradient *bins) float64 {
	p.curve.build(p.fit, p.o.Floor)
	p.curve.clear()
	sum, n := 0., float64(len(batch))
	for i, o := range batch {
		x := (o.T - p.TMin) / (p.TMax - p.TMin)
		k, y := p.curve.at(x)
		height := p.curve.height()
		u := y / height
		s, ds := p.o.shape(u)
		e := s*height - o.Loss
		sum += omega[i] * e * e / n
		// d(S(u) H) = S'(u) dF~ + (S(u) - u S'(u)) dH, as u = F~/H.
		g := 2 * omega[i] * e / n
		p.curve.accumulate(k, x, g*ds, g*(s-u*ds))
	}
	p.curve.gradient(gradient, p.fit, p.o.Floor)
	return sum
}

// rebuild makes the warp from the logits.
func (p *Paper) rebuild() {
	from := p.fit
	if p.o.EMA > 0 {
		from = p.average
	}
	p.curve.build(from, p.o.Floor)
	p.curve.warp(p.t, p.cdf, p.o.Temperature, p.o.Uniform)
	for i, x := range p.t {
		p.t[i] = p.TMin + (p.TMax-p.TMin)*x
	}
	p.t[len(p.t)-1] = p.TMax
}

// Snapshot implements Warp. The nodes are the edges of the bins.
func (p *Paper) Snapshot() Snapshot {
	s := p.snapshot(KindPaper, p, append([]float64(nil), p.t...))
	p.curve.build(p.fit, p.o.Floor)
	s.Height = p.curve.height()
	for _, t := range s.T {
		_, y := p.curve.at((t - p.TMin) / (p.TMax - p.TMin))
		shape, _ := p.o.shape(y / s.Height)
		s.Loss = append(s.Loss, shape*s.Height)
	}
	return s
}

// paperState is the saved form of a Paper.
type paperState struct {
	Kind string `json:"kind"`
	record
	Options PaperOptions  `json:"options"`
	Fit     bins          `json:"fit"`
	Average bins          `json:"average"`
	Adam    adam          `json:"adam"`
	Pending []Observation `json:"pending"`
}

// MarshalJSON writes the exact state.
func (p *Paper) MarshalJSON() ([]byte, error) {
	return json.Marshal(paperState{
		Kind: KindPaper, record: p.record, Options: p.o, Fit: p.fit, Average: p.average, Adam: p.adam, Pending: p.pending,
	})
}

// UnmarshalJSON restores what MarshalJSON wrote.
func (p *Paper) UnmarshalJSON(data []byte) error {
	var s paperState
	err := json.Unmarshal(data, &s)
	if err == nil {
		err = s.check()
	}
	if err != nil {
		return fmt.Errorf("read warp state: %w", err)
	}
	n, err := NewPaper(s.Options)
	if err != nil {
		return fmt.Errorf("read warp state: %w", err)
	}
	n.record, n.fit, n.average, n.adam, n.pending = s.record, s.Fit, s.Average, s.Adam, s.Pending
	n.rebuild()
	if err := checkCDF("cdf", n.cdf, len(n.cdf)); err != nil {
		return fmt.Errorf("read warp state: %w", err)
	}
	*p = *n
	return nil
}

// check refuses a state that no Paper can be in.
func (s *paperState) check() error {
	if s.Kind != KindPaper {
		return fmt.Errorf("kind %q, want %q", s.Kind, KindPaper)
	}
	if s.Options.TMin != s.TMin || s.Options.TMax != s.TMax {
		return fmt.Errorf("range [%v, %v] differs from that of the options", s.TMin, s.TMax)
	}
	if err := s.record.check(); err != nil {
		return err
	}
	o, err := s.Options.withDefaults()
	if err != nil {
		return err
	}
	for _, v := range []struct {
		name string
		sums []float64
		n    int
	}{
		{"t logits", s.Fit.A, o.Bins},
		{"u logits", s.Fit.B, o.Bins},
		{"averaged t logits", s.Average.A, o.Bins},
		{"averaged u logits", s.Average.B, o.Bins},
		{"first moments", s.Adam.M, 2 * o.Bins},
		{"second moments", s.Adam.V, 2 * o.Bins},
	} {
		if err := checkSums(v.name, v.sums, v.n); err != nil {
			return err
		}
	}
	for i, v := range s.Adam.V {
		if v < 0 {
			return fmt.Errorf("second moments: value %d is negative", i)
		}
	}
	if s.Adam.Steps < 0 || len(s.Pending) >= o.MinBatch {
		return fmt.Errorf("impossible progress: %d steps, %d observations waiting", s.Adam.Steps, len(s.Pending))
	}
	for i, p := range s.Pending {
		if !p.usable(s.TMin, s.TMax) {
			return fmt.Errorf("waiting observation %d is not usable", i)
		}
	}
	return nil
}
