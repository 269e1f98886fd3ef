package denoiser

import (
	"fmt"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
)

// Net is a network over flat vectors of the caller's. It holds no activations
// and may serve several passes, one at a time where they train.
type Net struct {
	*body
	config Config
	train  bool
	pool   *kernels.Pool
}

// New lays a network out over params and, if it is to be trained, grads: both of
// length [Config.NumParams]. Fill params with [Net.Init] or from a checkpoint.
// The pool may be nil for a network that is never run, only measured.
func New(c Config, params, grads []float32, pool *kernels.Pool) (*Net, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	n := c.NumParams()
	if len(params) != n {
		return nil, fmt.Errorf("make denoiser: %d parameters, want %d", len(params), n)
	}
	if grads != nil && len(grads) != n {
		return nil, fmt.Errorf("make denoiser: %d gradients, want %d", len(grads), n)
	}
	b, _ := lay(c, params, grads)
	return &Net{body: b, config: c, train: grads != nil, pool: pool}, nil
}

// Config is the shape of the network.
func (n *Net) Config() Config { return n.config }
