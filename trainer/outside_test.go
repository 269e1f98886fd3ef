package trainer

import (
	"math"
	"testing"
	"time"

	"github.com/seed-4c77ef92/textwarp/denoiser"
	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/timewarp"
)

// BenchmarkOutside reports how much of a training step is neither the network
// nor the optimiser: windows, noise levels, masks, noise, features, the warp,
// and, by itself, the embedding table.
func BenchmarkOutside(b *testing.B) {
	for _, w := range []struct {
		name          string
		net           denoiser.Config
		batch, length int
	}{
		{"nano", denoiser.Config{Vocab: 67, EmbedDim: 16, Width: 128, Layers: 4, Heads: 4, MLP: 512}, 8, 128},
		{"width 128, 64×128", denoiser.Config{Vocab: 67, EmbedDim: 16, Width: 128, Layers: 4, Heads: 4, MLP: 512}, 64, 128},
		{"width 256, 16×64", denoiser.Config{Vocab: 8192, EmbedDim: 64, Width: 256, Layers: 4, Heads: 4, MLP: 1024}, 16, 64},
	} {
		b.Run(w.name, func(b *testing.B) {
			c, err := Preset("nano")
			if err != nil {
				b.Fatal(err)
			}
			c.Data.Stream, c.Data.Length, c.Optim.Batch = shards(b), w.length, w.batch
			data, err := OpenData(c, nil)
			if err != nil {
				b.Fatal(err)
			}
			defer data.Train.Close()
			pool := kernels.NewPool(0)
			defer pool.Close()
			m, err := NewModel(w.net, nil, true, pool)
			if err != nil {
				b.Fatal(err)
			}
			m.Init(1)
			warp, err := timewarp.New(c.Process.Warp, c.Process.TMin, c.Process.TMax, w.batch)
			if err != nil {
				b.Fatal(err)
			}
			process := m.Process(c, warp, w.batch, w.length)
			net := &timed{Network: process.Net}
			process.Net = net
			first, second, average := make([]float32, len(m.Params)), make([]float32, len(m.Params)), make([]float32, len(m.Params))
			ids := make([]int32, w.batch*w.length)
			var all, optimiser, table time.Duration
			run := func(step int) {
				began := time.Now()
				for i := range w.batch {
					if err := data.Train.Next(ids[i*w.length : (i+1)*w.length]); err != nil {
						b.Fatal(err)
					}
				}
				process.Gradient(uint64(step), ids)
				process.Learn()
				stepped := time.Now()
				norm := math.Sqrt(pool.SumSquares(m.Grads))
				pool.AdamW(m.Params, m.Grads, first, second, average, c.Optim.adam(c.Optim.LR, norm, step))
				clear(m.Grads)
				updated := time.Now()
				m.Table.Refresh()
				optimiser += updated.Sub(stepped)
				table += time.Since(updated)
				all += time.Since(began)
			}
			run(1) // reads the first shards
			all, optimiser, table, net.spent = 0, 0, 0, 0
			for step := 2; b.Loop(); step++ {
				run(step)
			}
			share := func(d time.Duration) float64 { return 100 * d.Seconds() / all.Seconds() }
			b.ReportMetric(share(all-optimiser-table-net.spent), "%-outside")
			b.ReportMetric(share(table), "%-refresh")
			b.ReportMetric(share(optimiser), "%-optimiser")
		})
	}
}

// timed is a network that knows how long it took.
type timed struct {
	diffusion.Network
	spent time.Duration
}

func (n *timed) Forward(b, l int, features []float32, t []float64) {
	defer n.note(time.Now())
	n.Network.Forward(b, l, features, t)
}

func (n *timed) Loss(ce []float32, targets []int32, weight []float32) {
	defer n.note(time.Now())
	n.Network.Loss(ce, targets, weight)
}

func (n *timed) Backward(dFeatures []float32) {
	defer n.note(time.Now())
	n.Network.Backward(dFeatures)
}

func (n *timed) Interpolate(x0, table, m []float32) {
	defer n.note(time.Now())
	n.Network.Interpolate(x0, table, m)
}

func (n *timed) note(began time.Time) { n.spent += time.Since(began) }
