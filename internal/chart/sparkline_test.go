package chart

import (
	"math"
	"testing"
)

func TestSparkline(t *testing.T) {
	cases := []struct {
		name      string
		values    []float64
		low, high float64
		want      string
	}{
		{"nothing", nil, 0, 1, ""},
		{"every block", []float64{0, 1, 2, 3, 4, 5, 6, 7}, 0, 7, "▁▂▃▄▅▆▇█"},
		{"outside", []float64{-5, 50}, 0, 1, "▁█"},
		{"no range", []float64{3, 3}, 3, 3, "▁▁"},
		{"not finite", []float64{math.NaN(), 1, math.Inf(1)}, 0, 1, " █ "},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := Sparkline(c.values, c.low, c.high); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
