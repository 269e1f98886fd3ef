package denoiser

import (
	"math"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

// Init gives every parameter its starting value.
//
// Matrices are normal with variance 1/(3 in); biases are zero. The output head
// and the modulations start at zero, so that an untrained network calls all
// tokens equally likely and ignores the noise level. Matrices whose output joins
// the residual stream are divided by √(2 Layers), which keeps its variance from
// growing with depth (Radford et al. 2019, section 2.3). Frequencies are
// N(0, 1)·2π/4 per unit of ln t.
func (n *Net) Init(seed uint64) {
	const radiansPerLog = 2 * math.Pi / 4
	normal(n.frequencies, radiansPerLog, seed, "time.frequencies")
	residual := 1 / math.Sqrt(2*float64(n.config.Layers))
	n.timeIn.init(seed, 1)
	n.timeOut.init(seed, 1)
	n.input.init(seed, 1)
	for i := range n.blocks {
		b := &n.blocks[i]
		b.mod.init(seed, 0)
		b.qkv.init(seed, 1)
		b.out.init(seed, residual)
		b.up.init(seed, 1)
		b.down.init(seed, residual)
		if n.config.LocalHeads {
			n.config.pointHeads(b.qkv.b)
		}
	}
	n.finalMod.init(seed, 0)
	n.head.init(seed, 0)
}

func (l *linear) init(seed uint64, scale float64) {
	normal(l.w, scale/math.Sqrt(3*float64(l.in)), seed, l.name)
	clear(l.b)
}

// normal fills a tensor from a stream of its own, so that no tensor's values
// depend on the others.
func normal(dst []float32, std float64, seed uint64, name string) {
	s := rng.New(seed, "init."+name, 0, 0)
	for i := range dst {
		dst[i] = float32(std * s.Normal())
	}
}

// pointHeads writes biases of queries and keys, qkv [3W], that make up to four
// heads look at one neighbour each. Rotation is applied after the bias, so a
// constant query at angle f·δ and a constant key at angle 0 in every feature
// pair of frequency f give position i a logit
//
//	A²/√hd Σ_f cos f(j - i - δ)
//
// for position j, which is highest at j = i + δ. The four highest frequencies
// are used; A² = 2√hd makes each worth 2 nats.
func (c Config) pointHeads(qkv []float32) {
	hd := c.headDim()
	amplitude := math.Sqrt(2 * math.Sqrt(float64(hd)))
	for h := range min(4, c.Heads) {
		offset := []float64{-1, 1, -2, 2}[h]
		if c.Causal {
			offset = -float64(1 + h)
		}
		query, key := qkv[h*hd:(h+1)*hd], qkv[c.Width+h*hd:c.Width+(h+1)*hd]
		for j := range min(4, hd/2) {
			sin, cos := math.Sincos(frequency(j, hd) * offset)
			query[j], query[j+hd/2] = float32(amplitude*cos), float32(amplitude*sin)
			key[j] = float32(amplitude)
		}
	}
}

// frequency is that of feature pair j in a head of size hd, in radians a
// position (Su et al. 2021, section 3.2.2).
func frequency(j, hd int) float64 {
	return math.Pow(10000, -2*float64(j)/float64(hd))
}
