package diffusion

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/seed-4c77ef92/textwarp/timewarp"
)

// pair is the perfect denoiser of a source of two tokens with the joint
// distribution joint[i][k]. A given position holds its token's embedding in C, or
// zero where the condition was dropped and nothing is known.
type pair struct {
	toy
	joint [][]float64
}

func newPair() *pair {
	// A first token, and a second that is more often than not its successor.
	const v = 5
	p := &pair{toy: *newToy(v, 8, 3)}
	for i := range v {
		row := make([]float64, v)
		for k := range row {
			row[k] = p.prior[i] * .08
			if k == (i+1)%v {
				row[k] = p.prior[i] * .68
			}
		}
		p.joint = append(p.joint, row)
	}
	return p
}

// evidence of each token at a position, as ln p(what is seen | token) + const.
func (p *pair) evidence(dst []float64, s *State, r int) {
	x, scale := s.X[r*s.D:(r+1)*s.D], 1/(s.T[r/s.L]*s.T[r/s.L])
	if s.M[r] == 0 {
		x, scale = s.C[r*s.D:(r+1)*s.D], 1e3
	}
	for i := range dst {
		dst[i] = scale * float64(inner(x, p.row(int32(i))))
	}
	if s.Ban != nil {
		for _, token := range s.Ban[r] {
			dst[token] = math.Inf(-1)
		}
	}
}

// marginals gives both positions' posteriors of sequence b.
func (p *pair) marginals(s *State, b int) (out [2][]float64) {
	a, z := make([]float64, p.v), make([]float64, p.v)
	p.evidence(a, s, 2*b)
	p.evidence(z, s, 2*b+1)
	top, sum := math.Inf(-1), 0.0
	for i := range a {
		for k := range z {
			top = max(top, math.Log(p.joint[i][k])+a[i]+z[k])
		}
	}
	out[0], out[1] = make([]float64, p.v), make([]float64, p.v)
	for i := range a {
		for k := range z {
			w := math.Exp(math.Log(p.joint[i][k]) + a[i] + z[k] - top)
			out[0][i] += w
			out[1][k] += w
			sum += w
		}
	}
	for i := range a {
		out[0][i] /= sum
		out[1][i] /= sum
	}
	return out
}

func (p *pair) each(s *State, f func(r int, probability []float64)) {
	for b := range s.B {
		m := p.marginals(s, b)
		f(2*b, m[0])
		f(2*b+1, m[1])
	}
}

func (p *pair) Denoise(s *State, x0 []float32) {
	p.each(s, func(r int, probability []float64) {
		for i, v := range probability {
			p.p[i] = float32(v)
		}
		p.interpolate(x0[r*p.d : (r+1)*p.d])
	})
}

func (p *pair) Decode(s *State, ids []int32, prob []float32) {
	p.each(s, func(r int, probability []float64) {
		best := 0
		for i, v := range probability {
			if v > probability[best] {
				best = i
			}
		}
		ids[r], prob[r] = int32(best), float32(probability[best])
	})
}

// given is a state of n pairs whose first token is given.
func (p *pair) given(n int, first int32) *State {
	st := NewState(n, 2, p.d)
	for b := range n {
		st.M[2*b] = 0
		copy(st.C[2*b*p.d:], p.row(first))
	}
	return st
}

// second runs a sampler and returns the frequencies of the second token.
func (p *pair) second(t *testing.T, s Sampler, st *State, first int32) []float64 {
	t.Helper()
	ids, prob := make([]int32, len(st.M)), make([]float32, len(st.M))
	for b := range st.B {
		ids[2*b] = first
	}
	if err := s.Run(t.Context(), p, st, ids, prob, nil); err != nil {
		t.Fatal(err)
	}
	var out []int32
	for b := range st.B {
		out = append(out, ids[2*b+1])
	}
	return frequencies(out, p.v)
}

// successor is the conditional distribution of the second token.
func (p *pair) successor(first int32) []float64 {
	out := slices.Clone(p.joint[first])
	for k := range out {
		out[k] /= p.prior[first]
	}
	return out
}

// TestMethodsReachTheConditional: every method, plain and exact, samples the
// second token from its distribution given the first.
func TestMethodsReachTheConditional(t *testing.T) {
	p := newPair()
	for _, method := range []string{Euler, Heun, Ancestral} {
		for _, exact := range []bool{false, true} {
			s := plain(fixed(t, timewarp.KindKarras), 25)
			s.Method, s.Exact = method, exact
			got := p.second(t, s, p.given(2500, 2), 2)
			// Five standard errors of the largest share: .047.
			if tv := variation(got, p.successor(2)); tv > .047 {
				t.Errorf("%s, exact %v: %.3f, expected %.3f", method, exact, got, p.successor(2))
			}
		}
	}
}

// TestGuidance: γ = 0 forgets what is given, γ = 1 is conditional, γ > 1
// exaggerates.
func TestGuidance(t *testing.T) {
	p := newPair()
	share := func(gamma float64) float64 {
		s := plain(fixed(t, timewarp.KindKarras), 25)
		s.Guidance = gamma
		return p.second(t, s, p.given(3000, 2), 2)[3] // the successor of 2
	}
	marginal := 0.0
	for i := range p.joint {
		marginal += p.joint[i][3]
	}
	// Four standard errors of a share of a half among 3000: .037.
	if got := share(0); math.Abs(got-marginal) > .037 {
		t.Errorf("γ = 0: successor in a share of %.3f, expected its marginal %.3f", got, marginal)
	}
	if got := share(1.0000001); math.Abs(got-.68) > .037 {
		t.Errorf("γ = 1 through both branches: successor in a share of %.3f, expected .68", got)
	}
	if got := share(2); got < .8 {
		t.Errorf("γ = 2: successor in a share of %.3f, expected more than .8", got)
	}
}

// TestFewStepsAtLowTemperature: at ten steps the exact temperature step stays
// close to what a thousand steps give; Euler does not.
func TestFewStepsAtLowTemperature(t *testing.T) {
	z, warp := source(t)
	h := func(steps, n int, exact bool) float64 {
		s := plain(warp, steps)
		s.Temperature, s.Exact = .9, exact
		return entropy(draw(t, s, z, n))
	}
	limit := h(400, 1000, true)
	euler, exact := h(10, 4000, false), h(10, 4000, true)
	t.Logf("entropy at T .9: 400 steps %.3f; 10 steps Euler %.3f, exact %.3f", limit, euler, exact)
	if math.Abs(exact-limit) > math.Abs(euler-limit)/2 {
		t.Errorf("10 steps: exact %.3f is not clearly nearer to %.3f than Euler's %.3f", exact, limit, euler)
	}
}

// TestMethodsOnTheToy: the other methods reach the true distribution too, and
// the exact form of Heun survives the long first step of ten.
func TestMethodsOnTheToy(t *testing.T) {
	z, warp := source(t)
	for _, tt := range []struct {
		method string
		exact  bool
		steps  int
		tol    float64 // on the total variation; counting noise .03 at 4000
	}{
		{Heun, false, 20, .05},
		{Heun, true, 10, .05},
		{Ancestral, false, 100, .05},
	} {
		s := plain(warp, tt.steps)
		s.Method, s.Exact = tt.method, tt.exact
		got := variation(draw(t, s, z, 4000), z.prior)
		t.Logf("%s, exact %v, %d steps: total variation %.3f", tt.method, tt.exact, tt.steps, got)
		if got > tt.tol {
			t.Errorf("%s, exact %v, %d steps: total variation %.3f, at most %v expected", tt.method, tt.exact, tt.steps, got, tt.tol)
		}
	}
}

// witness checks what a denoiser is shown. Its prediction is the call's number.
type witness struct {
	t     *testing.T
	self  bool
	calls int
	last  float32 // prediction of the last conditional call
	blank int     // unconditional calls
	x, c  []float32
}

func (w *witness) Denoise(s *State, x0 []float32) {
	w.calls++
	w.x, w.c = slices.Clone(s.X), slices.Clone(s.C)
	unconditional := !slices.ContainsFunc(s.C, func(v float32) bool { return v != 0 })
	if unconditional {
		w.blank++
	}
	for r, m := range s.M {
		lo, hi := r*s.D, (r+1)*s.D
		want := w.last
		if unconditional || !w.self || m == 0 {
			want = 0
		}
		for k := lo; k < hi; k++ {
			if s.P[k] != want {
				w.t.Fatalf("call %d position %d is shown the guess %v, expected %v", w.calls, r, s.P[k], want)
			}
			if m == 0 && s.X[k] != 0 {
				w.t.Fatalf("call %d: given position %d holds noise", w.calls, r)
			}
		}
	}
	for i := range x0 {
		x0[i] = float32(w.calls)
	}
	if !unconditional {
		w.last = float32(w.calls)
	}
}

func (w *witness) Decode(s *State, ids []int32, prob []float32) {
	for i := range ids {
		ids[i], prob[i] = 42, .5
	}
}

func TestWhatTheDenoiserIsShown(t *testing.T) {
	for _, tt := range []struct {
		name         string
		method       string
		guidance     float64
		temperature  float64
		self         bool
		calls, blank int
	}{
		{"euler", Euler, 1, 1, false, 4, 0},
		{"self-conditioning sees the raw prediction", Euler, 3, .7, true, 8, 4},
		{"heun", Heun, 1, 1, true, 8, 0},
		{"guided heun", Heun, 2, 1, true, 16, 8},
		{"ancestral", Ancestral, 1, .9, true, 4, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := plain(fixed(t, timewarp.KindLogUniform), 4)
			s.Method, s.Guidance, s.Temperature, s.SelfCondition = tt.method, tt.guidance, tt.temperature, tt.self
			st := NewState(1, 3, 2)
			st.M[1] = 0
			st.C[2], st.C[3] = 5, 6
			st.X[2], st.P[3] = 9, 9 // left over from before
			ids, prob := []int32{0, 7, 0}, make([]float32, 3)
			w := &witness{t: t, self: tt.self}
			seen := 0
			err := s.Run(t.Context(), w, st, ids, prob, func(o Sight) {
				if o.T != st.T[0] || o.T != s.Schedule.Quantile(o.U) {
					t.Errorf("step %d shows noise level %v at u %v, expected %v", o.Step, o.T, o.U, st.T[0])
				}
				if last := o.Step == 4; last {
					if got, _ := o.Tokens(); got[0] != 42 || o.Calls != w.calls+1 || o.X0 != nil {
						t.Errorf("the last step shows tokens %v after %d calls, expected those of Decode after %d", got, o.Calls, w.calls+1)
					}
					return
				}
				if o.Step != seen || o.X0[0] != w.last || o.Calls != w.calls {
					t.Errorf("step %d shows %v after %d calls, expected step %d and the raw prediction %v after %d",
						o.Step, o.X0[0], o.Calls, seen, w.last, w.calls)
				}
				if got, _ := o.Tokens(); got != nil {
					t.Errorf("tokens %v of a denoiser that does not read", got)
				}
				seen++
			})
			if err != nil {
				t.Fatal(err)
			}
			if w.calls != tt.calls || w.blank != tt.blank || seen != 4 {
				t.Errorf("%d calls, %d unconditional, %d observed; expected %d, %d and 4", w.calls, w.blank, seen, tt.calls, tt.blank)
			}
			if s.Calls() != w.calls+1 {
				t.Errorf("Calls says %d, expected %d and one to decode", s.Calls(), w.calls)
			}
			if !slices.Equal(ids, []int32{42, 7, 42}) || !slices.Equal(prob, []float32{.5, 1, .5}) {
				t.Errorf("tokens %v with confidence %v", ids, prob)
			}
			if st.T[0] != s.Schedule.Quantile(0) {
				t.Errorf("decoded at level %v, expected t_min", st.T[0])
			}
		})
	}
}

// TestBatchingChangesNothing: one batch of four, and four of one, give the same
// text bit for bit.
func TestBatchingChangesNothing(t *testing.T) {
	z := newToy(27, 16, 1)
	for _, method := range []string{Euler, Heun, Ancestral} {
		s := plain(fixed(t, timewarp.KindKarras), 6)
		s.Method = method
		st := NewState(4, 3, z.d)
		together, prob := make([]int32, 12), make([]float32, 12)
		if err := s.Run(t.Context(), z, st, together, prob, nil); err != nil {
			t.Fatal(err)
		}
		for b := range 4 {
			s.First = uint64(b)
			one := NewState(1, 3, z.d)
			ids, p := make([]int32, 3), make([]float32, 3)
			if err := s.Run(t.Context(), z, one, ids, p, nil); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(one.X, st.X[b*3*z.d:(b+1)*3*z.d]) || !slices.Equal(ids, together[b*3:b*3+3]) || !slices.Equal(p, prob[b*3:b*3+3]) {
				t.Errorf("%s: sequence %d differs alone and in the batch", method, b)
			}
		}
	}
}

func TestStepsDoNotAllocate(t *testing.T) {
	z := newToy(27, 16, 1)
	for _, method := range []string{Euler, Heun, Ancestral} {
		s := plain(fixed(t, timewarp.KindKarras), 8)
		s.Method, s.Guidance, s.SelfCondition = method, 2, true
		st := NewState(2, 3, z.d)
		r := newRun(s, z, st)
		r.begin(50)
		k := 0
		if n := testing.AllocsPerRun(20, func() {
			r.step(k, 3, 2)
			k++
		}); n != 0 {
			t.Errorf("%s: %v allocations a step, expected none", method, n)
		}
	}
}

// counter is a denoiser that notes the calls and their sequences.
type counter struct{ calls, sequences int }

func (c *counter) Denoise(s *State, _ []float32) {
	c.calls++
	c.sequences += s.B
}

func (c *counter) Decode(s *State, _ []int32, _ []float32) { c.Denoise(s, nil) }

// All sequences of a batch go through the network together.
func TestABatchIsOneCall(t *testing.T) {
	for method, want := range map[string]int{Euler: 5, Heun: 9, Ancestral: 5} {
		s := plain(fixed(t, timewarp.KindKarras), 4)
		s.Method = method
		var c counter
		if err := s.Run(t.Context(), &c, NewState(16, 3, 2), make([]int32, 48), make([]float32, 48), nil); err != nil {
			t.Fatal(err)
		}
		if c.calls != want || c.sequences != 16*want {
			t.Errorf("%s: %d calls for %d sequences in all, want %d for 16 each", method, c.calls, c.sequences, want)
		}
	}
}

type backwards struct{}

func (backwards) Quantile(u float64) float64 { return 2 - u }

func TestRunRefuses(t *testing.T) {
	good := plain(fixed(t, timewarp.KindKarras), 2)
	z := newToy(3, 2, 1)
	for _, tt := range []struct {
		name  string
		spoil func(s *Sampler, st *State)
		want  string
	}{
		{"no schedule", func(s *Sampler, st *State) { s.Schedule = nil }, "no schedule"},
		{"no steps", func(s *Sampler, st *State) { s.Steps = 0 }, "0 steps"},
		{"unknown method", func(s *Sampler, st *State) { s.Method = "rk45" }, `"rk45"`},
		{"zero temperature", func(s *Sampler, st *State) { s.Temperature = 0 }, "temperature 0"},
		{"temperature not a number", func(s *Sampler, st *State) { s.Temperature = math.NaN() }, "temperature NaN"},
		{"negative noise", func(s *Sampler, st *State) { s.InitialNoise = -1 }, "initial noise -1"},
		{"infinite guidance", func(s *Sampler, st *State) { s.Guidance = math.Inf(1) }, "guidance +Inf"},
		{"schedule backwards", func(s *Sampler, st *State) { s.Schedule = backwards{} }, "schedule gives"},
		{"wrong shape", func(s *Sampler, st *State) { st.L = 9 }, "state of 1 sequences of 9"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, st := good, NewState(1, 2, 2)
			tt.spoil(&s, st)
			err := s.Run(t.Context(), z, st, make([]int32, 2), make([]float32, 2), nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, expected one about %q", err, tt.want)
			}
		})
	}
	if err := good.Run(t.Context(), z, NewState(1, 2, 2), make([]int32, 1), make([]float32, 2), nil); err == nil {
		t.Error("too little room for the tokens accepted")
	}
}

func TestRunStopsWithTheContext(t *testing.T) {
	z := newToy(27, 16, 1)
	ctx, cancel := context.WithCancel(t.Context())
	steps := 0
	err := plain(fixed(t, timewarp.KindKarras), 50).Run(ctx, z, NewState(1, 1, z.d), make([]int32, 1), make([]float32, 1), func(Sight) {
		if steps++; steps == 3 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || steps != 3 {
		t.Errorf("error %v after %d steps, expected cancellation after 3", err, steps)
	}
}

func BenchmarkSamplerStep(b *testing.B) {
	s := plain(fixed(b, timewarp.KindKarras), 1)
	s.Method = Ancestral
	st := NewState(8, 128, 16)
	r := newRun(s, nothing{}, st)
	r.begin(50)
	for b.Loop() {
		r.step(0, 3, 2)
	}
}

// nothing is a denoiser that costs nothing.
type nothing struct{}

func (nothing) Denoise(*State, []float32)         {}
func (nothing) Decode(*State, []int32, []float32) {}
