package timewarp

import "sort"

// polyline is a continuous function that is linear between its nodes; x is
// strictly increasing and y non-decreasing, so that its inverse is the same
// thing with the axes swapped.
type polyline struct {
	x, y []float64
}

// segment is the k with x[k] <= v <= x[k+1], the end segments taking what lies
// outside.
func (p polyline) segment(v float64) int {
	k := sort.SearchFloat64s(p.x, v) - 1
	return min(max(k, 0), len(p.x)-2)
}

// at evaluates the function, constant beyond its ends.
func (p polyline) at(v float64) float64 {
	last := len(p.x) - 1
	if v <= p.x[0] {
		return p.y[0]
	}
	if v >= p.x[last] {
		return p.y[last]
	}
	k := p.segment(v)
	dx := p.x[k+1] - p.x[k]
	if dx == 0 {
		return p.y[k]
	}
	y := p.y[k] + (p.y[k+1]-p.y[k])*((v-p.x[k])/dx)
	return min(max(y, p.y[k]), p.y[k+1])
}

// slope is the derivative inside a segment; at a node, that of the segment on
// its left.
func (p polyline) slope(v float64) float64 {
	k := p.segment(v)
	return (p.y[k+1] - p.y[k]) / (p.x[k+1] - p.x[k])
}
