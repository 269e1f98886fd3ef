package denoiser

import (
	"math"
	"strconv"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// graph writes the network as a Gorgonia expression in float64. All of a batch
// is one matrix of b·l rows. Broadcasts, head splits, rotations and row sums are
// products with constant matrices, so that only the plainest operations are
// trusted, and every matrix has at least two rows and columns, because Gorgonia
// takes others for vectors.
type graph struct {
	*G.ExprGraph
	c      Config
	params map[string]*G.Node
}

func (g *graph) matrix(name string, rows, cols int, data []float64) *G.Node {
	t := tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(data))
	return G.NewMatrix(g.ExprGraph, tensor.Float64, G.WithShape(rows, cols), G.WithName(name), G.WithValue(t))
}

// constant is a matrix given by its elements.
func (g *graph) constant(rows, cols int, f func(i, j int) float64) *G.Node {
	data := make([]float64, rows*cols)
	for i := range rows {
		for j := range cols {
			data[i*cols+j] = f(i, j)
		}
	}
	return g.matrix("c"+strconv.Itoa(len(g.AllNodes())), rows, cols, data)
}

func (g *graph) full(rows, cols int, v float64) *G.Node {
	return g.constant(rows, cols, func(int, int) float64 { return v })
}

// pick is the [n, size] matrix that copies columns from..from+size of n.
func (g *graph) pick(n, from, size int) *G.Node {
	return g.constant(n, size, func(i, j int) float64 { return indicator(i == from+j) })
}

func indicator(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func mul(a, b *G.Node) *G.Node   { return G.Must(G.Mul(a, b)) }
func times(a, b *G.Node) *G.Node { return G.Must(G.HadamardProd(a, b)) }
func over(a, b *G.Node) *G.Node  { return G.Must(G.HadamardDiv(a, b)) }
func add(a, b *G.Node) *G.Node   { return G.Must(G.Add(a, b)) }
func sub(a, b *G.Node) *G.Node   { return G.Must(G.Sub(a, b)) }

func rows(a *G.Node) int { return a.Shape()[0] }
func cols(a *G.Node) int { return a.Shape()[1] }

// linear is x W + b. The bias is the first row of a matrix of two.
func (g *graph) linear(name string, x *G.Node) *G.Node {
	first := g.constant(rows(x), 2, func(_, j int) float64 { return indicator(j == 0) })
	return add(mul(x, g.params[name+".weight"]), mul(first, g.params[name+".bias"]))
}

func (g *graph) gelu(x *G.Node) *G.Node {
	r, c := rows(x), cols(x)
	cubic := times(g.full(r, c, .044715), times(x, times(x, x)))
	inner := times(g.full(r, c, math.Sqrt(2/math.Pi)), add(x, cubic))
	return times(times(g.full(r, c, .5), x), add(g.full(r, c, 1), G.Must(G.Tanh(inner))))
}

// norm is the conditional layer norm; scale and shift have a row for each of x.
func (g *graph) norm(x, scale, shift *G.Node) *G.Node {
	r, n := rows(x), cols(x)
	average := g.full(n, n, 1/float64(n))
	centred := sub(x, mul(x, average))
	variance := mul(times(centred, centred), average)
	std := G.Must(G.Sqrt(add(variance, g.full(r, n, 1e-5))))
	return add(times(over(centred, std), add(g.full(r, n, 1), scale)), shift)
}

// softmax of the rows of z, which are small here.
func (g *graph) softmax(z *G.Node) *G.Node {
	e := G.Must(G.Exp(z))
	return over(e, mul(e, g.full(cols(z), cols(z), 1)))
}

// rotate turns the rows of x [b·l, hd] by their positions.
func (g *graph) rotate(x *G.Node, l int) *G.Node {
	r, hd := rows(x), cols(x)
	angle := func(i, j int) float64 { return float64(i%l) * frequency(j%(hd/2), hd) }
	cos := g.constant(r, hd, func(i, j int) float64 { return math.Cos(angle(i, j)) })
	sin := g.constant(r, hd, func(i, j int) float64 { return math.Sin(angle(i, j)) })
	swap := g.constant(hd, hd, func(i, j int) float64 { // (a, b) to (-b, a)
		return indicator(j == i+hd/2) - indicator(i == j+hd/2)
	})
	return add(times(x, cos), times(mul(x, swap), sin))
}

// attention treats the batch as one sequence in which positions of other
// sequences are masked.
func (g *graph) attention(qkv *G.Node, l int) *G.Node {
	n, w, hd := rows(qkv), g.c.Width, g.c.headDim()
	mask := g.constant(n, n, func(i, j int) float64 {
		return -1e9 * indicator(i/l != j/l || g.c.Causal && j > i)
	})
	var sum *G.Node
	for h := range g.c.Heads {
		q := g.rotate(mul(qkv, g.pick(3*w, h*hd, hd)), l)
		k := g.rotate(mul(qkv, g.pick(3*w, w+h*hd, hd)), l)
		v := mul(qkv, g.pick(3*w, 2*w+h*hd, hd))
		scores := mul(q, G.Must(G.Transpose(k)))
		scaled := times(scores, g.full(n, n, 1/math.Sqrt(float64(hd))))
		place := g.constant(hd, w, func(i, j int) float64 { return indicator(j == h*hd+i) })
		out := mul(mul(g.softmax(add(scaled, mask)), v), place)
		if sum == nil {
			sum = out
		} else {
			sum = add(sum, out)
		}
	}
	return sum
}

// loss is Σ weight·ce of the whole network.
func (g *graph) loss(p problem, features *G.Node, frequencies []float64) *G.Node {
	n, w := p.b*p.l, g.c.Width
	waves := g.constant(p.b, timeWidth, func(i, k int) float64 {
		angle := frequencies[k%timeFrequencies] * math.Log(p.t[i])
		if k < timeFrequencies {
			return math.Sin(angle)
		}
		return math.Cos(angle)
	})
	time := g.gelu(g.linear("time.out", g.gelu(g.linear("time.in", waves))))
	spread := g.constant(n, p.b, func(i, j int) float64 { return indicator(i/p.l == j) })
	condition := func(mod, x *G.Node, at int) *G.Node {
		scale, shift := mul(mod, g.pick(cols(mod), at*w, w)), mul(mod, g.pick(cols(mod), (at+1)*w, w))
		return g.norm(x, scale, shift)
	}

	x := g.linear("input", features)
	for i := range g.c.Layers {
		name := "blocks." + strconv.Itoa(i) + "."
		mod := mul(spread, g.linear(name+"modulation", time))
		attended := g.attention(g.linear(name+"attention.qkv", condition(mod, x, 0)), p.l)
		x = add(x, g.linear(name+"attention.out", attended))
		hidden := g.gelu(g.linear(name+"mlp.up", condition(mod, x, 2)))
		x = add(x, g.linear(name+"mlp.down", hidden))
	}
	mod := mul(spread, g.linear("final.modulation", time))
	z := g.linear("head", condition(mod, x, 0))

	targets := g.constant(n, g.c.Vocab, func(i, j int) float64 {
		return -float64(p.weight[i]) * indicator(int(p.targets[i]) == j)
	})
	return G.Must(G.Sum(times(targets, G.Must(G.Log(g.softmax(z))))))
}

// TestGradientsAgainstGorgonia compares the explicit gradients of every tensor
// and of the features with those of Gorgonia's automatic differentiation.
func TestGradientsAgainstGorgonia(t *testing.T) {
	for name, c := range shapes {
		t.Run(name, func(t *testing.T) {
			p := newProblem(c, 2, 5)
			params, grads, dFeatures, ce := learn(t, c, p)

			g := &graph{ExprGraph: G.NewGraph(), c: c, params: map[string]*G.Node{}}
			features := g.matrix("features", p.b*p.l, c.Features(), widen(p.features))
			names, nodes, explicit := []string{"features"}, G.Nodes{features}, [][]float64{widen(dFeatures)}
			var frequencies []float64
			for _, q := range c.Params() {
				values := widen(params[q.Offset : q.Offset+q.Len()])
				if q.Name == "time.frequencies" {
					frequencies = values
					continue
				}
				rows, cols := q.Shape[0], q.Len()/q.Shape[0]
				if len(q.Shape) == 1 {
					rows, cols = 2, q.Shape[0]
					values = append(values, make([]float64, cols)...)
				}
				g.params[q.Name] = g.matrix(q.Name, rows, cols, values)
				names, nodes = append(names, q.Name), append(nodes, g.params[q.Name])
				explicit = append(explicit, widen(grads[q.Offset:q.Offset+q.Len()]))
			}
			loss := g.loss(p, features, frequencies)
			derivatives, err := G.Grad(loss, nodes...)
			if err != nil {
				t.Fatal(err)
			}
			vm := G.NewTapeMachine(g.ExprGraph)
			defer vm.Close()
			if err := vm.RunAll(); err != nil {
				t.Fatal(err)
			}

			var sum float64
			for i, ce := range ce {
				sum += float64(p.weight[i]) * float64(ce)
			}
			if want := loss.Value().Data().(float64); math.Abs(sum-want) > tolerance*want {
				t.Errorf("loss is %g, Gorgonia's %g", sum, want)
			}
			worst, where := 0., ""
			for i, d := range derivatives {
				want := d.Value().Data().([]float64)
				e := distance(explicit[i], want[:len(explicit[i])])
				if e > worst {
					worst, where = e, names[i]
				}
				if !(e < tolerance) {
					t.Errorf("%s: gradient is %.1e from Gorgonia's", names[i], e)
				}
			}
			t.Logf("worst relative error %.1e, of %s", worst, where)
		})
	}
}
