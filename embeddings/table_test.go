package embeddings

import (
	"math"
	"slices"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
	"pgregory.net/rapid"
)

func newTable(tb testing.TB, v, d int, seed uint64) *Table {
	tb.Helper()
	t, err := New(v, d, make([]float32, v*d), make([]float32, v*d))
	if err != nil {
		tb.Fatal(err)
	}
	t.Init(seed)
	return t
}

func TestEveryRowHasNormRootD(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, d := rapid.IntRange(1, 8).Draw(t, "V"), rapid.IntRange(1, 40).Draw(t, "D")
		// Any finite rows: from the smallest subnormal to the largest number.
		w := make([]float32, v*d)
		for i := range w {
			w[i] = rapid.Float32().Draw(t, "w")
		}
		table, err := New(v, d, w, nil)
		if err != nil {
			t.Fatal(err)
		}
		table.Refresh()
		for i := range v {
			// float32 rounding of D components: relative 2⁻²⁴ each.
			if r := norm(table.Row(int32(i))); math.Abs(r/math.Sqrt(float64(d))-1) > 1e-6 {
				t.Fatalf("row %d of %v has norm %v, expected √%d", i, w, r, d)
			}
		}
	})
}

func TestInitIsSmallAndRepeatable(t *testing.T) {
	a, b, c := newTable(t, 500, 16, 1), newTable(t, 500, 16, 1), newTable(t, 500, 16, 2)
	if !slices.Equal(a.W, b.W) {
		t.Error("one seed gives two tables")
	}
	if slices.Equal(a.W, c.W) {
		t.Error("two seeds give one table")
	}
	var square float64
	for _, v := range a.W {
		square += float64(v) * float64(v)
	}
	// 8,000 values: the standard error of the deviation is .8 %.
	if std := math.Sqrt(square / 8000); math.Abs(std/InitStd-1) > .04 {
		t.Errorf("deviation %v, expected %v", std, InitStd)
	}
}

// loss64 is Σ_n a_n·e(ids_n) in float64, and its e a second form of the
// normalisation: the reference of the gradient.
func loss64(w []float64, d int, ids []int32, a []float32) (sum float64) {
	for n, id := range ids {
		row := w[int(id)*d : (int(id)+1)*d]
		var r float64
		for _, v := range row {
			r = math.Hypot(r, v)
		}
		for k, v := range row {
			sum += float64(a[n*d+k]) * math.Sqrt(float64(d)) * v / r
		}
	}
	return sum
}

// TestGradientAgainstFiniteDifferences: central differences of the float64
// reference, for tokens that occur once, twice and never.
func TestGradientAgainstFiniteDifferences(t *testing.T) {
	for _, d := range []int{2, 16, 256} {
		table := newTable(t, 5, d, 3)
		ids := []int32{1, 4, 1, 0, 3}
		dE := make([]float32, len(ids)*d)
		s := rng.New(1, "test", 0, 0)
		s.FillNormal(dE)
		table.Accumulate(ids[:2], dE[:2*d]) // in two parts, as micro-batches come
		table.Accumulate(ids[2:], dE[2*d:])
		table.Backward()

		w := make([]float64, len(table.W))
		var largest float64
		for i, v := range table.W {
			w[i] = float64(v)
			largest = max(largest, math.Abs(float64(table.G[i])))
		}
		worst := 0.0
		for i := range w {
			const h = 1e-7 // against rows of norm .001 √D: truncation 1e-8 relative
			at := w[i]
			w[i] = at + h
			up := loss64(w, d, ids, dE)
			w[i] = at - h
			down := loss64(w, d, ids, dE)
			w[i] = at
			worst = max(worst, math.Abs((up-down)/(2*h)-float64(table.G[i]))/largest)
		}
		t.Logf("D = %d: worst error %.1e of the largest component %.0f", d, worst, largest)
		if worst > 3e-7 {
			t.Errorf("D = %d: worst relative error %v", d, worst)
		}
		for k, g := range table.G[2*d : 3*d] {
			if g != 0 {
				t.Errorf("token without gradient has component %d = %v", k, g)
			}
		}
	}
}

// TestGradientIsTangential: it never changes a row's length to first order.
func TestGradientIsTangential(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.IntRange(2, 64).Draw(t, "D")
		w, g := make([]float32, d), make([]float32, d)
		table, err := New(1, d, w, g)
		if err != nil {
			t.Fatal(err)
		}
		table.Init(rapid.Uint64().Draw(t, "seed"))
		up := make([]float32, d)
		s := rng.New(rapid.Uint64().Draw(t, "upstream"), "test", 0, 0)
		s.FillNormal(up)
		table.Accumulate([]int32{0}, up)
		table.Backward()
		if along := dot(g, w) / (norm(g)*norm(w) + 1e-300); math.Abs(along) > 1e-5 && norm(up) > 1e-3 {
			t.Fatalf("cosine of gradient and row %v", along)
		}
	})
}

func TestBackwardAddsAndClears(t *testing.T) {
	table := newTable(t, 3, 4, 1)
	once := func() {
		table.Accumulate([]int32{2}, []float32{1, 2, 3, 4})
		table.Backward()
	}
	once()
	first := slices.Clone(table.G)
	table.Backward() // nothing accumulated
	if !slices.Equal(first, table.G) {
		t.Error("backward of nothing changed the gradient")
	}
	once()
	for i, g := range table.G {
		if g != 2*first[i] {
			t.Fatalf("gradient %v after twice the same, expected twice %v", g, first[i])
		}
	}
}

func TestRowOfZeros(t *testing.T) {
	g := make([]float32, 8)
	table, err := New(2, 4, []float32{0, 0, 0, 0, 1, 0, 0, 0}, g)
	if err != nil {
		t.Fatal(err)
	}
	table.Refresh()
	table.Accumulate([]int32{0}, []float32{1, 2, 3, 4})
	table.Backward()
	if !slices.Equal(table.Row(0), []float32{1, 1, 1, 1}) || !slices.Equal(g, make([]float32, 8)) {
		t.Errorf("row of zeros is used as %v with gradient %v", table.Row(0), g)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, f := range map[string]func() (*Table, error){
		"no tokens":      func() (*Table, error) { return New(0, 4, nil, nil) },
		"no dimension":   func() (*Table, error) { return New(4, 0, nil, nil) },
		"short rows":     func() (*Table, error) { return New(2, 2, make([]float32, 3), nil) },
		"short gradient": func() (*Table, error) { return New(2, 2, make([]float32, 4), make([]float32, 3)) },
	} {
		if _, err := f(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestTrainingPathDoesNotAllocate(t *testing.T) {
	table := newTable(t, 50, 8, 1)
	ids := []int32{3, 7, 3, 49}
	rows := make([]float32, 4*8)
	if n := testing.AllocsPerRun(20, func() {
		table.Refresh()
		table.Lookup(rows, ids)
		table.Accumulate(ids, rows)
		table.Backward()
	}); n != 0 {
		t.Errorf("%v allocations a step, expected none", n)
	}
}

func BenchmarkStep(b *testing.B) {
	table := newTable(b, 8192, 64, 1)
	ids := make([]int32, 2048)
	for i := range ids {
		ids[i] = int32(i * 37 % 8192)
	}
	rows := make([]float32, len(ids)*64)
	for b.Loop() {
		table.Refresh()
		table.Lookup(rows, ids)
		table.Accumulate(ids, rows)
		table.Backward()
	}
}

// Free rows are used as they are, and their gradient is that of what is used; a
// gradient of the whole table is one of every token.
func TestFreeRows(t *testing.T) {
	const v, d = 3, 4
	w, g := make([]float32, v*d), make([]float32, v*d)
	table, err := New(v, d, w, g)
	if err != nil {
		t.Fatal(err)
	}
	table.Free = true
	table.Init(1)
	if !slices.Equal(table.E, table.W) {
		t.Error("free rows were changed")
	}
	dE := make([]float32, v*d)
	s := rng.New(1, "test", 0, 0)
	s.FillNormal(dE)
	table.AccumulateTable(dE)
	table.Backward()
	if !slices.Equal(g, dE) {
		t.Errorf("gradient %v, want %v", g, dE)
	}

	bound, each := newTable(t, v, d, 1), newTable(t, v, d, 1)
	bound.AccumulateTable(dE)
	each.Accumulate([]int32{0, 1, 2}, dE)
	bound.Backward()
	each.Backward()
	if !slices.Equal(bound.G, each.G) {
		t.Errorf("gradient of the table %v, of every token %v", bound.G, each.G)
	}
}

// A longer row is the same embedding and turns more slowly.
func TestStretch(t *testing.T) {
	a, b := newTable(t, 3, 4, 1), newTable(t, 3, 4, 1)
	b.Stretch(2)
	dE := make([]float32, 3*4)
	dE[1] = 1
	for _, table := range []*Table{a, b} {
		table.AccumulateTable(dE)
		table.Backward()
	}
	for i := range a.W {
		if math.Abs(float64(a.E[i]-b.E[i])) > 1e-6 || b.W[i] != 2*a.W[i] || math.Abs(float64(a.G[i]-2*b.G[i])) > 1e-3 {
			t.Errorf("value %d: embedding %v and %v, gradient %v and %v", i, a.E[i], b.E[i], a.G[i], b.G[i])
		}
	}
}
