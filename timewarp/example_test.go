package timewarp_test

import (
	"fmt"
	"math"

	"github.com/seed-4c77ef92/textwarp/timewarp"
)

// A warp learns from the losses of training which noise levels matter.
func Example() {
	warp, err := timewarp.New("online", .1, 50, 16)
	if err != nil {
		fmt.Println(err)
		return
	}
	u := make([]float64, 16)
	for step := range 100 {
		timewarp.LowDiscrepancy(u, math.Mod(.618*float64(step), 1))
		batch := make([]timewarp.Observation, len(u))
		for i := range batch {
			t := timewarp.TrainQuantile(warp, u[i])
			loss := 3 / (1 + math.Pow(2/t, 4)) // in place of a network
			batch[i] = timewarp.Observation{T: t, Loss: loss, Weight: 64}
		}
		warp.Observe(batch)
	}
	// The loss is at a quarter, half and three quarters of its height where t is
	// 1.52, 2.00 and 2.63.
	for _, u := range []float64{.25, .5, .75} {
		fmt.Printf("u = %.2f at t = %.1f\n", u, warp.Quantile(u))
	}
	// Output:
	// u = 0.25 at t = 1.5
	// u = 0.50 at t = 2.0
	// u = 0.75 at t = 2.7
}
