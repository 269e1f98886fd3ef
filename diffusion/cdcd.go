package diffusion

import (
	"math"
	"slices"
	"unsafe"

	"github.com/seed-4c77ef92/textwarp/embeddings"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/rng"
	"github.com/seed-4c77ef92/textwarp/timewarp"
)

// Network is the trainable denoiser as an objective sees it: features and noise
// levels in, token distributions out. Positions are rows, b sequences of l
// positions one after another. *denoiser.Pass is one.
type Network interface {
	// Thin drops a share of hidden units in the next Forward and its Backward, as
	// seed, step and the number of the first sequence say.
	Thin(share float64, seed, step, sequence uint64)
	// Forward runs the network on features [b·l, 3D+1] at noise levels t [b].
	Forward(b, l int, features []float32, t []float64)
	// Loss writes the cross-entropy in nats of every position with a weight other
	// than zero, and starts the gradient of Σ weight·CE.
	Loss(ce []float32, targets []int32, weight []float32)
	// SquaredLoss does the same for se = ‖e_target - x̂0‖², for e_i the rows of table
	// [V, D], writes the cross-entropy beside it, and adds the gradient with
	// respect to the table to dTable, unless that is nil.
	SquaredLoss(se, ce []float32, targets []int32, weight, table, dTable []float32)
	// Backward adds the parameter gradients and writes the features' own.
	Backward(dFeatures []float32)
	// CE writes the cross-entropy of every position and no gradient.
	CE(ce []float32, targets []int32)
	// Interpolate writes x̂0 = Σ p_i e_i, for e_i the rows of table [V, D], of every
	// position at which m is not zero; the others are left as they are.
	Interpolate(x0, table, m []float32)
	// Predict writes the most probable token of every position and its
	// probability.
	Predict(ids []int32, prob []float32)
}

// CDCDOptions are the choices of the objective. See Dieleman et al. 2022,
// arXiv 2211.15089.
type CDCDOptions struct {
	Length           int     // L, tokens a sequence
	Batch            int     // sequences a step; one noise level each
	MicroBatch       int     // sequences the network takes at a time
	Mask             string  // what is given and what is noisy; see DrawMask
	Loss             string  // LossCE, LossLikelihood or LossSquared; LossCE where it is empty
	SelfConditioning float64 // share of sequences that see a first guess (section 3.4)
	ConditionDrop    float64 // share whose given tokens are blanked, for guidance
	Dropout          float64 // share of the network's hidden units that a step does without
	Seed             uint64

	Pool *kernels.Pool // shares the work on the sequences; nil leaves it to the caller's goroutine
}

// CDCD is continuous diffusion for categorical data: the tokens' embeddings get
// Gaussian noise of a standard deviation that the warp chose, the network
// guesses the tokens, and cross-entropy teaches the network, the embedding
// table and the warp at once.
//
// It is a [Denoiser] too, so that the same object drives the samplers. It is
// not safe for concurrent use.
type CDCD struct {
	Table *embeddings.Table
	Net   Network
	Warp  timewarp.Warp

	o      CDCDOptions
	levels []float64 // noise level of every sequence of the step
	mask   []float32 // [Batch, L]
	seen   []timewarp.Observation

	state     State
	x0        []float32 // [rows, D]
	features  []float32 // [rows, 3D+1]
	dFeatures []float32
	ce        []float32 // [rows]
	weight    []float32
	se        []float32 // [rows], and of a squared error alone:
	dTable    []float32 // [V, D]
	anchored  int       // noisy positions of the first sequence of the step

	corruption corruption
	inputs     inputs
}

// NewCDCD joins a table, a network and a warp. All memory is taken here.
func NewCDCD(table *embeddings.Table, net Network, warp timewarp.Warp, o CDCDOptions) *CDCD {
	rows, d := o.MicroBatch*o.Length, table.D
	c := &CDCD{
		Table: table, Net: net, Warp: warp, o: o,
		levels: make([]float64, o.Batch),
		mask:   make([]float32, o.Batch*o.Length), seen: make([]timewarp.Observation, 0, o.Batch),
		state: State{
			D: d, X: make([]float32, rows*d), C: make([]float32, rows*d), P: make([]float32, rows*d),
			M: make([]float32, rows), T: make([]float64, o.MicroBatch),
		},
		x0:       make([]float32, rows*d),
		features: make([]float32, rows*(3*d+1)), dFeatures: make([]float32, rows*(3*d+1)),
		ce: make([]float32, rows), weight: make([]float32, rows),
	}
	if o.Loss != "" && o.Loss != LossCE {
		c.se, c.dTable = make([]float32, rows), make([]float32, table.V*d)
	}
	return c
}

// Of is the same objective in the same memory for another model of the same
// shape, such as one with averaged weights.
func (c *CDCD) Of(table *embeddings.Table, net Network) *CDCD {
	other := *c
	other.Table, other.Net = table, net
	return &other
}

// Size returns the length of a window and how many the memory holds at a time.
func (c *CDCD) Size() (length, batch int) { return c.o.Length, c.o.MicroBatch }

// Bytes is the memory of the objective, without table, network and warp.
func (c *CDCD) Bytes() int {
	s := &c.state
	floats := len(c.mask) + cap(s.X) + cap(s.C) + cap(s.P) + cap(s.M) + len(c.x0) + len(c.features) + len(c.dFeatures) +
		len(c.ce) + len(c.weight) + len(c.se) + len(c.dTable)
	return 4*floats + 8*(len(c.levels)+cap(s.T)) + int(unsafe.Sizeof(timewarp.Observation{}))*cap(c.seen)
}

// Losses tells of one step.
type Losses struct {
	CE    float64 // mean cross-entropy over the noisy positions, nats a token
	Noisy int     // noisy positions
}

// Gradient adds the gradient of the loss, by default the mean cross-entropy over
// the noisy positions, of ids [Batch, L] to the network's and the table's. Every draw comes from
// streams named by (seed, step), so a step can be repeated exactly. Nothing is
// learned by the warp until [CDCD.Learn].
func (c *CDCD) Gradient(step uint64, ids []int32) Losses {
	noisy := c.draw(step)
	c.seen = c.seen[:0]
	var total float64
	for first := 0; first < c.o.Batch; first += c.o.MicroBatch {
		b := min(c.o.MicroBatch, c.o.Batch-first)
		total += c.micro(step, first, b, ids[first*c.o.Length:(first+b)*c.o.Length], noisy)
	}
	c.Table.Backward()
	return Losses{CE: total / float64(noisy), Noisy: noisy}
}

// Learn shows the losses of the last Gradient to the warp.
func (c *CDCD) Learn() { c.Warp.Observe(c.seen) }

// draw chooses masks and noise levels of the whole step and returns the number
// of noisy positions. The low-discrepancy levels are dealt in random order, so
// that a sequence's place in the batch says nothing about its noise.
func (c *CDCD) draw(step uint64) (noisy int) {
	s := rng.New(c.o.Seed, "level", step, 0)
	timewarp.LowDiscrepancy(c.levels, s.Float64())
	s.Shuffle(len(c.levels), func(i, j int) { c.levels[i], c.levels[j] = c.levels[j], c.levels[i] })
	for i, u := range c.levels {
		c.levels[i] = timewarp.TrainQuantile(c.Warp, u)
	}
	if c.o.Loss == LossLikelihood {
		c.levels[0] = c.Warp.Quantile(0)
	}
	l := c.o.Length
	for i := range c.o.Batch {
		m := c.mask[i*l : (i+1)*l]
		s := rng.New(c.o.Seed, "mask", step, uint64(i))
		DrawMask(m, c.o.Mask, &s)
		for _, v := range m {
			noisy += int(v)
		}
		if i == 0 {
			c.anchored = noisy
		}
	}
	return noisy
}

// micro runs b sequences, of which the first is number first of the batch, and
// returns their summed cross-entropy.
func (c *CDCD) micro(step uint64, first, b int, ids []int32, noisy int) float64 {
	l, d := c.o.Length, c.Table.D
	st := c.resize(b, l)
	copy(st.T, c.levels[first:])
	copy(st.M, c.mask[first*l:])
	dropped := func(i int) bool {
		s := rng.New(c.o.Seed, "drop", step, uint64(first+i))
		return s.Float64() < c.o.ConditionDrop
	}
	c.corrupt(ids, "noise", step, uint64(first))
	for i := range b {
		if dropped(i) {
			clear(st.C[i*l*d : (i+1)*l*d])
		}
	}

	// Windows and levels come in random order: the first sequences are as good a
	// random half as any. A sequence without its conditioning must look as it
	// does in the unconditional branch of guidance, without a guess.
	if k := int(math.Round(c.o.SelfConditioning * float64(b))); k > 0 {
		c.selfCondition(k)
		for i := range k {
			if dropped(i) {
				clear(st.P[i*l*d : (i+1)*l*d])
			}
		}
	}

	c.Net.Thin(c.o.Dropout, c.o.Seed, step, uint64(first))
	c.forward(st)
	ce := c.ce[:b*l]
	teach := c.loss(ce, ids, first, noisy)
	dFeatures := c.dFeatures[:b*l*(3*d+1)]
	c.Net.Backward(dFeatures)
	c.embed(ids[:teach], dFeatures)

	var total float64
	for i := range b {
		sum, n := MaskedSum(ce[i*l:(i+1)*l], st.M[i*l:(i+1)*l])
		c.seen = append(c.seen, timewarp.Observation{T: st.T[i], Loss: sum / n, Weight: n})
		total += sum
	}
	return total
}

// corrupt fills X and C of the state from its masks and levels and the tokens,
// and clears the guess P.
func (c *CDCD) corrupt(ids []int32, purpose string, i, j uint64) {
	c.corruption = corruption{state: c.state, table: c.Table, ids: ids, seed: c.o.Seed, purpose: purpose, i: i, j: j}
	c.share(c.state.B, &c.corruption)
}

// selfCondition gives the first k sequences of the state the network's own
// first guess, through which no gradient flows (Chen, Zhang and Hinton 2022).
func (c *CDCD) selfCondition(k int) {
	st, l, d := &c.state, c.state.L, c.Table.D
	first := State{
		B: k, L: l, D: d, X: st.X[:k*l*d], C: st.C[:k*l*d], P: st.P[:k*l*d], M: st.M[:k*l], T: st.T[:k],
	}
	c.Denoise(&first, c.x0[:k*l*d])
	for r, m := range first.M {
		if m != 0 {
			copy(st.P[r*d:(r+1)*d], c.x0[r*d:(r+1)*d])
		}
	}
}

// embed carries the gradient of the features to the embeddings: through the
// noised input at noisy positions and through the condition at given ones.
func (c *CDCD) embed(ids []int32, dFeatures []float32) {
	st, d := &c.state, c.Table.D
	dE := c.x0[:len(ids)*d] // the guess has served
	for r, m := range st.M[:len(ids)] {
		g, out := dFeatures[r*(3*d+1):], dE[r*d:(r+1)*d]
		switch {
		case m != 0:
			scale := float32(InputScale(st.T[r/st.L]))
			for k := range out {
				out[k] = scale * g[k]
			}
		case blank(st.C[r*d : (r+1)*d]):
			clear(out)
		default:
			copy(out, g[d:2*d])
		}
	}
	c.Table.Accumulate(ids, dE)
}

// blank tells a dropped condition: no embedding is the zero vector.
func blank(row []float32) bool {
	for _, v := range row {
		if v != 0 {
			return false
		}
	}
	return true
}

// CrossEntropy writes the cross-entropy in nats of every position of ids
// [b, L] at noise level t under masks m [b, L] (1 noisy), with noise from the
// streams (seed, "held out", draw, sequence); b at most MicroBatch. It uses
// self-conditioning where the model was trained with it, and learns nothing.
func (c *CDCD) CrossEntropy(ce []float32, ids []int32, m []float32, t float64, draw, sequence uint64) {
	l := c.o.Length
	b := len(ids) / l
	st := c.resize(b, l)
	copy(st.M, m)
	for i := range st.T {
		st.T[i] = t
	}
	c.corrupt(ids, "held out", draw, sequence)
	if c.o.SelfConditioning > 0 {
		c.selfCondition(b)
	}
	c.forward(st)
	c.Net.CE(ce, ids)
}

// Denoise implements [Denoiser].
func (c *CDCD) Denoise(s *State, x0 []float32) {
	c.forward(s)
	c.Net.Interpolate(x0, c.Table.E, s.M)
}

// Read implements [Reader].
func (c *CDCD) Read(ids []int32, prob []float32) { c.Net.Predict(ids, prob) }

// Decode implements [Denoiser].
func (c *CDCD) Decode(s *State, ids []int32, prob []float32) {
	c.forward(s)
	c.Net.Predict(ids, prob)
}

// Steer implements [Steerer]. It needs a network that can go backward.
func (c *CDCD) Steer(s *State, x0, gradient []float32, classes [][]int32, logP, weight []float32, weigh func()) {
	c.Denoise(s, x0)
	net, d := c.Net.(steerable), s.D
	net.LogProbs(logP, classes)
	weigh()
	if !slices.ContainsFunc(weight, func(w float32) bool { return w != 0 }) {
		clear(gradient)
		return
	}
	net.Raise(classes, weight)
	dFeatures := c.dFeatures[:s.B*s.L*(3*d+1)]
	net.Backward(dFeatures)
	for r, m := range s.M {
		out := gradient[r*d : (r+1)*d]
		if m == 0 {
			clear(out)
			continue
		}
		scale := float32(InputScale(s.T[r/s.L]))
		for k, g := range dFeatures[r*(3*d+1):][:d] {
			out[k] = scale * g
		}
	}
}

// Embedding implements [Steerer].
func (c *CDCD) Embedding(token int32) []float32 {
	return c.Table.E[int(token)*c.Table.D : (int(token)+1)*c.Table.D]
}

// steerable is what a network has beyond a [Network] that steers or knows banned
// tokens, as *denoiser.Pass has.
type steerable interface {
	Network
	// Forbid leaves tokens out of the distributions of the last Forward.
	Forbid(ban [][]int32)
	// LogProbs writes ln p(class) of every position.
	LogProbs(dst []float32, classes [][]int32)
	// Raise starts the gradient of Σ weight·ln p(class).
	Raise(classes [][]int32, weight []float32)
}

func (c *CDCD) forward(s *State) {
	features := c.features[:s.B*s.L*(3*s.D+1)]
	c.inputs = inputs{dst: features, state: *s}
	c.share(s.B, &c.inputs)
	c.Net.Forward(s.B, s.L, features, s.T)
	if s.Ban != nil {
		c.Net.(steerable).Forbid(s.Ban)
	}
}

// share does the parts of a task.
func (c *CDCD) share(n int, task kernels.Task) {
	if c.o.Pool != nil {
		c.o.Pool.Run(n, task)
		return
	}
	for i := range n {
		task.Do(i)
	}
}

// resize shapes the state for b sequences of l positions.
func (c *CDCD) resize(b, l int) *State {
	st, d := &c.state, c.Table.D
	st.B, st.L = b, l
	st.X, st.C, st.P = st.X[:b*l*d], st.C[:b*l*d], st.P[:b*l*d]
	st.M, st.T = st.M[:b*l], st.T[:b]
	return st
}

// MaskedSum adds the losses of the noisy positions, those with m not 0, and
// counts them.
func MaskedSum(ce, m []float32) (sum, n float64) {
	for i, v := range m {
		if v != 0 {
			sum += float64(ce[i])
			n++
		}
	}
	return sum, n
}
