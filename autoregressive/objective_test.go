package autoregressive

import (
	"fmt"
	"math"
	"testing"

	"github.com/seed-4c77ef92/textwarp/denoiser"
	"github.com/seed-4c77ef92/textwarp/embeddings"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

// model is a small network and a table with values and gradients of their own.
type model struct {
	table         *embeddings.Table
	net           *denoiser.Net
	pool          *kernels.Pool
	params, grads []float32 // table, then network
}

func newModel(t testing.TB, vocab int) *model {
	t.Helper()
	c := denoiser.Config{Vocab: vocab, EmbedDim: 6, Width: 24, Layers: 2, Heads: 2, MLP: 32, Causal: true}
	n := vocab * c.EmbedDim
	m := &model{params: make([]float32, n+c.NumParams()), grads: make([]float32, n+c.NumParams()), pool: kernels.NewPool(2)}
	t.Cleanup(m.pool.Close)
	var err error
	if m.table, err = embeddings.New(vocab, c.EmbedDim, m.params[:n], m.grads[:n]); err != nil {
		t.Fatal(err)
	}
	if m.net, err = denoiser.New(c, m.params[n:], m.grads[n:], m.pool); err != nil {
		t.Fatal(err)
	}
	m.table.Init(1)
	m.net.Init(1)
	return m
}

// disturb moves every parameter, so that none has a gradient of zero for want of
// a value: the head starts at zero.
func (m *model) disturb() *model {
	s := rng.New(2, "disturb", 0, 0)
	for i := range m.params {
		m.params[i] += float32(.1 * s.Normal())
	}
	m.table.Refresh()
	return m
}

func (m *model) objective(o Options) *Objective {
	return New(m.table, m.net.NewPass(o.MicroBatch, o.Length, true), o)
}

func randomIDs(n, vocab int) []int32 {
	s := rng.New(3, "ids", 0, 0)
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = int32(s.IntN(vocab))
	}
	return ids
}

// TestGradientAgainstFiniteDifferences moves table and network along random
// directions. The losses are float32, hence the wide step and tolerance; the
// network's own gradients are proved in its package to 1e-4.
func TestGradientAgainstFiniteDifferences(t *testing.T) {
	const vocab, length, batch = 5, 9, 3
	for _, fim := range []float64{0, .7} {
		t.Run(fmt.Sprintf("fim %v", fim), func(t *testing.T) {
			m := newModel(t, vocab+NumSentinels).disturb()
			a := m.objective(Options{Length: length, Batch: batch, MicroBatch: 2, FIM: fim, Seed: 4})
			ids := randomIDs(batch*length, vocab)
			loss := func() float64 {
				m.table.Refresh()
				return a.Gradient(7, ids).CE
			}
			clear(m.grads)
			loss()
			grads := append([]float32(nil), m.grads...)
			at := append([]float32(nil), m.params...)
			table := len(m.table.W)
			for name, part := range map[string][2]int{"table": {0, table}, "network": {table, len(at)}} {
				for k := range 6 {
					s := rng.New(5, "direction "+name, uint64(k), 0)
					var explicit, size float64
					direction := make([]float64, len(at))
					for i := part[0]; i < part[1]; i++ {
						direction[i] = s.Normal()
						explicit += direction[i] * float64(grads[i])
						size += float64(grads[i]) * float64(grads[i])
					}
					const step = 3e-4
					var sides [2]float64
					for side, sign := range []float64{1, -1} {
						for i := part[0]; i < part[1]; i++ {
							m.params[i] = at[i] + float32(sign*step*direction[i])
						}
						sides[side] = loss()
					}
					copy(m.params, at)
					difference := (sides[0] - sides[1]) / (2 * step)
					if e := math.Abs(explicit-difference) / math.Sqrt(size); !(e < 5e-3) {
						t.Errorf("%s: slope %.6f, finite difference %.6f: off by %.1e of the gradient's norm", name, explicit, difference, e)
					}
				}
			}
		})
	}
}

// The step's mean is that of the likelihood, whatever the micro-batches.
func TestNLLIsTheLoss(t *testing.T) {
	const vocab, length, batch = 5, 8, 5
	m := newModel(t, vocab).disturb()
	ids, nll := randomIDs(batch*length, vocab), make([]float32, batch*length)
	for micro := 1; micro <= batch; micro++ {
		a := m.objective(Options{Length: length, Batch: batch, MicroBatch: micro})
		a.NLL(nll, ids)
		var mean float64
		for _, v := range nll {
			mean += float64(v) / float64(len(nll))
		}
		if losses := a.Gradient(1, ids); math.Abs(losses.CE-mean) > 1e-6 || losses.Noisy != batch*length {
			t.Errorf("micro-batches of %d: loss %+v, mean of the likelihood %g", micro, losses, mean)
		}
	}
}

// The probabilities of all windows add up to one: the likelihood is exact.
func TestNLLIsOfADistribution(t *testing.T) {
	const vocab, length = 3, 4
	m := newModel(t, vocab).disturb()
	var ids []int32
	for i := range 81 { // 3⁴
		for range length {
			ids = append(ids, int32(i%vocab))
			i /= vocab
		}
	}
	nll := make([]float32, len(ids))
	m.objective(Options{Length: length, Batch: 1, MicroBatch: 10}).NLL(nll, ids)
	var total float64
	for ; len(nll) > 0; nll = nll[length:] {
		var sum float64
		for _, v := range nll[:length] {
			sum += float64(v)
		}
		total += math.Exp(-sum)
	}
	if math.Abs(total-1) > 1e-5 {
		t.Errorf("the probabilities of all windows add up to %g", total)
	}
}

func TestBytesCountsTheMemory(t *testing.T) {
	m := newModel(t, 5)
	one := m.objective(Options{Length: 8, Batch: 4, MicroBatch: 1}).Bytes()
	two := m.objective(Options{Length: 8, Batch: 4, MicroBatch: 2}).Bytes()
	// A window has L tokens, twice L·(3·6+1) features, two numbers a position and a
	// noise level in float64.
	if want := 4*(8+2*8*19+2*8) + 8; two-one != want {
		t.Errorf("another window takes %d bytes, want %d", two-one, want)
	}
}
