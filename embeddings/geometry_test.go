package embeddings

import (
	"math"
	"testing"
)

func TestNeighbours(t *testing.T) {
	table := from(t, []float32{1, 0}, []float32{0, 1}, []float32{2, 2}, []float32{-1, 0}, []float32{9, 1})
	got, err := table.Neighbours(0, 2)
	if err != nil {
		t.Fatal(err)
	}
	want := []Neighbour{{4, 9 / math.Sqrt(82)}, {2, math.Sqrt(.5)}}
	for i, w := range want {
		if got[i].ID != w.ID || !close(got[i].Cosine, w.Cosine) {
			t.Errorf("neighbours %v, expected %v", got, want)
		}
	}
	if all, err := table.Neighbours(0, 99); err != nil || len(all) != 4 {
		t.Errorf("%d neighbours, error %v; expected the 4 others", len(all), err)
	}
	if _, err := table.Neighbours(5, 1); err == nil {
		t.Error("token beyond the vocabulary accepted")
	}
}

// TestPCA: points on a cross whose long arm lies along (1, 1, 0, 0) after
// centring; two axes explain everything.
func TestPCA(t *testing.T) {
	table := newTable(t, 40, 6, 2)
	p, err := table.PCA(6)
	if err != nil {
		t.Fatal(err)
	}
	var share float64
	for c, e := range p.Explained {
		share += e
		if c > 0 && e > p.Explained[c-1] {
			t.Errorf("explained variance %v is not falling", p.Explained)
		}
		// Coordinates are centred, and their variance is the share explained.
		var sum, square float64
		for i := range 40 {
			v := p.Points[i*6+c]
			sum += v
			square += v * v
		}
		if math.Abs(sum) > 1e-4 {
			t.Errorf("axis %d has mean %v", c, sum/40)
		}
		var total float64
		for _, v := range p.Points {
			total += v * v
		}
		if !close(square/total, e) {
			t.Errorf("axis %d explains %v, its coordinates %v", c, e, square/total)
		}
	}
	if !close(share, 1) {
		t.Errorf("all axes explain %v", share)
	}
	// An orthogonal change of basis keeps distances.
	var far, want float64
	for c := range 6 {
		far += math.Pow(p.Points[c]-p.Points[6+c], 2)
		want += math.Pow(float64(table.E[c])-float64(table.E[6+c]), 2)
	}
	if !close(far, want) {
		t.Errorf("squared distance %v after projection, expected %v", far, want)
	}
	for _, k := range []int{0, 7} {
		if _, err := table.PCA(k); err == nil {
			t.Errorf("%d axes of 6 accepted", k)
		}
	}
}

func TestPCAFindsTheAxis(t *testing.T) {
	// Opposite pairs: the first along (3, 4)/5 four times, the second across once.
	along, across := []float32{3, 4}, []float32{-4, 3}
	minus := func(v []float32) []float32 { return []float32{-v[0], -v[1]} }
	p, err := from(t, along, along, along, along, minus(along), minus(along), minus(along), minus(along), across, minus(across)).PCA(2)
	if err != nil {
		t.Fatal(err)
	}
	if !close(p.Explained[0], .8) {
		t.Errorf("first axis explains %v, expected 4/5", p.Explained[0])
	}
	if root := math.Sqrt2; !close(p.Points[0], root) || !close(p.Points[1], 0) {
		t.Errorf("first point at (%v, %v), expected (√2, 0)", p.Points[0], p.Points[1])
	}
}
