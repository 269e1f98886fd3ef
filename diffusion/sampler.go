package diffusion

import (
	"context"
	"fmt"
	"math"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

// The methods that a Sampler knows.
const (
	Euler     = "euler"     // first order, one call of the network a step
	Heun      = "heun"      // second order, two calls
	Ancestral = "ancestral" // Euler towards less noise than wanted, then fresh noise
)

// Sampler follows the reverse process from pure noise to tokens.
type Sampler struct {
	Schedule      Schedule // the clock: levels are its quantiles at u = 1 - k/Steps
	Steps         int
	Method        string   // Euler, Heun or Ancestral
	Guidance      float64  // γ of classifier-free guidance; 1 is plain conditional
	Temperature   float64  // T of the score, ŝ/T; below 1 sharpens
	Exact         bool     // take the step that is exact for a constant x̂0
	InitialNoise  float64  // σ of the first noise as a share of t_max, usually 1
	SelfCondition bool     // feed each prediction to the next call
	Control       *Control // steers to what is wished; nil leaves the text to itself
	Seed          uint64
	First         uint64 // number of the state's first sequence among all that are drawn
}

// Validate tells what is wrong with the options.
func (s Sampler) Validate() error {
	switch {
	case s.Schedule == nil:
		return fmt.Errorf("sample: no schedule of noise levels")
	case s.Steps < 1:
		return fmt.Errorf("sample: %d steps: at least one is needed", s.Steps)
	case s.Method != Euler && s.Method != Heun && s.Method != Ancestral:
		return fmt.Errorf("sample: unknown method %q: choose %s, %s or %s", s.Method, Euler, Heun, Ancestral)
	case !(s.Temperature > 0) || math.IsInf(s.Temperature, 0):
		return fmt.Errorf("sample: temperature %v is not a positive number", s.Temperature)
	case !(s.InitialNoise >= 0) || math.IsInf(s.InitialNoise, 0):
		return fmt.Errorf("sample: initial noise %v is negative or not finite", s.InitialNoise)
	case math.IsNaN(s.Guidance) || math.IsInf(s.Guidance, 0):
		return fmt.Errorf("sample: guidance %v is not finite", s.Guidance)
	}
	return nil
}

// Run draws the noisy positions of the state, whose C and M the caller has
// filled. It writes their tokens to ids and the network's confidence in them to
// prob, both [B, L]; at given positions it leaves ids and sets prob to 1. X, P
// and T are its own. observe, if not nil, sees every step, and the end.
//
// The noise of a sequence comes from streams named by (Seed, First + its place
// in the state, step), so a batch and its sequences alone give the same text.
// All memory is taken before the first step. It stops at the next step when the
// context ends.
func (s Sampler) Run(ctx context.Context, d Denoiser, st *State, ids []int32, prob []float32, observe func(Sight)) error {
	if err := s.Validate(); err != nil {
		return err
	}
	levels, err := s.levels()
	if err != nil {
		return err
	}
	if err := st.check(); err != nil {
		return fmt.Errorf("sample: %w", err)
	}
	if len(ids) != len(st.M) || len(prob) != len(st.M) {
		return fmt.Errorf("sample: room for %d tokens and %d probabilities of %d", len(ids), len(prob), len(st.M))
	}
	r := newRun(s, d, st)
	if s.Control != nil {
		if err := r.control(ids); err != nil {
			return fmt.Errorf("sample: %w", err)
		}
	}
	r.begin(levels[0])
	for k := range s.Steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		r.step(k, levels[k], levels[k+1])
		if observe != nil {
			last := k // at which the network was asked
			if s.Method == Heun {
				last++
			}
			observe(Sight{
				Step: k, T: levels[last], U: s.u(last), Calls: r.calls, X0: r.raw, run: r,
			})
		}
	}
	r.end(levels[s.Steps], ids, prob)
	if observe != nil {
		observe(Sight{Step: s.Steps, T: levels[s.Steps], Calls: r.calls, run: r})
	}
	return nil
}

// levels are the N+1 noise levels t_k = F⁻¹(1 - k/N), from t_max to t_min.
func (s Sampler) levels() ([]float64, error) {
	levels := make([]float64, s.Steps+1)
	for k := range levels {
		t := s.Schedule.Quantile(s.u(k))
		if !(t > 0) || math.IsInf(t, 0) || k > 0 && t > levels[k-1] {
			return nil, fmt.Errorf("sample: schedule gives noise level %v at step %d of %d", t, k, s.Steps)
		}
		levels[k] = t
	}
	return levels, nil
}

// u is the place on the clock of level k.
func (s Sampler) u(k int) float64 { return 1 - float64(k)/float64(s.Steps) }

// run is the memory of one Run.
type run struct {
	Sampler
	d     Denoiser
	calls int // of d
	st    *State
	blank *State    // the unconditional branch: same X, M and T, no C, no P
	raw   []float32 // x̂0 of the conditional branch
	steer *steering // nil without Control
	x0    []float32 // x̂0 after guidance and steering; the same memory as raw without them
	old   []float32 // Heun: x at the step's start
	first []float32 // Heun: x̂0 at the step's start
	noise []float32 // [L, D] fresh noise of one sequence
	best  []int32   // [B, L] tokens at every position, given ones too
	prob  []float32 // [B, L]
}

func newRun(s Sampler, d Denoiser, st *State) *run {
	n := st.B * st.L * st.D
	r := &run{
		Sampler: s, d: d, st: st,
		raw: make([]float32, n), noise: make([]float32, st.L*st.D),
		best: make([]int32, len(st.M)), prob: make([]float32, len(st.M)),
	}
	r.x0 = r.raw
	if s.Guidance != 1 {
		r.x0 = make([]float32, n)
		zero := make([]float32, n)
		r.blank = &State{B: st.B, L: st.L, D: st.D, X: st.X, C: zero, P: zero, M: st.M, T: st.T}
	}
	if s.Method == Heun {
		r.old, r.first = make([]float32, n), make([]float32, n)
	}
	return r
}

// control makes ready for the wishes. The banned tokens of either branch are the
// same list.
func (r *run) control(ids []int32) (err error) {
	if r.steer, err = r.Control.begin(r.d, r.st, ids); err != nil {
		return err
	}
	if r.blank != nil {
		r.blank.Ban = r.st.Ban
	} else {
		r.x0 = make([]float32, len(r.raw))
	}
	return nil
}

// begin draws x ~ N(0, (σ t_max)²) at noisy positions.
func (r *run) begin(t float64) {
	clear(r.st.X)
	clear(r.st.P)
	r.addNoise(0, t*r.InitialNoise)
}

// addNoise adds N(0, σ²) of the given draw to X at noisy positions.
func (r *run) addNoise(draw uint64, sigma float64) {
	l, d := r.st.L, r.st.D
	for b := range r.st.B {
		s := rng.New(r.Seed, "sample", r.First+uint64(b), draw)
		s.FillNormal(r.noise)
		for i := range l {
			if r.st.M[b*l+i] == 0 {
				continue
			}
			row := r.st.X[(b*l+i)*d : (b*l+i+1)*d]
			for k := range row {
				row[k] += float32(sigma * float64(r.noise[i*d+k]))
			}
		}
	}
}

// predict calls the network at level t and leaves the guided and steered x̂0 in
// x0.
func (r *run) predict(t float64) {
	for b := range r.st.T {
		r.st.T[b] = t
	}
	if r.Guidance != 1 {
		r.d.Denoise(r.blank, r.x0)
		r.calls++
	}
	r.calls++
	if r.steer != nil {
		r.steer.predict(r.raw)
	} else {
		r.d.Denoise(r.st, r.raw)
	}
	if r.Guidance != 1 {
		// x̂0 = x̂0(nothing given) + γ (x̂0(given) - x̂0(nothing given)).
		g := float32(r.Guidance)
		for i, u := range r.x0 {
			r.x0[i] = u + g*(r.raw[i]-u)
		}
	}
	if r.steer != nil {
		if r.Guidance == 1 {
			copy(r.x0, r.raw)
		}
		for i, v := range r.steer.shift {
			r.x0[i] += v
		}
	}
	if r.SelfCondition {
		r.noisy(func(lo, hi int) { copy(r.st.P[lo:hi], r.raw[lo:hi]) })
	}
}

// step goes from level t to level next.
func (r *run) step(k int, t, next float64) {
	r.predict(t)
	if r.steer != nil && (r.u(k) <= r.Control.Settle || k == r.Steps-1 && r.Control.Settle > 0) {
		r.steer.settle(r.Seed, r.First)
	}
	switch r.Method {
	case Euler:
		keep := decay(next/t, r.Temperature, r.Exact)
		r.noisy(func(lo, hi int) { blend(r.st.X[lo:hi], r.st.X[lo:hi], r.x0[lo:hi], keep) })
	case Heun:
		r.heun(t, next)
	case Ancestral:
		keep, sigma := ancestral(t, next, r.Temperature, r.Exact)
		r.noisy(func(lo, hi int) { blend(r.st.X[lo:hi], r.st.X[lo:hi], r.x0[lo:hi], keep) })
		r.addNoise(uint64(k+1), sigma)
	}
}

// heun steps as Euler does, predicts again there, and repeats the step with
// both predictions. The plain form averages the slopes (x - x̂0)/(tT); the exact
// one steps exactly towards the mean prediction.
func (r *run) heun(t, next float64) {
	copy(r.old, r.st.X)
	copy(r.first, r.x0)
	ratio := next / t
	keep := decay(ratio, r.Temperature, r.Exact)
	r.noisy(func(lo, hi int) { blend(r.st.X[lo:hi], r.st.X[lo:hi], r.x0[lo:hi], keep) })
	r.predict(next)
	r.noisy(func(lo, hi int) {
		x, old, a, b := r.st.X[lo:hi], r.old[lo:hi], r.first[lo:hi], r.x0[lo:hi]
		if r.Exact {
			for i := range x {
				mean := (a[i] + b[i]) / 2
				x[i] = mean + float32(keep)*(old[i]-mean)
			}
			return
		}
		// (next-t)/2 times either slope.
		ha := float32((ratio - 1) / (2 * r.Temperature))
		hb := float32((1 - 1/ratio) / (2 * r.Temperature))
		for i := range x {
			x[i] = old[i] + ha*(old[i]-a[i]) + hb*(x[i]-b[i])
		}
	})
}

// noisy calls f with the bounds of every noisy position's row.
func (r *run) noisy(f func(lo, hi int)) {
	d := r.st.D
	for i, m := range r.st.M {
		if m != 0 {
			f(i*d, (i+1)*d)
		}
	}
}

// end reads the tokens off at level t.
func (r *run) end(t float64, ids []int32, prob []float32) {
	for b := range r.st.T {
		r.st.T[b] = t
	}
	r.d.Decode(r.st, r.best, r.prob)
	r.calls++
	if r.steer != nil && r.Control.Settle > 0 {
		for r.steer.mend(r.best, r.prob) {
			r.d.Decode(r.st, r.best, r.prob)
			r.calls++
		}
	}
	for i, m := range r.st.M {
		if m != 0 {
			ids[i], prob[i] = r.best[i], r.prob[i]
		} else {
			prob[i] = 1
		}
	}
}
