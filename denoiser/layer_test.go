package denoiser

import (
	"strings"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

// layerTolerance is stricter than tolerance: one layer alone adds up less
// rounding than the network.
const layerTolerance = 5e-6

// dot is Σ a_i b_i: a loss whose gradient with respect to a is b.
func dot(a []float64, b []float32) float64 {
	var sum float64
	for i := range a {
		sum += a[i] * float64(b[i])
	}
	return sum
}

func normals(purpose string, n int) []float32 {
	x, s := make([]float32, n), rng.New(8, purpose, 0, 0)
	s.FillNormal(x)
	return x
}

// checkLayer compares the gradients of the tensors whose names begin with prefix.
func checkLayer(t *testing.T, c Config, r *reference, grads []float32, prefix string, loss func() float64) {
	t.Helper()
	for _, q := range c.Params() {
		if !strings.HasPrefix(q.Name, prefix) || q.Name == "time.frequencies" {
			continue
		}
		e := compare(r.p[q.Name], grads[q.Offset:q.Offset+q.Len()], loss)
		if !(e < layerTolerance) {
			t.Errorf("%s: gradient is %.1e from finite differences", q.Name, e)
		}
	}
}

// TestLinearAlone takes a linear layer by itself.
func TestLinearAlone(t *testing.T) {
	const rows, in, out = 5, 7, 3
	pool := kernels.NewPool(2)
	defer pool.Close()
	x, up := normals("x", rows*in), normals("up", rows*out)
	l := linear{
		in: in, out: out, w: normals("w", in*out), b: normals("b", out),
		gradW: make([]float32, in*out), gradB: make([]float32, out),
	}
	dx := make([]float32, rows*in)
	l.backward(pool, dx, up, x, rows, kernels.Op{})

	r := &reference{p: map[string][]float64{"l.weight": widen(l.w), "l.bias": widen(l.b)}}
	x64 := widen(x)
	loss := func() float64 {
		var y []float64
		for i := range rows {
			y = append(y, r.linear("l", x64[i*in:(i+1)*in])...)
		}
		return dot(y, up)
	}
	for name, c := range map[string]struct {
		x    []float64
		grad []float32
	}{"input": {x64, dx}, "weight": {r.p["l.weight"], l.gradW}, "bias": {r.p["l.bias"], l.gradB}} {
		if e := compare(c.x, c.grad, loss); !(e < layerTolerance) {
			t.Errorf("%s: gradient is %.1e from finite differences", name, e)
		}
	}
}

// TestBlockAlone takes one block by itself: parameters, input and time features.
func TestBlockAlone(t *testing.T) {
	for name, c := range shapes {
		t.Run(name, func(t *testing.T) {
			const b, l = 2, 5
			n, grads := open(t, c, 2)
			p := n.NewPass(b, l, true)
			p.b, p.l = b, l
			w := c.Width
			copy(p.layers[0].x, normals("x", b*l*w))
			copy(p.time.outGelu, normals("time", b*timeWidth))
			x, time, up := widen(p.layers[0].x), widen(p.time.outGelu), normals("up", b*l*w)

			p.modulate(&n.blocks[0].mod, &p.layers[0].first, &p.layers[0].second)
			p.forwardBlock(0, p.after(0))
			copy(p.grad.x, up)
			p.backwardBlock(0)
			p.backwardModulation(&n.blocks[0].mod)

			r := newReference(c, lively(c))
			output := func() (y []float64) {
				for s := range b {
					var rows [][]float64
					for i := s * l; i < (s+1)*l; i++ {
						rows = append(rows, x[i*w:(i+1)*w])
					}
					for _, row := range r.block(0, rows, time[s*timeWidth:(s+1)*timeWidth]) {
						y = append(y, row...)
					}
				}
				return y
			}
			if e := distance(widen(p.after(0)), output()); !(e < layerTolerance) {
				t.Errorf("output is %.1e from the float64 block", e)
			}
			loss := func() float64 { return dot(output(), up) }
			checkLayer(t, c, r, grads, "blocks.0.", loss)
			if e := compare(x, p.grad.x, loss); !(e < layerTolerance) {
				t.Errorf("input: gradient is %.1e from finite differences", e)
			}
			if e := compare(time, p.grad.time, loss); !(e < layerTolerance) {
				t.Errorf("time features: gradient is %.1e from finite differences", e)
			}
		})
	}
}

// TestTimeAlone takes the time features by themselves.
func TestTimeAlone(t *testing.T) {
	c := small
	n, grads := open(t, c, 2)
	p := n.NewPass(3, 1, true)
	p.b, p.l = 3, 1
	levels, up := []float64{.2, 2.8, 50}, normals("up", 3*timeWidth)
	p.embedTime(levels)
	copy(p.grad.time, up)
	p.backwardTime()

	r := newReference(c, lively(c))
	output := func() (y []float64) {
		for _, t := range levels {
			y = append(y, r.time(t)...)
		}
		return y
	}
	if e := distance(widen(p.time.outGelu), output()); !(e < layerTolerance) {
		t.Errorf("features are %.1e from float64", e)
	}
	checkLayer(t, c, r, grads, "time.", func() float64 { return dot(output(), up) })
}
