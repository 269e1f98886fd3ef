package inspect

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-4c77ef92/textwarp/trainer"
)

// TestThinned: however many lines there were, there are few points, and together
// they have the mean, the extremes and the end of all lines.
func TestThinned(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 20).Draw(t, "limit")
		n := rapid.IntRange(1, 500).Draw(t, "lines")
		points := thinned[Point]{limit: limit, merge: mergePoints}
		var sum, low, high float64
		low, high = math.Inf(1), math.Inf(-1)
		for i := range n {
			loss := float64((i * 7919) % 101)
			sum, low, high = sum+loss, min(low, loss), max(high, loss)
			points.add(Point{MetricsLine: trainer.MetricsLine{Step: i + 1, Loss: loss}})
		}
		if len(points.points) > limit {
			t.Fatalf("%d points, more than %d", len(points.points), limit)
		}
		for _, most := range []int{1, 3, limit} {
			var got, lines float64
			gotLow, gotHigh, last := math.Inf(1), math.Inf(-1), 0
			shown := points.most(most)
			for _, p := range shown {
				w := float64(max(1, p.Lines))
				got, lines = got+w*p.Loss, lines+w
				a, b := p.LossRange()
				gotLow, gotHigh = min(gotLow, a), max(gotHigh, b)
				if p.Step <= last {
					t.Fatalf("step %d after %d", p.Step, last)
				}
				last = p.Step
			}
			if len(shown) > most || lines != float64(n) || last != n || gotLow != low || gotHigh != high {
				t.Fatalf("%d points of %v lines to step %d from %v to %v; want at most %d of %d to %d from %v to %v",
					len(shown), lines, last, gotLow, gotHigh, most, n, n, low, high)
			}
			if math.Abs(got-sum) > 1e-9*(1+sum) {
				t.Fatalf("losses sum to %v, want %v", got, sum)
			}
		}
	})
}
