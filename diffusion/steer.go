package diffusion

import (
	"fmt"
	"math"
	"slices"
)

// steering is the memory of a [Control] during a run.
type steering struct {
	Control
	d        Steerer
	st       *State
	ids      []int32 // [B, L] true at given positions
	classes  [][]int32
	patterns [][]pattern // of each wish

	logP, weight []float32 // [B·L, K]
	shift        []float32 // [B, L, D] what is added to x̂0
	placed       []placed  // of the sequence and wish in hand
	settled      []bool    // [B, wishes] the wish has its place
	weigh        func()
}

// placed is a phrase at a place.
type placed struct {
	pattern *pattern
	at      int
	logP    float64
}

// never is the logarithm of the probability of what contradicts what is given.
const never = -1e9

func (c Control) begin(d Denoiser, st *State, ids []int32) (*steering, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	steerer, ok := d.(Steerer)
	if !ok {
		return nil, fmt.Errorf("control: %T cannot be steered", d)
	}
	s := &steering{Control: c, d: steerer, st: st, ids: ids, settled: make([]bool, st.B*len(c.Wishes))}
	s.classes, s.patterns = c.compile()
	n := len(st.M) * len(s.classes)
	s.logP, s.weight = make([]float32, n), make([]float32, n)
	s.shift = make([]float32, len(st.X))
	s.weigh = s.weighAll
	for i, w := range c.Wishes {
		possible := w.Not
		w.places(s.patterns[i], st.L, func(*pattern, int) { possible = true })
		if !possible {
			return nil, fmt.Errorf("control: wish %d has no place in a text of %d tokens", i+1, st.L)
		}
	}
	if st.Ban == nil {
		st.Ban = make([][]int32, len(st.M))
	}
	return s, nil
}

// predict writes x̂0 and works out the shift.
func (s *steering) predict(x0 []float32) {
	s.d.Steer(s.st, x0, s.shift, s.classes, s.logP, s.weight, s.weigh)
	rows := s.st.L * s.st.D
	for b, t := range s.st.T {
		factor := float32(s.Strength * t * t)
		for i := b * rows; i < (b+1)*rows; i++ {
			s.shift[i] *= factor
		}
	}
}

// weighAll fills weight with ∂ ln p(wishes | x)/∂ ln p(class).
func (s *steering) weighAll() {
	clear(s.weight)
	s.know()
	if s.Strength == 0 {
		return
	}
	for b := range s.st.B {
		for i, w := range s.Wishes {
			if s.settled[b*len(s.Wishes)+i] {
				continue
			}
			s.look(b, i)
			if len(s.placed) == 0 {
				continue
			}
			push := s.pushes(w.Not)
			for _, p := range s.placed {
				if f := push(p.logP); f != 0 {
					s.pull(b, p, f)
				}
			}
		}
	}
}

// pushes is the derivative of ln p(wish) with respect to the ln p of a place.
func (s *steering) pushes(not bool) func(logP float64) float64 {
	odds := func(logP float64) float64 { // p/(1-p)
		p := min(math.Exp(logP), almost)
		return p / (1 - p)
	}
	if not { // ln Π (1-p)
		return func(logP float64) float64 { return -odds(logP) }
	}
	top, none := math.Inf(-1), 0. // none: ln Π (1-p)
	for _, p := range s.placed {
		top = max(top, p.logP)
		none += math.Log1p(-min(math.Exp(p.logP), almost))
	}
	if top < -20 { // the limit of small p: each place's share of Σ p, and no underflow
		var sum float64
		for _, p := range s.placed {
			sum += math.Exp(p.logP - top)
		}
		return func(logP float64) float64 { return math.Exp(logP-top) / sum }
	}
	factor := math.Exp(none) / -math.Expm1(none)
	return func(logP float64) float64 { return factor * odds(logP) }
}

// almost is the largest probability, which float32 cannot tell from 1.
const almost = 1 - 1e-6

// pull adds to the weights of a place's conditions f times the derivative of its
// ln p. What is given cannot be pulled.
func (s *steering) pull(b int, p placed, f float64) {
	for _, c := range p.pattern.conditions {
		at := p.at + c.offset
		if at < 0 || at >= s.st.L || s.st.M[b*s.st.L+at] == 0 {
			continue
		}
		i := (b*s.st.L+at)*len(s.classes) + c.class
		w := f
		if c.not { // ln (1-q): -q/(1-q) times the derivative of ln q
			q := min(math.Exp(float64(s.logP[i])), almost)
			w = -f * q / (1 - q)
		}
		s.weight[i] += float32(w)
	}
}

// know replaces the network's guesses at given positions by what is given.
func (s *steering) know() {
	for r, m := range s.st.M {
		if m == 0 {
			s.knowAt(r)
		}
	}
}

func (s *steering) knowAt(r int) {
	for k, class := range s.classes {
		s.logP[r*len(s.classes)+k] = never
		if slices.Contains(class, s.ids[r]) {
			s.logP[r*len(s.classes)+k] = 0
		}
	}
}

// look lists the places of wish i in sequence b that nothing contradicts.
func (s *steering) look(b, i int) {
	s.placed = s.placed[:0]
	s.Wishes[i].places(s.patterns[i], s.st.L, func(p *pattern, at int) {
		var sum float64
		for _, c := range p.conditions {
			if r := at + c.offset; r >= 0 && r < s.st.L {
				sum += s.logOf(b*s.st.L+r, c)
			}
		}
		if sum > never {
			s.placed = append(s.placed, placed{p, at, sum})
		}
	})
}

// logOf is ln p of a condition at row r.
func (s *steering) logOf(r int, c condition) float64 {
	v := float64(s.logP[r*len(s.classes)+c.class])
	switch {
	case !c.not:
		return v
	case s.st.M[r] != 0:
		return math.Log1p(-min(math.Exp(v), almost))
	case v == 0: // given, and of the class
		return never
	}
	return 0
}
