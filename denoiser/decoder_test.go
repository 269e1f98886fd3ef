package denoiser

import (
	"fmt"
	"math"
	"testing"
)

// causal is a shape that looks back only.
func causal(c Config) Config {
	c.Causal = true
	return c
}

// column gathers the features of position i of every sequence.
func column(dst []float32, p problem, size, i int) []float32 {
	for s := range p.b {
		copy(dst[s*size:(s+1)*size], p.features[(s*p.l+i)*size:])
	}
	return dst
}

// TestDecoderAgreesWithPass feeds sequences position by position and compares
// the logits with those of a pass over every prefix. What is allowed is a share
// of the largest logit, since rounding is, and these reach 20 in the wider ones.
func TestDecoderAgreesWithPass(t *testing.T) {
	for name, c := range map[string]struct {
		shape Config
		b, l  int
	}{
		"one sequence":     {causal(small), 1, 9},
		"several":          {causal(small), 5, 6},
		"several tiles":    {causal(medium), 2, 140},
		"local heads":      {causal(nano), 3, 33},
		"a single feature": {Config{Vocab: 2, EmbedDim: 1, Width: 2, Layers: 1, Heads: 1, MLP: 1, Causal: true}, 2, 7},
	} {
		t.Run(name, func(t *testing.T) {
			n, _ := open(t, c.shape, 2)
			p, size, v := newProblem(c.shape, c.b, c.l), c.shape.Features(), c.shape.Vocab
			d := n.NewDecoder(c.b+1, c.l)
			d.Begin(p.t[:1]) // an earlier use leaves nothing behind
			d.Step(p.features)
			d.Begin(p.t)
			pass := n.NewPass(c.b, c.l, false)
			features, logits := make([]float32, c.b*size), make([]float32, c.b*c.l*v)
			var prefix []float32
			worst, largest := 0., 1.
			for i := range c.l {
				got := d.Step(column(features, p, size, i))
				prefix = prefix[:0]
				for s := range c.b {
					prefix = append(prefix, p.features[s*c.l*size:(s*c.l+i+1)*size]...)
				}
				if c.l > 50 && i%23 != 0 && i != c.l-1 {
					continue // a pass over each of many prefixes takes long
				}
				pass.Forward(c.b, i+1, prefix, p.t)
				pass.Logits(logits[:c.b*(i+1)*v])
				for s := range c.b {
					for k := range v {
						want := logits[(s*(i+1)+i)*v+k]
						worst = max(worst, math.Abs(float64(got[s*v+k]-want)))
						largest = max(largest, math.Abs(float64(want)))
					}
				}
			}
			t.Logf("largest difference %.1e, largest logit %.1f", worst, largest)
			if !(worst <= 1e-5*largest) {
				t.Errorf("logits up to %.1f differ by %.1e from those of a pass", largest, worst)
			}
		})
	}
}

// A sequence's logits are the same to the bit alone and beside others.
func TestDecodedSequencesDoNotMix(t *testing.T) {
	c := causal(medium)
	n, _ := open(t, c, 2)
	const b, l = 4, 12
	p, size, v := newProblem(c, b, l), c.Features(), c.Vocab
	together, alone := n.NewDecoder(b, l), n.NewDecoder(1, l)
	together.Begin(p.t)
	alone.Begin(p.t[2:3])
	features := make([]float32, b*size)
	for i := range l {
		got := together.Step(column(features, p, size, i))[2*v : 3*v]
		for k, want := range alone.Step(features[2*size : 3*size]) {
			if got[k] != want {
				t.Fatalf("position %d, token %d: %g beside others, %g alone", i, k, got[k], want)
			}
		}
	}
}

func TestLogitsGiveTheCrossEntropy(t *testing.T) {
	n, _ := open(t, small, 2)
	p := newProblem(small, 2, 5)
	pass := n.NewPass(2, 5, false)
	logits, ce := make([]float32, 10*small.Vocab), make([]float32, 10)
	pass.Forward(2, 5, p.features, p.t)
	pass.Logits(logits)
	pass.CE(ce, p.targets)
	for r, target := range p.targets {
		row, sum := logits[r*small.Vocab:(r+1)*small.Vocab], 0.
		for _, z := range row {
			sum += math.Exp(float64(z))
		}
		if want := math.Log(sum) - float64(row[target]); math.Abs(float64(ce[r])-want) > 1e-5 {
			t.Errorf("position %d: cross-entropy %g, its logits say %g", r, ce[r], want)
		}
	}
}

func TestDecoderRefuses(t *testing.T) {
	n, _ := open(t, causal(small), 1)
	both, _ := open(t, small, 1)
	features := make([]float32, 2*small.Features())
	for name, wrong := range map[string]func(){
		"a network that looks ahead": func() { both.NewDecoder(1, 4) },
		"no positions":               func() { n.NewDecoder(1, 0) },
		"too many sequences":         func() { n.NewDecoder(1, 4).Begin([]float64{1, 1}) },
		"too many positions": func() {
			d := n.NewDecoder(2, 1)
			d.Begin([]float64{1, 1})
			d.Step(features)
			d.Step(features)
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			wrong()
		})
	}
}

func TestDecodingAllocatesNothing(t *testing.T) {
	n, _ := open(t, causal(small), 2)
	d, levels := n.NewDecoder(2, 30), []float64{1, 2}
	features := make([]float32, 2*small.Features())
	d.Begin(levels)
	if a := testing.AllocsPerRun(20, func() { d.Step(features) }); a != 0 {
		t.Errorf("Step allocates %g times", a)
	}
	if a := testing.AllocsPerRun(20, func() { d.Begin(levels) }); a != 0 {
		t.Errorf("Begin allocates %g times", a)
	}
}

// BenchmarkDecode writes 64 positions with the nano preset, from the cache and
// by a pass over all positions for each one.
func BenchmarkDecode(b *testing.B) {
	const l = 64
	c := causal(nano)
	for _, batch := range []int{1, 16} {
		n, _ := open(b, c, 0)
		p, features := newProblem(c, batch, l), make([]float32, batch*c.Features())
		b.Run(fmt.Sprintf("cached/b=%d", batch), func(b *testing.B) {
			d := n.NewDecoder(batch, l)
			for b.Loop() {
				d.Begin(p.t)
				for i := range l {
					d.Step(column(features, p, c.Features(), i))
				}
			}
			report(b, batch*l, c.FLOPs(l))
		})
		b.Run(fmt.Sprintf("anew/b=%d", batch), func(b *testing.B) {
			pass := n.NewPass(batch, l, false)
			for b.Loop() {
				for i := range l {
					pass.Forward(batch, i+1, p.features[:batch*(i+1)*c.Features()], p.t)
				}
			}
			report(b, batch*l, c.FLOPs(l))
		})
	}
}

func TestDecodingBytes(t *testing.T) {
	n, _ := open(t, causal(small), 1)
	const b, l = 3, 40
	counted, made := causal(small).DecodingBytes(b, l), n.NewDecoder(b, l).pass.bytes
	if counted != made {
		t.Errorf("%d bytes without a decoder, %d with one", counted, made)
	}
	// Another position: keys and values of two blocks and a score of each head, and
	// a rotation of 4/2 angles.
	if more := causal(small).DecodingBytes(b, l+1) - counted; more != 4*(2*b*(2*12+3)+2*2) {
		t.Errorf("another position takes %d bytes", more)
	}
}
