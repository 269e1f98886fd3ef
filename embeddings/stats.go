package embeddings

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// Stats describes a table. All numbers are finite.
type Stats struct {
	Tokens  int       `json:"tokens"`
	Dim     int       `json:"dim"`
	RawNorm Quantiles `json:"raw_norm"` // of ‖W_i‖
	Norms   Histogram `json:"raw_norm_histogram"`

	MeanCosine  float64  `json:"mean_cosine"` // over all pairs of two rows
	MaxCosine   float64  `json:"max_cosine"`  // over Pairs of them
	NearestPair [2]int32 `json:"nearest_pair"`
	Pairs       int64    `json:"pairs"`

	EffectiveRank  float64   `json:"effective_rank"`
	SingularValues []float64 `json:"singular_values"` // of E, falling; min(V, D) of them

	NeverUpdated []int32  `json:"never_updated,omitzero"` // rows that no gradient has turned
	Alarms       []string `json:"alarms"`                 // signs of collapse; empty when healthy
}

// Quantiles of a sample.
type Quantiles struct {
	Min    float64 `json:"min"`
	Q05    float64 `json:"q05"`
	Q25    float64 `json:"q25"`
	Median float64 `json:"median"`
	Q75    float64 `json:"q75"`
	Q95    float64 `json:"q95"`
	Max    float64 `json:"max"`
	Mean   float64 `json:"mean"`
}

// Histogram counts values between len(Counts)+1 edges, evenly spaced in the
// logarithm. The last bin holds its upper edge too.
type Histogram struct {
	Edges  []float64 `json:"edges"`
	Counts []int     `json:"counts"`
}

const (
	histogramBins = 32
	// cosineRows is how many rows are compared with each other, evenly spread
	// over a larger vocabulary: 8 million pairs take about a second.
	cosineRows = 4096
)

// Limits of a healthy table. Random directions have a mean cosine of 0, and
// even 32,768 of them in 16 dimensions no pair above about .98.
const (
	alarmMeanCosine = 0.5
	alarmMaxCosine  = 0.999
	alarmRankShare  = 0.25
)

// Stats computes the statistics of W and E as they are; seed is that of Init.
// It refuses a table with a value that is not finite, and names its row.
func (t *Table) Stats(seed uint64) (Stats, error) {
	norms := t.RawNorms()
	for i, r := range norms {
		if math.IsNaN(r) || math.IsInf(r, 0) {
			return Stats{}, fmt.Errorf("describe embeddings: row %d is not finite", i)
		}
	}
	slices.Sort(norms)
	s := Stats{
		Tokens: t.V, Dim: t.D,
		RawNorm: quantiles(norms), Norms: histogram(norms),
		MeanCosine: t.meanCosine(), NeverUpdated: t.NeverUpdated(seed), Alarms: []string{},
	}
	s.MaxCosine, s.NearestPair, s.Pairs = t.maxCosine()
	var err error
	if s.SingularValues, err = t.singularValues(); err != nil {
		return Stats{}, err
	}
	s.EffectiveRank = effectiveRank(s.SingularValues)
	s.alarm()
	return s, nil
}

// alarm lists what a collapse of the table looks like.
func (s *Stats) alarm() {
	if s.MeanCosine > alarmMeanCosine {
		s.Alarms = append(s.Alarms, fmt.Sprintf("mean cosine %.2f is above %v: the rows share a direction", s.MeanCosine, alarmMeanCosine))
	}
	if s.MaxCosine > alarmMaxCosine {
		s.Alarms = append(s.Alarms, fmt.Sprintf("tokens %d and %d have cosine %.4f: noise cannot tell them apart", s.NearestPair[0], s.NearestPair[1], s.MaxCosine))
	}
	if full := float64(len(s.SingularValues)); s.EffectiveRank < alarmRankShare*full {
		s.Alarms = append(s.Alarms, fmt.Sprintf("effective rank %.1f of %d: most dimensions are unused", s.EffectiveRank, len(s.SingularValues)))
	}
}

// RawNorms is ‖W_i‖ of every row.
func (t *Table) RawNorms() []float64 {
	norms := make([]float64, t.V)
	for i := range norms {
		norms[i] = norm(t.W[i*t.D : (i+1)*t.D])
	}
	return norms
}

// NeverUpdated lists the rows that still point where Init(seed) put them. Weight
// decay, which shrinks a row and does not turn it, is no update.
func (t *Table) NeverUpdated(seed uint64) []int32 {
	first := make([]float32, len(t.W))
	initial(first, seed)
	rows := []int32{}
	for i := range t.V {
		a, b := first[i*t.D:(i+1)*t.D], t.W[i*t.D:(i+1)*t.D]
		// Rounding of repeated decay leaves 1 - cos below about 1e-12 · steps.
		if dot(a, b) > (1-1e-9)*norm(a)*norm(b) {
			rows = append(rows, int32(i))
		}
	}
	return rows
}

// meanCosine over pairs i ≠ j is (‖Σ n_i‖² - V) / (V(V-1)).
func (t *Table) meanCosine() float64 {
	if t.V < 2 {
		return 0
	}
	sum := make([]float64, t.D)
	for i, e := range t.E {
		sum[i%t.D] += float64(e)
	}
	var square float64
	for _, v := range sum {
		square += v * v
	}
	v := float64(t.V)
	return (square/float64(t.D) - v) / (v * (v - 1))
}

// maxCosine compares all rows, or cosineRows of them, block by block.
func (t *Table) maxCosine() (best float64, pair [2]int32, pairs int64) {
	n := min(t.V, cosineRows)
	if n < 2 {
		return 0, pair, 0
	}
	id := func(i int) int { return i * t.V / n }
	rows := blas32.General{Rows: n, Cols: t.D, Stride: t.D, Data: make([]float32, n*t.D)}
	for i := range n {
		copy(rows.Data[i*t.D:(i+1)*t.D], t.Row(int32(id(i))))
	}
	const block = 256
	product := make([]float32, min(block, n)*n)
	best = -2
	for lo := 0; lo < n; lo += block {
		m := min(block, n-lo)
		a := blas32.General{Rows: m, Cols: t.D, Stride: t.D, Data: rows.Data[lo*t.D:]}
		// Columns before lo were rows of an earlier block.
		b := blas32.General{Rows: n - lo, Cols: t.D, Stride: t.D, Data: rows.Data[lo*t.D:]}
		c := blas32.General{Rows: m, Cols: n - lo, Stride: n - lo, Data: product}
		blas32.Gemm(blas.NoTrans, blas.Trans, 1/float32(t.D), a, b, 0, c)
		for i := range m {
			for j := i + 1; j < n-lo; j++ {
				if v := float64(c.Data[i*c.Stride+j]); v > best {
					best, pair = v, [2]int32{int32(id(lo + i)), int32(id(lo + j))}
				}
			}
		}
	}
	return min(best, 1), pair, int64(n) * int64(n-1) / 2
}

// singularValues of E are the square roots of the eigenvalues of EᵀE.
func (t *Table) singularValues() ([]float64, error) {
	var eigen mat.EigenSym
	if !eigen.Factorize(t.gram(nil), false) {
		return nil, fmt.Errorf("describe embeddings: eigenvalues do not converge")
	}
	values := eigen.Values(nil)
	slices.Reverse(values)
	for i, v := range values {
		values[i] = math.Sqrt(max(v, 0))
	}
	return values[:min(t.V, t.D)], nil
}

// gram is Σ_i (e_i - μ)(e_i - μ)ᵀ; μ nil is zero.
func (t *Table) gram(mu []float64) *mat.SymDense {
	g := mat.NewSymDense(t.D, nil)
	row := mat.NewVecDense(t.D, nil)
	for i := range t.V {
		for k, e := range t.Row(int32(i)) {
			v := float64(e)
			if mu != nil {
				v -= mu[k]
			}
			row.SetVec(k, v)
		}
		g.SymRankOne(g, 1, row)
	}
	return g
}

// effectiveRank is the exponential of the entropy of the singular values, taken
// as a distribution (Roy and Vetterli, EUSIPCO 2007).
func effectiveRank(values []float64) float64 {
	var sum, h float64
	for _, v := range values {
		sum += v
	}
	if sum == 0 {
		return 0
	}
	for _, v := range values {
		if p := v / sum; p > 0 {
			h -= p * math.Log(p)
		}
	}
	return math.Exp(h)
}

func quantiles(sorted []float64) Quantiles {
	q := func(p float64) float64 { return stat.Quantile(p, stat.Empirical, sorted, nil) }
	return Quantiles{
		Min: sorted[0], Q05: q(.05), Q25: q(.25), Median: q(.5), Q75: q(.75), Q95: q(.95),
		Max: sorted[len(sorted)-1], Mean: stat.Mean(sorted, nil),
	}
}

// histogram of sorted values that are not negative. Zeros fall in the first bin.
func histogram(sorted []float64) Histogram {
	high := sorted[len(sorted)-1]
	at, _ := slices.BinarySearch(sorted, math.SmallestNonzeroFloat64)
	if at == len(sorted) {
		return Histogram{Edges: []float64{0, 0}, Counts: []int{len(sorted)}}
	}
	low := sorted[at]
	if low == high {
		return Histogram{Edges: []float64{low, high}, Counts: []int{len(sorted)}}
	}
	h := Histogram{Edges: make([]float64, histogramBins+1), Counts: make([]int, histogramBins)}
	width := (math.Log(high) - math.Log(low)) / histogramBins
	for i := range h.Edges {
		h.Edges[i] = min(max(low, math.Exp(math.Log(low)+width*float64(i))), high)
	}
	h.Edges[histogramBins] = high
	for _, v := range sorted {
		bin, exact := slices.BinarySearch(h.Edges, v)
		if !exact {
			bin--
		}
		h.Counts[min(max(bin, 0), histogramBins-1)]++
	}
	return h
}
