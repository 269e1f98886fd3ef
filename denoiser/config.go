package denoiser

import (
	"fmt"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
)

// Config is the shape of a network: with it and a flat vector of parameters the
// network is complete.
type Config struct {
	Vocab    int `toml:"vocab" json:"vocab"`         // V, tokens
	EmbedDim int `toml:"embed_dim" json:"embed_dim"` // D, size of an embedding
	Width    int `toml:"width" json:"width"`         // W, size of the residual stream
	Layers   int `toml:"layers" json:"layers"`       // blocks of attention and MLP
	Heads    int `toml:"heads" json:"heads"`         // attention heads; Width/Heads is even
	MLP      int `toml:"mlp" json:"mlp"`             // hidden units of a block's MLP

	// Causal lets a position see only itself and those before it.
	Causal bool `toml:"causal" json:"causal"`
	// LocalHeads starts up to four heads of every block looking at the
	// neighbouring positions. It concerns Init alone.
	LocalHeads bool `toml:"local_heads" json:"local_heads"`
}

// Sizes of the time features. The width is that of the paper's time MLP, two
// layers of 128 units.
const (
	timeFrequencies = 64
	timeWidth       = 2 * timeFrequencies
)

// Features is the number of input features of a position: noisy embedding,
// given embedding, mask bit, and a first guess of the embedding.
func (c Config) Features() int { return 3*c.EmbedDim + 1 }

// Validate reports the first field that no network can have. The upper limits
// lie far above any network that fits in memory; they keep a foreign
// configuration from overflowing the sizes worked out from it.
func (c Config) Validate() error {
	for _, f := range []struct {
		name      string
		value, to int
	}{
		{"vocab", c.Vocab, 1 << 24},
		{"embed_dim", c.EmbedDim, 1 << 14},
		{"width", c.Width, 1 << 16},
		{"layers", c.Layers, 1 << 10},
		{"heads", c.Heads, 1 << 10},
		{"mlp", c.MLP, 1 << 18},
	} {
		if f.value < 1 || f.value > f.to {
			return fmt.Errorf("check denoiser: %s is %d, want 1 to %d", f.name, f.value, f.to)
		}
	}
	if c.Width%c.Heads != 0 {
		return fmt.Errorf("check denoiser: width %d is not a multiple of %d heads", c.Width, c.Heads)
	}
	if hd := c.headDim(); hd%2 != 0 || hd > kernels.MaxHeadDim {
		return fmt.Errorf("check denoiser: width/heads is %d, want an even number up to %d", hd, kernels.MaxHeadDim)
	}
	return nil
}

func (c Config) headDim() int { return c.Width / c.Heads }

// FLOPs is the work of a forward pass for one token of a sequence of length l:
// two operations for each multiply-add of the matrix products, the attention
// scores and the attention sums. Norms, softmax, GELU and rotations are not
// counted. The time features, worked out once a sequence, are spread over its
// tokens. A backward pass takes twice as much.
func (c Config) FLOPs(l int) float64 {
	var (
		w    = float64(c.Width)
		mlp  = float64(c.MLP)
		seen = float64(l) // positions that a position looks at
	)
	if c.Causal {
		seen = float64(l+1) / 2
	}
	block := 4*w*w + 2*w*mlp + 2*seen*w
	token := float64(c.Features())*w + float64(c.Layers)*block + w*float64(c.Vocab)
	sequence := timeWidth * (2*timeWidth + 4*w*float64(c.Layers) + 2*w)
	return 2 * (token + sequence/float64(l))
}
