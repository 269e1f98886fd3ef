package trainer

import (
	"math"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
)

// heap is the living part of the heap, in bytes.
func heap() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// TestEstimateOfMemory compares the estimate with what a run has on the heap once
// it has done everything that a run does.
func TestEstimateOfMemory(t *testing.T) {
	stream := shards(t)
	for name, c := range map[string]struct {
		recompute bool
		settings  map[string]string
	}{
		"nano":              {},
		"nano, recomputing": {recompute: true},
		"accumulating":      {settings: map[string]string{"optim.batch": "8", "optim.micro_batch": "2", "data.length": "64"}},
		"autoregressive":    {settings: map[string]string{"process.objective": AR, "process.fim": "0.5", "data.length": "200"}},
		"wide embeddings":   {settings: map[string]string{"model.embed_dim": "256", "model.width": "64", "model.mlp": "128"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := NewSettings("nano")
			if err != nil {
				t.Fatal(err)
			}
			s.Data.Stream, s.Process.TMin, s.Process.TMax = stream, 1, 1.5
			for key, value := range c.settings {
				if err := s.Set(key, value, "test"); err != nil {
					t.Fatal(err)
				}
			}
			data, err := OpenData(s.Config, nil)
			if err != nil {
				t.Fatal(err)
			}
			pool := kernels.NewPool(2)
			defer pool.Close()
			e := EstimateRun(s.Config, data, c.recompute).Memory
			before := heap()
			tr, err := Start(filepath.Join(t.TempDir(), "run"), s, data, Options{Pool: pool, Recompute: c.recompute})
			if err != nil {
				t.Fatal(err)
			}
			defer tr.Close()
			for range 2 {
				if err := tr.step(); err != nil {
					t.Fatal(err)
				}
			}
			var m runtime.MemStats
			for name, do := range map[string]func() error{
				"evaluation": tr.logEvaluation, "sample": tr.logSample, "checkpoint": tr.save,
			} {
				runtime.ReadMemStats(&m)
				garbage := m.TotalAlloc
				if err := do(); err != nil {
					t.Fatal(err)
				}
				runtime.ReadMemStats(&m)
				if made := m.TotalAlloc - garbage; made > 2<<20 {
					t.Errorf("%s leaves %d bytes of garbage", name, made)
				}
			}
			got, want := heap()-before, float64(e.Total()-e.Program)
			t.Logf("%.2f MiB on the heap, estimate %.2f", got/(1<<20), want/(1<<20))
			if math.Abs(got-want) > .03*want+1<<18 {
				t.Errorf("%.0f bytes on the heap, estimate %.0f", got, want)
			}
		})
	}
}
