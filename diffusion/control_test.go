package diffusion

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/seed-4c77ef92/textwarp/denoiser"
	"github.com/seed-4c77ef92/textwarp/embeddings"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/rng"
	"github.com/seed-4c77ef92/textwarp/timewarp"
)

// Steer makes the pair differentiable. For an exact posterior
//
//	∇_x ln p(token of r in class) = (E[e | class at r] - E[e]) / t²
//
// at every position, since ∇_x ln p(x | e) = (e - x)/t².
func (p *pair) Steer(s *State, x0, gradient []float32, classes [][]int32, logP, weight []float32, weigh func()) {
	p.Denoise(s, x0)
	n := len(classes)
	for b := range s.B {
		joint := p.posterior2(s, b)
		for r := range 2 {
			for k, class := range classes {
				share, _ := p.within(joint, r, class)
				logP[(2*b+r)*n+k] = float32(math.Log(share + 1e-30))
			}
		}
	}
	weigh()
	clear(gradient)
	for b, t := range s.T {
		joint := p.posterior2(s, b)
		for r := range 2 {
			for k, class := range classes {
				w := float64(weight[(2*b+r)*n+k])
				if w == 0 {
					continue
				}
				_, mean := p.within(joint, r, class)
				for i, m := range mean {
					at := 2*b*p.d + i
					gradient[at] += float32(w * (m - float64(x0[at])) / (t * t))
				}
			}
		}
	}
}

// posterior2 is the joint posterior of both tokens of sequence b.
func (p *pair) posterior2(s *State, b int) []float64 {
	a, z := make([]float64, p.v), make([]float64, p.v)
	p.evidence(a, s, 2*b)
	p.evidence(z, s, 2*b+1)
	top, sum := slices.Max(a)+slices.Max(z), 0.
	joint := make([]float64, p.v*p.v)
	for i := range a {
		for k := range z {
			w := p.joint[i][k] * math.Exp(a[i]+z[k]-top)
			joint[i*p.v+k] = w
			sum += w
		}
	}
	for i := range joint {
		joint[i] /= sum
	}
	return joint
}

// within is the probability that position r has a token of the class, and the
// mean embeddings of both positions [2, D] if it has.
func (p *pair) within(joint []float64, r int, class []int32) (share float64, mean []float64) {
	var marginal [2][8]float64 // room for the tokens of newPair
	for i := range p.v {
		for k := range p.v {
			if slices.Contains(class, int32([]int{i, k}[r])) {
				w := joint[i*p.v+k]
				share += w
				marginal[0][i] += w
				marginal[1][k] += w
			}
		}
	}
	mean = make([]float64, 2*p.d)
	for at := range mean {
		for i := range p.v {
			mean[at] += marginal[at/p.d][i] * float64(p.row(int32(i))[at%p.d]) / max(share, 1e-300)
		}
	}
	return share, mean
}

func (p *pair) Embedding(token int32) []float32 { return p.row(token) }

// sampled draws n pairs under wishes and returns how often each pair came.
func (p *pair) sampled(t *testing.T, s Sampler, n int) (joint [][]float64, st *State) {
	t.Helper()
	st = NewState(n, 2, p.d)
	ids, prob := make([]int32, 2*n), make([]float32, 2*n)
	if err := s.Run(t.Context(), p, st, ids, prob, nil); err != nil {
		t.Fatal(err)
	}
	for range p.v {
		joint = append(joint, make([]float64, p.v))
	}
	for b := range n {
		joint[ids[2*b]][ids[2*b+1]] += 1 / float64(n)
	}
	return joint, st
}

// conditional is the source's distribution of pairs, those alone that are wished.
func (p *pair) conditional(wished func(i, k int) bool) (joint [][]float64) {
	var sum float64
	for i := range p.v {
		joint = append(joint, make([]float64, p.v))
		for k := range p.v {
			if wished(i, k) {
				joint[i][k] = p.joint[i][k]
				sum += p.joint[i][k]
			}
		}
	}
	for i := range joint {
		for k := range joint[i] {
			joint[i][k] /= sum
		}
	}
	return joint
}

func single(token int32, at ...int) Wish {
	return Wish{Phrases: []Phrase{{Tokens: []int32{token}}}, At: at}
}

// TestSteeringIsBayes: with the exact posterior and λ = 1, a wish for a token at
// a position gives the source's conditional distribution of the other, which
// hangs on it, and both wishes together the one pair.
func TestSteeringIsBayes(t *testing.T) {
	p := newPair()
	for _, tt := range []struct {
		name   string
		wishes []Wish
		wished func(i, k int) bool
	}{
		{"first", []Wish{single(2, 0)}, func(i, _ int) bool { return i == 2 }},
		{"second", []Wish{single(3, 1)}, func(_, k int) bool { return k == 3 }},
		{"not first", []Wish{{Phrases: []Phrase{{Tokens: []int32{0}}}, At: []int{0}, Not: true}}, func(i, _ int) bool { return i != 0 }},
		{"a span", []Wish{{Phrases: []Phrase{{Tokens: []int32{2, 3}}}}}, func(i, k int) bool { return i == 2 && k == 3 }},
		{"one of two", []Wish{{Phrases: []Phrase{{Tokens: []int32{1}}, {Tokens: []int32{2}}}, At: []int{0}}}, func(i, _ int) bool { return i == 1 || i == 2 }},
	} {
		for _, method := range []string{Euler, Ancestral} {
			s := plain(fixed(t, timewarp.KindKarras), 25)
			s.Method, s.Control = method, &Control{Wishes: tt.wishes, Strength: 1}
			got, _ := p.sampled(t, s, 1000)
			want, tv := p.conditional(tt.wished), 0.
			for i := range want {
				tv += variation(got[i], want[i])
			}
			t.Logf("%s, %s: total variation %.3f", tt.name, method, tv)
			// Counting noise of 20 pairs among 1000 draws is .05.
			if tv > .08 {
				t.Errorf("%s, %s: total variation %.3f, pairs %.3f, expected %.3f", tt.name, method, tv, got, want)
			}
		}
	}
}

// TestSteeringBesideAPhrase: what may not stand beside a phrase does not, though
// its distribution is not the conditional one where it hangs on the phrase: a
// product of probabilities takes them as independent.
func TestSteeringBesideAPhrase(t *testing.T) {
	p := newPair()
	s := plain(fixed(t, timewarp.KindKarras), 25)
	wish := Wish{Phrases: []Phrase{{Tokens: []int32{2}, NotAfter: []int32{3, 4}}}, At: []int{0}}
	s.Control = &Control{Wishes: []Wish{wish}, Strength: 1}
	got, _ := p.sampled(t, s, 400)
	met := got[2][0] + got[2][1] + got[2][2]
	if met < .99 || min(got[2][0], got[2][1], got[2][2]) < .1 {
		t.Errorf("after 2: %.3f, expected all shares among the first three tokens, and none of them rare", got[2])
	}
}

// TestSteerAgainstFiniteDifferences compares the gradient that the objective
// draws out of a real network with differences of its own ln p: the input scale,
// the levels and which features are x.
func TestSteerAgainstFiniteDifferences(t *testing.T) {
	const v, d, b, l = 11, 4, 2, 5
	pool := kernels.NewPool(1)
	defer pool.Close()
	c := denoiser.Config{Vocab: v, EmbedDim: d, Width: 16, Layers: 2, Heads: 2, MLP: 24}
	params := make([]float32, c.NumParams())
	net, err := denoiser.New(c, params, nil, pool)
	if err != nil {
		t.Fatal(err)
	}
	net.Init(1)
	s := rng.New(7, "wild", 0, 0)
	for i := range params {
		params[i] += float32(.1 * s.Normal())
	}
	table, err := embeddings.New(v, d, make([]float32, v*d), nil)
	if err != nil {
		t.Fatal(err)
	}
	table.Init(1)
	process := NewCDCD(table, net.NewPass(b, l, true), nil, CDCDOptions{Length: l, Batch: b, MicroBatch: b})

	st := NewState(b, l, d)
	s.FillNormal(st.X)
	s.FillNormal(st.P)
	st.T[0], st.T[1] = .7, 3
	st.M[3] = 0
	clear(st.X[3*d : 4*d])
	copy(st.C[3*d:], table.E[:d])
	st.Ban = make([][]int32, b*l)
	st.Ban[6] = []int32{2, 8}
	classes := [][]int32{{4}, {1, 2, 3}}
	logP, weight := make([]float32, b*l*2), make([]float32, b*l*2)
	s.FillNormal(weight)
	x0, gradient := make([]float32, b*l*d), make([]float32, b*l*d)
	objective := func() (sum float64) {
		process.Steer(st, x0, gradient, classes, logP, weight, func() {
			for i, w := range weight {
				sum += float64(w) * float64(logP[i])
			}
		})
		return sum
	}
	objective()
	want := slices.Clone(gradient)
	if slices.ContainsFunc(want[3*d:4*d], func(g float32) bool { return g != 0 }) {
		t.Error("a given position has a gradient")
	}
	plain := make([]float32, len(x0))
	process.Denoise(st, plain)
	for i, m := range st.M {
		if m != 0 && !slices.Equal(plain[i*d:(i+1)*d], x0[i*d:(i+1)*d]) {
			t.Fatal("Steer and Denoise differ in x̂0")
		}
	}
	var diff, size float64
	for i := range st.X {
		if st.M[i/d] == 0 {
			continue
		}
		const h = .02 // in float32 a shorter step has fewer digits left
		at, difference := st.X[i], 0.
		for _, side := range [][2]float64{{-2, 1}, {-1, -8}, {1, 8}, {2, -1}} {
			st.X[i] = at + float32(side[0]*h)
			difference += side[1] * objective() / (12 * h)
		}
		st.X[i] = at
		e := difference - float64(want[i])
		diff += e * e
		size += float64(want[i]) * float64(want[i])
	}
	e := math.Sqrt(diff / size)
	t.Logf("gradient: relative error %.1e", e)
	if !(e < 2e-3) {
		t.Errorf("gradient is %.1e from finite differences", e)
	}
}

// anywhere asks for a token at any position.
func anywhere(token int32) Wish { return Wish{Phrases: []Phrase{{Tokens: []int32{token}}}} }

// TestSettling: without any steering, settled wishes hold in every pair, what is
// given included; and what is beside a phrase keeps the distribution that the
// source has there.
func TestSettling(t *testing.T) {
	p := newPair()
	alone := Wish{Phrases: []Phrase{{Tokens: []int32{2}, NotBefore: []int32{0, 1}, NotAfter: []int32{3}}}}
	no := Wish{Phrases: []Phrase{{Tokens: []int32{0, 1}}, {Tokens: []int32{1, 2}}, {Tokens: []int32{4}}}, Not: true}
	for _, tt := range []struct {
		name   string
		wishes []Wish
		wished func(i, k int) bool
	}{
		{"a token somewhere", []Wish{anywhere(3)}, func(i, k int) bool { return i == 3 || k == 3 }},
		{"two tokens", []Wish{anywhere(3), anywhere(1)}, func(i, k int) bool { return i == 3 && k == 1 || i == 1 && k == 3 }},
		{"alone", []Wish{alone}, func(i, k int) bool { return i == 2 && k != 3 || i > 1 && k == 2 }},
		{"never", []Wish{no}, func(i, k int) bool { return (i != 0 || k != 1) && (i != 1 || k != 2) && i != 4 && k != 4 }},
	} {
		for _, settle := range []float64{1, .5, .01} {
			s := plain(fixed(t, timewarp.KindKarras), 20)
			s.Control = &Control{Wishes: tt.wishes, Settle: settle}
			got, _ := p.sampled(t, s, 300)
			for i := range got {
				for k, share := range got[i] {
					if share > 0 && !tt.wished(i, k) {
						t.Errorf("%s, settled at u = %v: %.3f of the pairs are %d %d", tt.name, settle, share, i, k)
					}
				}
			}
		}
	}

	s := plain(fixed(t, timewarp.KindKarras), 25)
	s.Control = &Control{Wishes: []Wish{single(2, 0)}, Settle: 1}
	got, st := p.sampled(t, s, 1000)
	if tv := variation(got[2], p.successor(2)); tv > .06 {
		t.Errorf("beside a given 2: %.3f, expected %.3f", got[2], p.successor(2))
	}
	if st.M[0] != 0 || st.M[1] != 1 || !slices.Equal(st.C[:p.d], p.row(2)) {
		t.Error("the phrase is not given in the state")
	}
}

// TestControlKeepsSequencesApart: one batch of four, and four of one, give the
// same under steering, guidance and settling.
func TestControlKeepsSequencesApart(t *testing.T) {
	p := newPair()
	for _, method := range []string{Euler, Heun, Ancestral} {
		s := plain(fixed(t, timewarp.KindKarras), 8)
		s.Method, s.Guidance, s.SelfCondition = method, 1.5, true
		s.Control = &Control{Wishes: []Wish{anywhere(3), {Phrases: []Phrase{{Tokens: []int32{4}}}, Not: true}}, Strength: 2, Settle: .4}
		draw := func(n int) ([]int32, *State) {
			st, ids, prob := NewState(n, 2, p.d), make([]int32, 2*n), make([]float32, 2*n)
			if err := s.Run(t.Context(), p, st, ids, prob, nil); err != nil {
				t.Fatal(err)
			}
			return ids, st
		}
		together, st := draw(4)
		for b := range 4 {
			s.First = uint64(b)
			ids, one := draw(1)
			if !slices.Equal(ids, together[2*b:2*b+2]) || !slices.Equal(one.X, st.X[2*b*p.d:(2*b+2)*p.d]) {
				t.Errorf("%s: sequence %d differs alone and in the batch", method, b)
			}
		}
	}
}

func TestControlRefuses(t *testing.T) {
	p := newPair()
	for want, c := range map[string]Control{
		"strength NaN":             {Strength: math.NaN()},
		"strength -1":              {Strength: -1},
		"settling at u = 2":        {Settle: 2},
		"wish 2 has no phrase":     {Wishes: []Wish{anywhere(1), {}}},
		"wish 1 has an empty":      {Wishes: []Wish{{Phrases: []Phrase{{}}}}},
		"wish 1 has no place in a": {Wishes: []Wish{{Phrases: []Phrase{{Tokens: []int32{1, 2, 3}}}}}},
	} {
		s := plain(fixed(t, timewarp.KindKarras), 2)
		s.Control = &c
		if err := s.Run(t.Context(), p, NewState(1, 2, p.d), make([]int32, 2), make([]float32, 2), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, expected %q", err, want)
		}
	}
	s := plain(fixed(t, timewarp.KindKarras), 2)
	s.Control = &Control{}
	if err := s.Run(t.Context(), nothing{}, NewState(1, 2, 2), make([]int32, 2), make([]float32, 2), nil); err == nil || !strings.Contains(err.Error(), "cannot be steered") {
		t.Errorf("error %v from a denoiser that cannot be steered", err)
	}
}
