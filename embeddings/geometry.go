package embeddings

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Neighbour is a token and its cosine with another.
type Neighbour struct {
	ID     int32   `json:"id"`
	Cosine float64 `json:"cosine"`
}

// Neighbours are the k tokens whose embeddings point most nearly as that of id
// does, nearest first, without id itself.
func (t *Table) Neighbours(id int32, k int) ([]Neighbour, error) {
	if id < 0 || int(id) >= t.V {
		return nil, fmt.Errorf("find neighbours: token %d is not in a vocabulary of %d", id, t.V)
	}
	all := make([]Neighbour, 0, t.V)
	for i := range int32(t.V) {
		if i != id {
			all = append(all, Neighbour{i, dot(t.Row(id), t.Row(i)) / float64(t.D)})
		}
	}
	slices.SortStableFunc(all, func(a, b Neighbour) int { return cmp.Compare(b.Cosine, a.Cosine) })
	return all[:min(max(k, 0), len(all))], nil
}

// Projection is the table seen along its principal axes.
type Projection struct {
	K         int       `json:"k"`
	Points    []float64 `json:"points"`    // [V, K] coordinates
	Explained []float64 `json:"explained"` // [K] share of the variance along each axis
}

// PCA projects E, centred, on the k directions of largest variance. The sign of
// an axis is chosen such that its largest component is positive.
func (t *Table) PCA(k int) (Projection, error) {
	if k < 1 || k > t.D {
		return Projection{}, fmt.Errorf("project embeddings: %d axes of %d dimensions", k, t.D)
	}
	mu := make([]float64, t.D)
	for i, e := range t.E {
		mu[i%t.D] += float64(e) / float64(t.V)
	}
	covariance := t.gram(mu)
	if total := mat.Trace(covariance); math.IsNaN(total) || math.IsInf(total, 0) {
		return Projection{}, fmt.Errorf("project embeddings: the table is not finite")
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(covariance, true) {
		return Projection{}, fmt.Errorf("project embeddings: eigenvectors do not converge")
	}
	var axes mat.Dense
	eigen.VectorsTo(&axes)
	values := eigen.Values(nil) // rising
	var total float64
	for _, v := range values {
		total += max(v, 0)
	}
	p := Projection{K: k, Points: make([]float64, t.V*k), Explained: make([]float64, k)}
	axis := make([]float64, t.D)
	for c := range k {
		column := t.D - 1 - c
		mat.Col(axis, column, &axes)
		orient(axis)
		if total > 0 {
			p.Explained[c] = max(values[column], 0) / total
		}
		for i := range t.V {
			for j, e := range t.Row(int32(i)) {
				p.Points[i*k+c] += (float64(e) - mu[j]) * axis[j]
			}
		}
	}
	return p, nil
}

// orient flips an axis if its largest component is negative.
func orient(axis []float64) {
	largest := slices.MaxFunc(axis, func(a, b float64) int { return cmp.Compare(math.Abs(a), math.Abs(b)) })
	if largest < 0 {
		for i := range axis {
			axis[i] = -axis[i]
		}
	}
}
