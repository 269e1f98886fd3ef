package inspect

// thinned holds the points of a curve that grows without end in bounded memory:
// when there are too many, each two neighbours become one, and from then on twice
// as many lines of the log go into a point.
type thinned[P any] struct {
	limit int // of points
	// merge joins a point of na lines with the one of nb lines after it.
	merge func(a P, na int, b P, nb int) P

	points []P
	counts []int // lines in each
	per    int   // lines in a full one
}

// add appends what one line says.
func (t *thinned[P]) add(p P) {
	t.per = max(1, t.per)
	if last := len(t.points) - 1; last >= 0 && t.counts[last] < t.per {
		t.points[last] = t.merge(t.points[last], t.counts[last], p, 1)
		t.counts[last]++
		return
	}
	t.points, t.counts = append(t.points, p), append(t.counts, 1)
	if len(t.points) > t.limit {
		t.points, t.counts = pairs(t.points, t.counts, 2, t.merge)
		t.per *= 2
	}
}

// drop takes off the points at the end for which again is true.
func (t *thinned[P]) drop(again func(P) bool) {
	n := len(t.points)
	for n > 0 && again(t.points[n-1]) {
		n--
	}
	t.points, t.counts = t.points[:n], t.counts[:n]
}

func (t *thinned[P]) forget() { t.points, t.counts, t.per = nil, nil, 0 }

// most returns a copy of at most n points.
func (t *thinned[P]) most(n int) []P {
	n = max(1, n)
	points, _ := pairs(t.points, t.counts, (len(t.points)+n-1)/n, t.merge)
	return points
}

// pairs joins each so many neighbours into one.
func pairs[P any](points []P, counts []int, so int, merge func(a P, na int, b P, nb int) P) ([]P, []int) {
	so = max(1, so)
	joined, lines := make([]P, 0, len(points)/so+1), make([]int, 0, len(points)/so+1)
	for i, p := range points {
		if i%so == 0 {
			joined, lines = append(joined, p), append(lines, counts[i])
			continue
		}
		last := len(joined) - 1
		joined[last] = merge(joined[last], lines[last], p, counts[i])
		lines[last] += counts[i]
	}
	return joined, lines
}

// mean of a mean of na values and one of nb values.
func mean(a float64, na int, b float64, nb int) float64 {
	return a + (b-a)*float64(nb)/float64(na+nb)
}
