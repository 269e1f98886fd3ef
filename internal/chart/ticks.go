package chart

import (
	"math"
	"strconv"
	"strings"
)

// tick is a mark on an axis; without a label it is a minor one.
type tick struct {
	value float64
	label string
}

// ticks places about want labelled ticks on a span.
func (s span) ticks(want int) []tick {
	want = max(want, 2)
	if s.scale == Log {
		return logTicks(s, want)
	}
	return linearTicks(s, want)
}

// linearTicks steps by 1, 2 or 5 times a power of ten.
func linearTicks(s span, want int) []tick {
	raw := (s.max - s.min) / float64(want)
	unit := math.Pow(10, math.Floor(math.Log10(raw)))
	step := 10 * unit
	for _, m := range []float64{1, 2, 5} {
		if m*unit >= raw*.999 {
			step = m * unit
			break
		}
	}
	if s.scale == Whole {
		step = max(step, 1)
	}
	if step == 0 || math.IsInf(step, 0) || math.IsNaN(step) {
		return nil
	}
	var ts []tick
	first, last := math.Ceil(s.min/step-1e-9), math.Floor(s.max/step+1e-9)
	if !(last-first < 1000) {
		return nil
	}
	decimals := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	largest := max(math.Abs(first*step), math.Abs(last*step))
	for k := first; k <= last; k++ {
		v := k*step + 0 // no negative zero
		ts = append(ts, tick{v, linearLabel(v, step, largest, decimals)})
	}
	return ts
}

// linearLabel writes all labels of an axis in the same manner.
func linearLabel(v, step, largest float64, decimals int) string {
	switch {
	case largest >= 1e15 || largest > 0 && largest < 1e-4 || decimals > 8:
		return sign(strconv.FormatFloat(v, 'g', 3, 64))
	case largest >= 1e4 && step >= 100:
		return sign(thousands(v))
	}
	if math.Abs(v) < step/2 {
		v = 0
	}
	return sign(strconv.FormatFloat(v, 'f', decimals, 64))
}

// thousands shortens a large number by the suffixes k, M, G and T.
func thousands(v float64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if math.Abs(v) >= u.size*.9999 {
			return strconv.FormatFloat(v/u.size, 'g', 4, 64) + u.name
		}
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// logTicks labels powers of ten, and 2 and 5 between them where there is room;
// the other multiples are minor ticks. A span that has hardly one of these is
// stepped through evenly.
func logTicks(s span, want int) []tick {
	lo, hi := math.Floor(math.Log10(s.min)), math.Ceil(math.Log10(s.max))
	decades := math.Log10(s.max) - math.Log10(s.min)
	if decades < .8 {
		return linearTicks(s, want)
	}
	every := math.Ceil(decades / float64(want))
	var ts []tick
	for e := lo; e <= hi; e++ {
		for m := 1.0; m < 10; m++ {
			v := m * math.Pow(10, e)
			if v < s.min*(1-1e-9) || v > s.max*(1+1e-9) {
				continue
			}
			main := m == 1 && math.Mod(e, every) == 0
			between := (m == 2 || m == 5) && 2*decades <= float64(want)
			label := ""
			if main || between {
				label = logLabel(v)
			}
			if label != "" || decades < 8 {
				ts = append(ts, tick{v, label})
			}
		}
	}
	return ts
}

func logLabel(v float64) string {
	switch {
	case v >= 1e15 || v < .9e-4:
		return sign("1e" + strconv.Itoa(int(math.Round(math.Log10(v)))))
	case v >= 1e4:
		return thousands(v)
	}
	return strconv.FormatFloat(v, 'f', max(0, -int(math.Floor(math.Log10(v)+1e-9))), 64)
}

// sign writes a true minus sign.
func sign(s string) string { return strings.ReplaceAll(s, "-", "−") }
