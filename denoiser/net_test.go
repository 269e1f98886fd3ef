package denoiser

import (
	"math"
	"strings"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
)

// nano is the preset of the demo.
var nano = Config{Vocab: 67, EmbedDim: 16, Width: 128, Layers: 4, Heads: 4, MLP: 512, LocalHeads: true}

func TestValidate(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"whole":        {func(*Config) {}, ""},
		"no tokens":    {func(c *Config) { c.Vocab = 0 }, "vocab is 0"},
		"negative":     {func(c *Config) { c.Layers = -1 }, "layers is -1"},
		"huge":         {func(c *Config) { c.Width = 1 << 40 }, "width is 1099511627776"},
		"indivisible":  {func(c *Config) { c.Heads = 3 }, "not a multiple of 3 heads"},
		"odd heads":    {func(c *Config) { c.Width, c.Heads = 12, 4 }, "width/heads is 3"},
		"large heads":  {func(c *Config) { c.Width, c.Heads = 1024, 2 }, "width/heads is 512"},
		"no dimension": {func(c *Config) { c.EmbedDim = 0 }, "embed_dim is 0"},
	} {
		t.Run(name, func(t *testing.T) {
			config := nano
			c.change(&config)
			err := config.Validate()
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestNewChecksLengths(t *testing.T) {
	n := nano.NumParams()
	if _, err := New(nano, make([]float32, n-1), nil, nil); err == nil {
		t.Error("a short vector of parameters is accepted")
	}
	if _, err := New(nano, make([]float32, n), make([]float32, n+1), nil); err == nil {
		t.Error("a long vector of gradients is accepted")
	}
}

func TestParamsTileTheVector(t *testing.T) {
	at, names := 0, map[string]bool{}
	for _, p := range nano.Params() {
		if p.Offset != at || names[p.Name] {
			t.Fatalf("%s at %d, want a new name at %d", p.Name, p.Offset, at)
		}
		at, names[p.Name] = at+p.Len(), true
	}
	if at != nano.NumParams() {
		t.Errorf("tensors cover %d of %d", at, nano.NumParams())
	}
	// 12 W² a block for attention and MLP, the rest by hand: time MLP
	// 2·(128²+128), modulations 129·(4·4W+2W), input 49W+W, biases 9W a block,
	// head 67W+67, 64 frequencies.
	const w = 128
	if want := 4*(12*w*w+9*w) + 2*(w*w+w) + 129*18*w + 50*w + 67*w + 67 + 64; at != want {
		t.Errorf("%d parameters, want %d", at, want)
	}
}

func TestFLOPs(t *testing.T) {
	// A single block by hand: W 2, MLP 3, D 1 (4 features), V 5, l 10.
	c := Config{Vocab: 5, EmbedDim: 1, Width: 2, Layers: 1, Heads: 1, MLP: 3}
	token := 4*2 + (2*6 + 2*2 + 2*3*2 + 2*10*2) + 2*5
	sequence := 2*128*128 + 128*(4*2+2*2)
	if got, want := c.FLOPs(10), 2*(float64(token)+float64(sequence)/10); got != want {
		t.Errorf("%g operations a token, want %g", got, want)
	}
	causal := c
	causal.Causal = true
	if d := c.FLOPs(9) - causal.FLOPs(9); d != 2*2*2*(9-5) {
		t.Errorf("causal attention saves %g operations", d)
	}
}

// The bias of a local head alone makes position i look at i + δ: with weights of
// zero the scores are those of the biases, and the head's output is the mean of
// the values under them.
func TestLocalHeadsLookAtNeighbours(t *testing.T) {
	for name, causal := range map[string]bool{"bidirectional": false, "causal": true} {
		t.Run(name, func(t *testing.T) {
			c := Config{Vocab: 2, EmbedDim: 1, Width: 128, Layers: 1, Heads: 4, MLP: 2, Causal: causal}
			bias := make([]float32, 3*c.Width)
			c.pointHeads(bias)
			const l, at = 15, 7
			hd := c.headDim()
			cos, sin := make([]float32, l*hd/2), make([]float32, l*hd/2)
			kernels.RopeTable(cos, sin, l, hd)
			pool := kernels.NewPool(1)
			defer pool.Close()
			qkv := make([]float32, 0, l*3*c.Width)
			for range l {
				qkv = append(qkv, bias...)
			}
			pool.Rope(qkv, cos, sin, 1, l, c.Heads, hd, false)
			for h, want := range map[bool][]int{false: {-1, 1, -2, 2}, true: {-1, -2, -3, -4}}[causal] {
				best, where := math.Inf(-1), 0
				for j := range l {
					var score float64
					for k := range hd {
						score += float64(qkv[at*3*c.Width+h*hd+k]) * float64(qkv[j*3*c.Width+c.Width+h*hd+k])
					}
					if score > best {
						best, where = score, j-at
					}
				}
				if where != want {
					t.Errorf("head %d looks at %+d, want %+d", h, where, want)
				}
				// Four frequencies of 2 nats each.
				if nats := best / math.Sqrt(float64(hd)); math.Abs(nats-8) > 1e-4 {
					t.Errorf("head %d: its score is %.3f nats, want 8", h, nats)
				}
			}
		})
	}
}

func TestInitIsReproducible(t *testing.T) {
	a, b, other := make([]float32, nano.NumParams()), make([]float32, nano.NumParams()), make([]float32, nano.NumParams())
	for _, c := range []struct {
		params []float32
		seed   uint64
	}{{a, 1}, {b, 1}, {other, 2}} {
		for i := range c.params {
			c.params[i] = float32(math.NaN()) // Init must write them all
		}
		n, err := New(nano, c.params, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		n.Init(c.seed)
	}
	same := 0
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("parameter %d is %g, then %g", i, a[i], b[i])
		}
		if a[i] == other[i] && a[i] != 0 {
			same++
		}
	}
	// The biases of local heads do not depend on the seed: 4 layers of 4 heads
	// with a sine and a cosine in the query and a number in the key for each of
	// 4 frequencies.
	if same > 4*4*12 {
		t.Errorf("%d parameters are equal under another seed", same)
	}
}
