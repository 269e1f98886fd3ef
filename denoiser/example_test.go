package denoiser_test

import (
	"fmt"

	"github.com/seed-4c77ef92/textwarp/denoiser"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
)

// An untrained network finds every token equally likely.
func Example() {
	config := denoiser.Config{Vocab: 4, EmbedDim: 2, Width: 8, Layers: 1, Heads: 2, MLP: 16}
	pool := kernels.NewPool(1)
	defer pool.Close()

	net, err := denoiser.New(config, make([]float32, config.NumParams()), nil, pool)
	if err != nil {
		fmt.Println(err)
		return
	}
	net.Init(1)

	// One sequence of three positions, all noisy, at noise level 10.
	pass := net.NewPass(1, 3, false)
	pass.Forward(1, 3, make([]float32, 3*config.Features()), []float64{10})
	ce := make([]float32, 3)
	pass.CE(ce, []int32{0, 1, 2})
	fmt.Printf("%.4f nats a token, ln 4 = 1.3863\n", ce[0])
	// Output: 1.3863 nats a token, ln 4 = 1.3863
}
