package diffusion_test

import (
	"context"
	"fmt"
	"math"

	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/timewarp"
)

// coin knows tokens 0 and 1, embedded at -1 and +1 and equally likely. What x
// says of the token is exact: x̂0 = tanh(x/t²).
type coin struct{}

func (coin) Denoise(s *diffusion.State, x0 []float32) {
	for r := range s.M {
		t := s.T[r/s.L]
		x0[r] = float32(math.Tanh(float64(s.X[r]) / (t * t)))
	}
}

func (c coin) Decode(s *diffusion.State, ids []int32, prob []float32) {
	c.Denoise(s, prob)
	for r, x0 := range prob {
		ids[r] = 0
		if x0 > 0 {
			ids[r] = 1
		}
		prob[r] = (1 + float32(math.Abs(float64(x0)))) / 2
	}
}

func ExampleSampler_Run() {
	clock, err := timewarp.NewFixed(timewarp.KindKarras, .1, 20)
	if err != nil {
		fmt.Println(err)
		return
	}
	s := diffusion.Sampler{
		Schedule: clock, Steps: 25, Method: diffusion.Euler,
		Guidance: 1, Temperature: 1, InitialNoise: 1, Seed: 1,
	}
	st := diffusion.NewState(1, 10, 1)
	st.M[0], st.C[0] = 0, 1 // the first token is given: a one
	ids, prob := make([]int32, 10), make([]float32, 10)
	ids[0] = 1
	if err := s.Run(context.Background(), coin{}, st, ids, prob, nil); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ids)
	fmt.Printf("%.2f\n", prob)
	// Output:
	// [1 0 0 0 0 0 0 1 1 1]
	// [1.00 1.00 1.00 1.00 1.00 1.00 1.00 1.00 1.00 1.00]
}
