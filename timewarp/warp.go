package timewarp

import (
	"encoding/json"
	"fmt"
	"math"
)

// Observation is what one training sequence tells a warp: it was corrupted
// with Gaussian noise of standard deviation T, and the network's mean
// cross-entropy over its noisy positions was Loss nats. Weight is the number of
// noisy positions behind that mean; only its ratio to the other weights of the
// batch matters. Observations that are not finite, lie outside [TMin, TMax] or
// have no weight are ignored.
type Observation struct {
	T, Loss, Weight float64
}

// usable reports whether an observation can enter a fit over [tmin, tmax].
func (o Observation) usable(tmin, tmax float64) bool {
	return o.T >= tmin && o.T <= tmax && o.Weight > 0 && o.Weight <= math.MaxFloat64 &&
		o.Loss >= -math.MaxFloat64 && o.Loss <= math.MaxFloat64
}

// Warp is a distribution of noise levels on [TMin, TMax], fixed or learned.
// Its distribution function F is the warp itself: u = F(t) is the warped time,
// in which the denoising loss is meant to rise linearly.
//
// A Warp is not safe for concurrent use.
type Warp interface {
	// CDF is F(t). It is 0 up to TMin, 1 from TMax on, and strictly increasing
	// in between.
	CDF(t float64) float64
	// Quantile is the inverse of CDF: the t in [TMin, TMax] with F(t) = u.
	// Values of u outside [0, 1] are clamped to it.
	Quantile(u float64) float64
	// Density is dF/dt per unit of t; 0 outside [TMin, TMax].
	Density(t float64) float64
	// Observe learns from the losses of one optimiser step. A fixed warp only
	// records them, so that they can be inspected.
	Observe(batch []Observation)
	// Snapshot describes the warp and what it has seen, for logs and pictures.
	Snapshot() Snapshot
}

// Names of the warps that New makes.
const (
	KindOnline     = "online"
	KindPaper      = "paper"
	KindUniform    = "uniform"
	KindLogUniform = "log-uniform"
	KindKarras     = "karras"
	KindSqrt       = "sqrt"
	KindCosine     = "cosine"
)

// Kinds lists what New accepts, the default first.
func Kinds() []string {
	return []string{KindOnline, KindPaper, KindUniform, KindLogUniform, KindKarras, KindSqrt, KindCosine}
}

// New makes the warp named kind on [tmin, tmax] with its default settings.
// batch is the number of sequences of a training step, for which it makes room;
// it may be 0 if unknown.
func New(kind string, tmin, tmax float64, batch int) (Warp, error) {
	switch kind {
	case KindOnline:
		return NewOnline(OnlineOptions{TMin: tmin, TMax: tmax, Batch: batch})
	case KindPaper:
		return NewPaper(PaperOptions{TMin: tmin, TMax: tmax})
	default:
		return NewFixed(kind, tmin, tmax)
	}
}

// Restore rebuilds a warp from the JSON that its MarshalJSON wrote. The warp
// continues exactly as the saved one would have.
func Restore(data []byte) (Warp, error) {
	var head struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("read warp state: %w", err)
	}
	var w interface {
		Warp
		json.Unmarshaler
	}
	switch head.Kind {
	case KindOnline:
		w = new(Online)
	case KindPaper:
		w = new(Paper)
	default:
		w = new(Fixed)
	}
	if err := w.UnmarshalJSON(data); err != nil {
		return nil, err
	}
	return w, nil
}

// TrainQuantile is the quantile function of the density that training draws
// its noise levels from. For Online that is a mixture of the warp and a small
// log-uniform part, which keeps every noise level supplied with observations;
// for all others it is the warp itself.
func TrainQuantile(w Warp, u float64) float64 {
	if o, ok := w.(*Online); ok {
		return o.trainQuantile(u)
	}
	return w.Quantile(u)
}

// TrainDensity is the density of TrainQuantile, per unit of t.
func TrainDensity(w Warp, t float64) float64 {
	o, ok := w.(*Online)
	if !ok || !(t >= o.TMin && t <= o.TMax) {
		return w.Density(t)
	}
	return (1-o.explore)*o.Density(t) + o.explore/(t*math.Log(o.TMax/o.TMin))
}

// LowDiscrepancy fills dst with u_i = frac((i + offset)/B), B = len(dst): one
// random offset in [0, 1) spreads a whole batch evenly over [0, 1), each u_i
// being uniform on its own (Kingma et al., Variational Diffusion Models,
// 2021, appendix I.1).
func LowDiscrepancy(dst []float64, offset float64) {
	n := float64(len(dst))
	for i := range dst {
		u := (float64(i) + offset) / n
		u -= math.Floor(u)
		if !(u < 1) { // a tiny negative offset rounds up to 1; NaN
			u = 0
		}
		dst[i] = u
	}
}
