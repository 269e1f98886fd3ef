package chart

import (
	"math"
	"strings"
)

// Sparkline draws values as a line of blocks, a column each: low as the least
// block, high as a full one. What is not finite is left blank.
func Sparkline(values []float64, low, high float64) string {
	const blocks = "▁▂▃▄▅▆▇█"
	levels := []rune(blocks)
	var b strings.Builder
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			b.WriteByte(' ')
			continue
		}
		level := 0.0
		if high > low {
			level = (v - low) / (high - low) * float64(len(levels)-1)
		}
		b.WriteRune(levels[int(math.Round(min(max(level, 0), float64(len(levels)-1))))])
	}
	return b.String()
}
