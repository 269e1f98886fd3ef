package embeddings

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// from makes a table of the given raw rows.
func from(tb testing.TB, rows ...[]float32) *Table {
	tb.Helper()
	t, err := New(len(rows), len(rows[0]), slices.Concat(rows...), nil)
	if err != nil {
		tb.Fatal(err)
	}
	t.Refresh()
	return t
}

func describe(tb testing.TB, t *Table) Stats {
	tb.Helper()
	s, err := t.Stats(1)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func close(a, b float64) bool { return math.Abs(a-b) < 1e-6 }

func TestStatsOfKnownTables(t *testing.T) {
	for _, tt := range []struct {
		name      string
		table     *Table
		mean, top float64
		pair      [2]int32
		rank      float64
		alarm     string
	}{
		{
			name:  "orthogonal axes",
			table: from(t, []float32{2, 0, 0}, []float32{0, 3, 0}, []float32{0, 0, 5}),
			mean:  0, top: 0, pair: [2]int32{0, 1}, rank: 3,
		},
		{
			// Cosines 1, -1, -1: mean -1/3; one direction: rank 1.
			name:  "one line",
			table: from(t, []float32{1, 1, 1, 1, 1, 1}, []float32{2, 2, 2, 2, 2, 2}, []float32{-1, -1, -1, -1, -1, -1}),
			mean:  -1. / 3, top: 1, pair: [2]int32{0, 1}, rank: 1, alarm: "tokens 0 and 1",
		},
		{
			name:  "shared direction",
			table: from(t, []float32{9, 1, 0, 0}, []float32{9, 0, 1, 0}, []float32{9, 0, 0, 1}),
			mean:  81. / 82, top: 81. / 82, pair: [2]int32{0, 1}, alarm: "share a direction",
		},
		{
			name:  "single token",
			table: from(t, []float32{0, 2}),
			rank:  1,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := describe(t, tt.table)
			if !close(s.MeanCosine, tt.mean) || !close(s.MaxCosine, tt.top) || s.NearestPair != tt.pair {
				t.Errorf("cosine mean %v, max %v of %v; expected %v, %v of %v", s.MeanCosine, s.MaxCosine, s.NearestPair, tt.mean, tt.top, tt.pair)
			}
			if tt.rank != 0 && math.Abs(s.EffectiveRank-tt.rank) > 1e-4 {
				t.Errorf("effective rank %v, expected %v", s.EffectiveRank, tt.rank)
			}
			if all := strings.Join(s.Alarms, "; "); !strings.Contains(all, tt.alarm) || (tt.alarm == "") != (all == "") {
				t.Errorf("alarms %q, expected %q", all, tt.alarm)
			}
			if _, err := json.Marshal(s); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestStatsAgainstPairs: the fast forms equal the definition, pair by pair.
func TestStatsAgainstPairs(t *testing.T) {
	table := newTable(t, 300, 8, 4) // more rows than a block
	s := describe(t, table)
	var sum float64
	best := -2.0
	for i := range int32(300) {
		for j := range i {
			c := dot(table.Row(i), table.Row(j)) / 8
			sum += c
			best = max(best, c)
		}
	}
	if !close(s.MeanCosine, sum/(300*299/2)) || !close(s.MaxCosine, best) || s.Pairs != 300*299/2 {
		t.Errorf("mean %v, max %v of %d pairs; expected %v, %v", s.MeanCosine, s.MaxCosine, s.Pairs, sum/(300*299/2), best)
	}
	if p := s.NearestPair; !close(dot(table.Row(p[0]), table.Row(p[1]))/8, best) {
		t.Errorf("pair %v is not the nearest", p)
	}
	// Parseval: the squares of the singular values sum to V·D.
	var square float64
	for _, v := range s.SingularValues {
		square += v * v
	}
	if math.Abs(square/(300*8)-1) > 1e-6 {
		t.Errorf("singular values' squares sum to %v, expected %v", square, 300*8)
	}
}

func TestRandomTableRaisesNoAlarm(t *testing.T) {
	for _, size := range [][2]int{{65, 16}, {5000, 16}, {300, 256}} {
		if s := describe(t, newTable(t, size[0], size[1], 1)); len(s.Alarms) > 0 {
			t.Errorf("%d rows in %d dimensions: %q", size[0], size[1], s.Alarms)
		}
	}
}

func TestNeverUpdated(t *testing.T) {
	table := newTable(t, 4, 8, 1)
	table.W[2*8+3] += 1e-4 // an update of token 2
	for k := range 8 {
		table.W[8+k] *= .3 // decay of token 1
	}
	table.Refresh()
	if got := describe(t, table).NeverUpdated; !slices.Equal(got, []int32{0, 1, 3}) {
		t.Errorf("never updated %v, expected all but token 2", got)
	}
	if got := table.NeverUpdated(2); len(got) != 0 {
		t.Errorf("against another seed %v, expected none", got)
	}
}

func TestHistogramCountsEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, 1e30), 1, 50).Draw(t, "values")
		slices.Sort(values)
		h := histogram(values)
		total := 0
		for _, c := range h.Counts {
			total += c
		}
		if total != len(values) || len(h.Edges) != len(h.Counts)+1 || !slices.IsSorted(h.Edges) {
			t.Fatalf("%d of %d values counted between %v", total, len(values), h.Edges)
		}
	})
}

func TestStatsRefuseWhatIsNotFinite(t *testing.T) {
	table := from(t, []float32{1, 2}, []float32{float32(math.NaN()), 1})
	if _, err := table.Stats(1); err == nil || !strings.Contains(err.Error(), "row 1") {
		t.Errorf("error %v, expected one that names row 1", err)
	}
	if _, err := table.PCA(1); err == nil {
		t.Error("projection of a NaN accepted")
	}
}
