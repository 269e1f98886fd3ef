package timewarp

// significance is how far two curves must differ, in mean square and units of
// the variance of the noisier one, before the difference counts. It is 1 for
// independent points (James and Stein, 1961); neighbouring points share
// observations, which makes the statistic more erratic.
const significance = 1.5

// follow moves a slow estimate towards a faster one, as far as the evidence of
// drift goes. What is slow is quiet but old; what is fast is new but noisy.
//
// The warp does not change when the loss curve is shifted or stretched, so the
// slow curve is first brought to the level and height of the fast one by
// weighted least squares. What then remains between them is noise or a change
// of shape. With T its mean square in units of the fast curve's variance, the
// positive-part James-Stein rule keeps the share 1 - significance/T of it.
func (slow estimate) follow(fast estimate) {
	shift, stretch := fast.align(slow.level)
	t := 0.
	for j, m := range slow.level {
		d := fast.level[j] - shift - stretch*m
		t += d * d / fast.variance[j] / float64(len(slow.level))
	}
	keep := 0.
	if t > significance {
		keep = 1 - significance/t
	}
	for j, m := range slow.level {
		m = shift + stretch*m
		slow.level[j] = m + keep*(fast.level[j]-m)
		slow.variance[j] = (1-keep)*stretch*stretch*slow.variance[j] + keep*fast.variance[j]
	}
}

// align finds the increasing line that maps a curve best onto an estimate.
func (e estimate) align(curve []float64) (shift, stretch float64) {
	var s0, sx, sy, sxx, sxy float64
	for j, x := range curve {
		w := 1 / e.variance[j]
		s0 += w
		sx += w * x
		sy += w * e.level[j]
	}
	mx, my := sx/s0, sy/s0
	for j, x := range curve {
		w := 1 / e.variance[j]
		sxx += w * (x - mx) * (x - mx)
		sxy += w * (x - mx) * (e.level[j] - my)
	}
	stretch = 1
	if sxx > 0 {
		stretch = min(max(sxy/sxx, 1./maxStretch), maxStretch)
	}
	return my - stretch*mx, stretch
}

// maxStretch bounds what counts as the same curve at another height.
const maxStretch = 5

// pools is the working space of isotonic.
type pools struct {
	level, weight []float64
	size          []int
}

// isotonic replaces the levels of an estimate by the non-decreasing ones
// nearest to them, each weighted by its precision: neighbours in the wrong
// order are pooled until none is left (Ayer et al., 1955). No loss is negative.
func (e estimate) isotonic(p *pools) {
	p.level, p.weight, p.size = p.level[:0], p.weight[:0], p.size[:0]
	for j, level := range e.level {
		weight, size := 1/e.variance[j], 1
		for n := len(p.level); n > 0 && p.level[n-1] >= level; n-- {
			w := p.weight[n-1] + weight
			level = (p.level[n-1]*p.weight[n-1] + level*weight) / w
			weight, size = w, size+p.size[n-1]
			p.level, p.weight, p.size = p.level[:n-1], p.weight[:n-1], p.size[:n-1]
		}
		p.level, p.weight, p.size = append(p.level, level), append(p.weight, weight), append(p.size, size)
	}
	j := 0
	for i, level := range p.level {
		for range p.size[i] {
			e.level[j] = max(0, level)
			j++
		}
	}
}
