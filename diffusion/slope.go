package diffusion

import (
	"context"
	"fmt"
	"math"
)

// Slopes sets the slope of the cross-entropy over the noise level against the
// squared error of the guess, level by level.
//
// Where the network's distribution is the posterior, and x tells of a token only
// what its own position holds, both are equal (the I-MMSE identity of Guo, Shamai
// and Verdú, IEEE Trans. Inf. Theory 51, 2005, in the noise level):
//
//	dCE/dt = E‖x0 - x̂0‖² / t³
//
// Where positions tell of one another the slope is the greater: noise blurs the
// neighbours as well, and that costs
//
//	Σ_{j≠i} (E‖x0_j - x̂0_j‖² - E‖x0_j - x̂0_j given token i‖²) / t³ ≥ 0.
//
// So Gap is never negative for a posterior, and near zero at low noise, where few
// positions are in doubt at once; its integral is the difference between the
// cross-entropy at t_max and the diffusion term of the [Bound] above that at
// t_min: what context is worth. A gap well below zero says that the network's
// probabilities are no posterior, and a bound or a sampler that relies on them is
// not what it seems.
//
// Figures are a token, with standard errors over sequences. The three share
// noise, so the error of Gap is less than those of its parts.
type Slopes struct {
	T          []float64 `json:"t"`
	Slope      []float64 `json:"slope"` // dCE/dt, nats
	SlopeErr   []float64 `json:"slope_err"`
	Squared    []float64 `json:"squared"` // E‖x0 - x̂0‖²/t³
	SquaredErr []float64 `json:"squared_err"`
	Gap        []float64 `json:"gap"` // Slope - Squared
	GapErr     []float64 `json:"gap_err"`
	Sequences  int       `json:"sequences"`
}

// Below counts the levels whose gap is below zero by more than the given number
// of standard errors.
func (s Slopes) Below(errors float64) (levels int) {
	for i, g := range s.Gap {
		if g < -errors*s.GapErr[i] {
			levels++
		}
	}
	return levels
}

// Lowest is where a bound is least: raising its lowest level from a to b adds the
// integral of Gap, here by the trapezium rule over the levels, which rise. Below
// the first of them the gap is taken as there, down to tmin. ok says that the
// least is at one of the levels, and not at tmin itself.
func (s Slopes) Lowest(tmin float64) (level float64, ok bool) {
	level = tmin
	var sum, least float64
	t, gap := tmin, s.Gap[0]
	for i := range s.T {
		sum += (s.T[i] - t) * (s.Gap[i] + gap) / 2
		if t, gap = s.T[i], s.Gap[i]; sum < least {
			least, level, ok = sum, t, true
		}
	}
	return level, ok
}

// slopeStep is half the distance in ln t of the central difference. Its error, of
// second order, is below a hundredth where CE bends most.
const slopeStep = .05

// EvaluateSlopes measures ids [n, L], every position noisy, at the given levels,
// batch sequences at a time.
func EvaluateSlopes(ctx context.Context, e Evaluator, levels []float64, ids []int32, length, batch int) (Slopes, error) {
	if length < 1 || batch < 1 || len(ids)%length != 0 || len(ids) < 2*length {
		return Slopes{}, fmt.Errorf("evaluate slopes: %d tokens are not two or more sequences of %d", len(ids), length)
	}
	n := len(ids) / length
	s := Slopes{T: levels, Sequences: n}
	mask := make([]float32, batch*length)
	fill(mask, 1)
	up, down, se := make([]float32, batch*length), make([]float32, batch*length), make([]float32, batch*length)
	t := make([]float64, batch)
	for k, level := range levels {
		if !(level > 0) || math.IsInf(level, 0) {
			return Slopes{}, fmt.Errorf("evaluate slopes: noise level %v", level)
		}
		above, below := level*math.Exp(slopeStep), level*math.Exp(-slopeStep)
		fillLevels(t, level)
		var slope, squared, gap moments
		for first := 0; first < n; first += batch {
			if err := ctx.Err(); err != nil {
				return Slopes{}, err
			}
			b := min(batch, n-first)
			rows := b * length
			text, m := ids[first*length:first*length+rows], mask[:rows]
			e.CrossEntropy(up[:rows], text, m, above, uint64(k), uint64(first))
			e.CrossEntropy(down[:rows], text, m, below, uint64(k), uint64(first))
			e.SquaredError(se[:rows], text, m, t[:b], uint64(k), uint64(first))
			for i := range b {
				lo, hi := i*length, (i+1)*length
				a := (mean(up[lo:hi]) - mean(down[lo:hi])) / (above - below)
				q := mean(se[lo:hi]) / (level * level * level)
				slope.add(a)
				squared.add(q)
				gap.add(a - q)
			}
		}
		s.Slope, s.SlopeErr = slope.appendTo(s.Slope, s.SlopeErr)
		s.Squared, s.SquaredErr = squared.appendTo(s.Squared, s.SquaredErr)
		s.Gap, s.GapErr = gap.appendTo(s.Gap, s.GapErr)
	}
	return s, nil
}

func fillLevels(t []float64, level float64) {
	for i := range t {
		t[i] = level
	}
}

// moments of independent values.
type moments struct{ n, sum, square float64 }

func (m *moments) add(v float64) {
	m.n++
	m.sum += v
	m.square += v * v
}

// mean returns the mean with its standard error.
func (m moments) mean() (value, stdErr float64) {
	value = m.sum / m.n
	return value, math.Sqrt(max(0, m.square-m.sum*value) / (m.n - 1) / m.n)
}

func (m moments) appendTo(values, errors []float64) (_, _ []float64) {
	v, e := m.mean()
	return append(values, v), append(errors, e)
}
