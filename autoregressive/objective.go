package autoregressive

import (
	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/embeddings"
	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

// Network is the trainable network as the objective sees it. *denoiser.Pass of a
// causal network is one.
type Network interface {
	// Thin drops a share of hidden units in the next Forward and its Backward, as
	// seed, step and the number of the first sequence say.
	Thin(share float64, seed, step, sequence uint64)
	// Forward runs the network on features [b·l, 3D+1] at noise levels t [b].
	Forward(b, l int, features []float32, t []float64)
	// Loss writes the cross-entropy in nats of every position and starts the
	// gradient of Σ weight·CE.
	Loss(ce []float32, targets []int32, weight []float32)
	// Backward adds the parameter gradients and writes the features' own.
	Backward(dFeatures []float32)
	// CE writes the cross-entropy of every position and no gradient.
	CE(ce []float32, targets []int32)
}

// Options are the choices of the objective.
type Options struct {
	Length     int     // L, tokens a window
	Batch      int     // windows a step
	MicroBatch int     // windows the network takes at a time
	FIM        float64 // share of windows that are put in the order of [FIM]
	Dropout    float64 // share of the network's hidden units that a step does without
	Seed       uint64
}

// Objective is next-token prediction: the mean cross-entropy of all tokens
// teaches the network and the embedding table. It is not safe for concurrent
// use.
type Objective struct {
	Table *embeddings.Table
	Net   Network

	o         Options
	levels    []float64 // [MicroBatch] ones
	ids       []int32   // [MicroBatch, L] as the network is to write them
	features  []float32 // [rows, 3D+1]
	dFeatures []float32
	ce        []float32 // [rows]
	weight    []float32
	dE        []float32 // [L-1, D] of one window
}

// New joins a table and a network. With FIM, the last NumSentinels rows of the
// table are the sentinels. All memory is taken here.
func New(table *embeddings.Table, net Network, o Options) *Objective {
	rows, size := o.MicroBatch*o.Length, 3*table.D+1
	m := &Objective{
		Table: table, Net: net, o: o,
		levels: make([]float64, o.MicroBatch), ids: make([]int32, rows),
		features: make([]float32, rows*size), dFeatures: make([]float32, rows*size),
		ce: make([]float32, rows), weight: make([]float32, rows), dE: make([]float32, (o.Length-1)*table.D),
	}
	for i := range m.levels {
		m.levels[i] = level
	}
	for i := range m.weight {
		m.weight[i] = 1 / float32(o.Batch*o.Length)
	}
	return m
}

// level is the noise level of all sequences. Its logarithm, which the network
// sees, is 0.
const level = 1

// Of is the same objective in the same memory for another model of the same
// shape, such as one with averaged weights.
func (m *Objective) Of(table *embeddings.Table, net Network) *Objective {
	other := *m
	other.Table, other.Net = table, net
	return &other
}

// Size returns the length of a window and how many the memory holds at a time.
func (m *Objective) Size() (length, batch int) { return m.o.Length, m.o.MicroBatch }

// Bytes is the memory of the objective, without table and network.
func (m *Objective) Bytes() int {
	floats := len(m.features) + len(m.dFeatures) + len(m.ce) + len(m.weight) + len(m.dE)
	return 4*(floats+len(m.ids)) + 8*len(m.levels)
}

// Gradient adds the gradient of the mean cross-entropy of ids [Batch, L] to the
// network's and the table's. Which windows are put in the order of [FIM] and how
// comes from streams named by (seed, draw, window); the text of such a window
// ends NumSentinels tokens earlier, to make room.
func (m *Objective) Gradient(draw uint64, ids []int32) diffusion.Losses {
	l := m.o.Length
	var total float64
	for first := 0; first < m.o.Batch; first += m.o.MicroBatch {
		b := min(m.o.MicroBatch, m.o.Batch-first)
		micro := m.ids[:b*l]
		copy(micro, ids[first*l:])
		for i := range b {
			m.rearrange(micro[i*l:(i+1)*l], ids[(first+i)*l:(first+i+1)*l], draw, uint64(first+i))
		}
		m.Net.Thin(m.o.Dropout, m.o.Seed, draw, uint64(first))
		total += m.micro(micro)
	}
	m.Table.Backward()
	n := m.o.Batch * l
	return diffusion.Losses{CE: total / float64(n), Noisy: n}
}

// Learn has nothing to do: no warp learns from the losses.
func (m *Objective) Learn() {}

// rearrange puts a window into the order of FIM where the draw says so.
func (m *Objective) rearrange(window, text []int32, draw, i uint64) {
	s := rng.New(m.o.Seed, "fim", draw, i)
	if s.Float64() < m.o.FIM {
		NewFIM(m.Table.V-NumSentinels).Rearrange(window, text[:len(text)-NumSentinels], &s)
	}
}

// micro adds the gradient of some windows and returns their summed
// cross-entropy.
func (m *Objective) micro(ids []int32) (total float64) {
	rows := len(ids)
	m.forward(ids)
	m.Net.Loss(m.ce[:rows], ids, m.weight[:rows])
	m.Net.Backward(m.dFeatures[:rows*(3*m.Table.D+1)])
	m.embed(ids)
	for _, ce := range m.ce[:rows] {
		total += float64(ce)
	}
	return total
}

// embed carries the gradient of the features to the embeddings that they hold.
func (m *Objective) embed(ids []int32) {
	l, d := m.o.Length, m.Table.D
	for first := 0; first < len(ids); first += l {
		for i := range l - 1 {
			r := first + i + 1
			copy(m.dE[i*d:(i+1)*d], m.dFeatures[r*(3*d+1)+d:])
		}
		m.Table.Accumulate(ids[first:first+l-1], m.dE)
	}
}

// NLL writes -ln p(token | tokens before it in its window), in nats, of every
// token of ids [n, L]. Their sum over a window is the exact negative
// log-likelihood of the window. A model with FIM also gives sentinels some of
// the probability, most of all the one that may begin a window.
func (m *Objective) NLL(nll []float32, ids []int32) {
	step := m.o.MicroBatch * m.o.Length
	for len(ids) > 0 {
		n := min(step, len(ids))
		m.forward(ids[:n])
		m.Net.CE(nll[:n], ids[:n])
		nll, ids = nll[n:], ids[n:]
	}
}

func (m *Objective) forward(ids []int32) {
	l, size := m.o.Length, 3*m.Table.D+1
	b := len(ids) / l
	features := m.features[:len(ids)*size]
	for r := range ids {
		row := features[r*size : (r+1)*size]
		if r%l == 0 {
			see(row, nil)
		} else {
			see(row, m.Table.Row(ids[r-1]))
		}
	}
	m.Net.Forward(b, l, features, m.levels[:b])
}

// see writes the features [3D+1] of a position: the embedding [D] of the token
// before in the place of a given one, or, if there is none, a mask alone.
func see(row, e []float32) {
	d := (len(row) - 1) / 3
	clear(row)
	if e == nil {
		row[2*d] = 1
		return
	}
	copy(row[d:], e)
}
