package autoregressive

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/seed-4c77ef92/textwarp/denoiser"
	"github.com/seed-4c77ef92/textwarp/embeddings"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

// chain is a Decoder whose next token depends on the last one alone: row i of
// next are the probabilities after token i, start those of the first token.
type chain struct {
	table *embeddings.Table
	start []float64
	next  [][]float64
	b     int
}

func (c *chain) Begin(t []float64) { c.b = len(t) }

func (c *chain) Step(features []float32) (logits []float32) {
	d := c.table.D
	for i := range c.b {
		row := features[i*(3*d+1) : (i+1)*(3*d+1)]
		p := c.start
		if row[2*d] == 0 {
			for id := range c.table.V {
				if slices.Equal(row[d:2*d], c.table.Row(int32(id))) {
					p = c.next[id]
				}
			}
		}
		for _, p := range p {
			logits = append(logits, float32(math.Log(p)))
		}
	}
	return logits
}

// newChain has tokens 0, 1, 2 and the sentinels of FIM. Sentinels that must not
// be written are the likeliest of all.
func newChain(t *testing.T) Writer {
	const v = 3 + NumSentinels
	table, err := embeddings.New(v, 4, make([]float32, v*4), nil)
	if err != nil {
		t.Fatal(err)
	}
	table.Init(1)
	c := &chain{table: table, start: []float64{.5, .3, .2, .9, .9, .9, .001}}
	for i := range v {
		c.next = append(c.next, []float64{.1, .2, .7, .9, .9, .9, .2 * float64(i%2)})
	}
	return Writer{Table: table, Decoder: c, FIM: true}
}

func write(t *testing.T, w Writer, s Sampler, sequences []Sequence) []Sequence {
	t.Helper()
	if err := s.Run(context.Background(), w, sequences, nil); err != nil {
		t.Fatal(err)
	}
	return sequences
}

// many are n sequences after the same given tokens.
func many(n, most int, given ...int32) []Sequence {
	out := make([]Sequence, n)
	for i := range out {
		out[i] = Sequence{Given: given, Most: most}
	}
	return out
}

// TestDraws compares how often tokens are drawn with the probabilities that
// temperature and nucleus make of (.1, .2, .7).
func TestDraws(t *testing.T) {
	for name, c := range map[string]struct {
		sampler Sampler
		want    [3]float64
	}{
		"as trained":     {Sampler{Temperature: 1, TopP: 1}, [3]float64{.1, .2, .7}},
		"temperature ½":  {Sampler{Temperature: .5, TopP: 1}, [3]float64{.01 / .54, .04 / .54, .49 / .54}},
		"temperature 2":  {Sampler{Temperature: 2, TopP: 1}, [3]float64{.1980, .2800, .5220}}, // √.1, √.2, √.7
		"nucleus of two": {Sampler{Temperature: 1, TopP: .8}, [3]float64{0, .2 / .9, .7 / .9}},
		"nucleus of one": {Sampler{Temperature: 1, TopP: .69}, [3]float64{0, 0, 1}},
		"greedy":         {Sampler{Temperature: 0, TopP: 1}, [3]float64{0, 0, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			const n = 4000
			var counts [3]float64
			for _, q := range write(t, newChain(t), c.sampler, many(n, 1, 0)) {
				counts[q.IDs[0]]++
				if want := []float32{.1, .2, .7}[q.IDs[0]]; math.Abs(float64(q.Prob[0]-want)) > 1e-6 {
					t.Fatalf("token %d has probability %g, want %g", q.IDs[0], q.Prob[0], want)
				}
			}
			for id, want := range c.want {
				// five standard deviations
				if d := math.Abs(counts[id]/n - want); d > 5*math.Sqrt(want*(1-want)/n)+1e-3 {
					t.Errorf("token %d is drawn with frequency %.4f, want %.4f", id, counts[id]/n, want)
				}
			}
		})
	}
}

func TestTheFirstTokenFollowsTheBlank(t *testing.T) {
	const n = 4000
	var counts [3]float64
	for _, q := range write(t, newChain(t), Sampler{Temperature: 1, TopP: 1}, many(n, 1)) {
		counts[q.IDs[0]]++
	}
	for id, want := range []float64{.5, .3, .2} {
		if d := math.Abs(counts[id]/n - want); d > 5*math.Sqrt(want*(1-want)/n) {
			t.Errorf("token %d comes first with frequency %.4f, want %.4f", id, counts[id]/n, want)
		}
	}
}

// A hole ends at End or when it is full, and no sentinel is in what is written.
func TestHoles(t *testing.T) {
	w := newChain(t)
	f := NewFIM(3)
	sequences := make([]Sequence, 200)
	for i := range sequences {
		sequences[i] = Sequence{Given: f.PSM(nil, []int32{0, 1}, []int32{2}), Most: 6, Hole: true}
	}
	ended := 0
	for _, q := range write(t, w, Sampler{Temperature: 1, TopP: 1}, sequences) {
		if len(q.IDs) != len(q.Prob) || len(q.IDs) > 6 || !q.Ended && len(q.IDs) < 6 {
			t.Fatalf("%+v", q)
		}
		for _, id := range q.IDs {
			if id >= 3 {
				t.Fatalf("sentinel %d was written", id)
			}
		}
		if q.Ended {
			ended++
		}
	}
	// The chain ends with probability 1/6 after token 1 and never after 0 and 2.
	if ended < 10 || ended > 150 {
		t.Errorf("%d of 200 holes ended", ended)
	}
}

// Every token is seen once, in the order of positions.
func TestObserverSeesEveryToken(t *testing.T) {
	sequences := []Sequence{{Most: 3}, {Given: []int32{1, 2}, Most: 2}}
	var seen [2][]int32
	err := Sampler{Temperature: 1, TopP: 1}.Run(context.Background(), newChain(t), sequences, func(i int, id int32, _ float32) {
		seen[i] = append(seen[i], id)
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, q := range sequences {
		if !slices.Equal(q.IDs, seen[i]) || len(q.IDs) != q.Most {
			t.Errorf("sequence %d is %v, seen were %v", i, q.IDs, seen[i])
		}
	}
}

// writer is the small network as a writer of b texts of up to l tokens.
func (m *model) writer(b, l int, fim bool) Writer {
	return Writer{Table: m.table, Decoder: m.net.NewDecoder(b, l), FIM: fim}
}

// TestBatchAndAlone: the same text beside others of other lengths as alone.
func TestBatchAndAlone(t *testing.T) {
	m := newModel(t, 9+NumSentinels).disturb()
	f := NewFIM(9)
	batch := []Sequence{
		{Most: 12},
		{Given: []int32{1, 2, 3}, Most: 5},
		{Given: f.SPM(nil, []int32{4}, []int32{5, 6}), Most: 9, Hole: true},
		{Given: []int32{8}, Most: 14},
	}
	s := Sampler{Temperature: .9, TopP: .95, Seed: 3, First: 40}
	write(t, m.writer(len(batch), Positions(batch), true), s, batch)
	for i, q := range batch {
		alone := s
		alone.First += uint64(i)
		one := []Sequence{{Given: q.Given, Most: q.Most, Hole: q.Hole}}
		write(t, m.writer(1, Positions(one), true), alone, one)
		if !slices.Equal(one[0].IDs, q.IDs) || !slices.Equal(one[0].Prob, q.Prob) || one[0].Ended != q.Ended {
			t.Errorf("sequence %d: %+v beside others, %+v alone", i, q, one[0])
		}
	}
}

// The probabilities of what is written are those of the likelihood.
func TestProbabilitiesAreTheLikelihood(t *testing.T) {
	const vocab, length = 9, 20
	m := newModel(t, vocab).disturb()
	q := write(t, m.writer(1, length, false), Sampler{Temperature: 1, TopP: 1, Seed: 5}, many(1, length))[0]
	nll := make([]float32, length)
	m.objective(Options{Length: length, Batch: 1, MicroBatch: 1}).NLL(nll, q.IDs)
	for i, p := range q.Prob {
		if d := math.Abs(-math.Log(float64(p)) - float64(nll[i])); d > 1e-5 {
			t.Errorf("token %d has probability %g, its likelihood says %g", i, p, math.Exp(-float64(nll[i])))
		}
	}
}

func TestRefusals(t *testing.T) {
	w := newChain(t)
	good := Sampler{Temperature: 1, TopP: 1}
	for name, c := range map[string]struct {
		sampler  Sampler
		sequence Sequence
		fim      bool
	}{
		"negative temperature": {Sampler{Temperature: -1, TopP: 1}, Sequence{Most: 1}, true},
		"no number":            {Sampler{Temperature: math.NaN(), TopP: 1}, Sequence{Most: 1}, true},
		"empty nucleus":        {Sampler{Temperature: 1}, Sequence{Most: 1}, true},
		"nucleus above one":    {Sampler{Temperature: 1, TopP: 1.1}, Sequence{Most: 1}, true},
		"nothing to write":     {good, Sequence{}, true},
		"hole without fim":     {good, Sequence{Most: 1, Hole: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w.FIM = c.fim
			if err := c.sampler.Run(context.Background(), w, []Sequence{c.sequence}, nil); err == nil {
				t.Error("no error")
			}
		})
	}
	w.FIM = true
	ctx, cancel := context.WithCancel(context.Background())
	err := good.Run(ctx, w, many(1, 5), func(int, int32, float32) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}

// TestFIMLearnsToFill trains on an alphabet that goes round and lets the model
// fill holes in either order.
func TestFIMLearnsToFill(t *testing.T) {
	const vocab, length, batch, steps = 5, 14, 16, 600
	m := newModel(t, vocab+NumSentinels)
	a := m.objective(Options{Length: length, Batch: batch, MicroBatch: batch, FIM: .9, Seed: 1})
	first, second := make([]float32, len(m.params)), make([]float32, len(m.params))
	ids := make([]int32, batch*length)
	for step := 1; step <= steps; step++ {
		s := rng.New(1, "windows", uint64(step), 0)
		for i := range batch {
			from := s.IntN(vocab)
			for k := range length {
				ids[i*length+k] = int32((from + k) % vocab)
			}
		}
		clear(m.grads)
		a.Gradient(uint64(step), ids)
		m.pool.AdamW(m.params, m.grads, first, second, nil, kernels.AdamOptions{
			LR: 5e-3, Beta1: .9, Beta2: .99, Eps: 1e-8, ClipScale: 1, Step: step,
		})
		m.table.Refresh()
	}
	f := NewFIM(vocab)
	// Together as long as the texts that were seen, 10 tokens.
	prefix, suffix, want := []int32{1, 2, 3}, []int32{1, 2, 3, 4, 0}, []int32{4, 0}
	sequences := []Sequence{
		{Given: f.PSM(nil, prefix, suffix), Most: 9, Hole: true},
		{Given: f.SPM(nil, prefix, suffix), Most: 9, Hole: true},
	}
	write(t, m.writer(2, Positions(sequences), true), Sampler{TopP: 1}, sequences)
	for i, q := range sequences {
		if !slices.Equal(q.IDs, want) || !q.Ended {
			t.Errorf("order %d fills in %v (ended: %v), want %v", i, q.IDs, q.Ended, want)
		}
	}
}

var (
	_ Decoder = (*denoiser.Decoder)(nil)
	_ Network = (*denoiser.Pass)(nil)
)
